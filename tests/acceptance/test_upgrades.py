"""Several hosts are upgraded one after the other, while the schema is upgraded once."""

import pytest
from sqlalchemy import create_engine, text

from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.errors import SchemaOutdated
from staffeln_cli.tables import SCHEMA_REVISION
from tests.acceptance.builders import changes, everything, rounds, some_volumes, states
from tests.conftest import Staffeln

NEWER = "9999"
COMMANDS = (
    *("collect", "backup", "check", "retain", "report", "run", "verify"),
    *("explain shop-0", "keep shop-0", "backup --volume shop-0", "restore --volume shop-0"),
    *("pause --all --reason x", "resume --all", "catalog save /dev/null", "db rebind --confirm"),
    *("status", "status volumes", "doctor --orphans --adopt", "db upgrade"),
)


def upgraded(url: str, revision: str = NEWER) -> None:
    """The schema is upgraded by a newer version on another host."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    engine.dispose()


def test_an_older_version_leaves_a_newer_schema_alone(cloud: SimCloud, staffeln: Staffeln) -> None:
    url = staffeln.environ["STAFFELN_DATABASE_URL"]
    some_volumes(cloud, 2)
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    upgraded(url)
    rows = everything(url)
    cloud.requests.clear()
    for command in COMMANDS:
        answer = staffeln(*command.split())
        assert answer.exit_code == SchemaOutdated.exit_code, command
        assert "newer Staffeln" in answer.stdout + answer.stderr, command
    assert changes(cloud) == []
    assert everything(url) == rows


def test_monitoring_by_an_older_version_does_not_know_and_says_why(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    upgraded(staffeln.environ["STAFFELN_DATABASE_URL"])
    answer = staffeln("status", "--nagios")
    assert answer.exit_code == 3
    assert len(answer.stdout.splitlines()) == 1
    assert answer.stdout.startswith("STAFFELN UNKNOWN")
    assert "newer Staffeln" in answer.stdout


@pytest.mark.parametrize(
    ("command", "path"),
    [("collect", "/volumes/detail"), ("backup", "/backups"), ("check", "/backups")],
)
def test_a_pass_that_is_under_way_when_the_schema_is_upgraded_ends_well(
    cloud: SimCloud, staffeln_on_each: Staffeln, command: str, path: str
) -> None:
    staffeln = staffeln_on_each
    url = staffeln.environ["STAFFELN_DATABASE_URL"]
    some_volumes(cloud, 2)
    before = {"collect": 0, "backup": 1, "check": 2}[command]
    staffeln.cycle(*("collect", "backup")[:before])
    cloud.steering.finish_backups()

    def upgrade(request: Request) -> None:
        if path in request.path:
            cloud.on_request = None
            upgraded(url)

    cloud.on_request = upgrade
    assert staffeln(command).exit_code == 0
    assert cloud.on_request is None
    assert staffeln(command).exit_code == SchemaOutdated.exit_code
    current = everything(url)
    upgraded(url, SCHEMA_REVISION)
    ends = {"collect": "planned", "backup": "creating", "check": "available"}
    assert states(staffeln) == [ends[command]] * 2
    assert everything(url)["runs"] == current["runs"]
    rounds(staffeln, cloud, 1)
    assert states(staffeln) == ["available"] * 2
