"""The backups of Staffeln 2 are taken over: those that Cinder still has, and nothing else."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table, create_engine, insert

from staffeln_cli.cli import staffeln as command_line
from staffeln_cli.cli.session import Session
from staffeln_cli.demo.simcloud import SimCloud
from tests.build import MARKED
from tests.conftest import Staffeln

METADATA = MetaData()
COMMON = ("backup_id", "project_id", "volume_id", "instance_id")
# as vexxhost/staffeln:staffeln/db/sqlalchemy/models.py has them
MADE = Table(
    "backup_data",
    METADATA,
    Column("id", Integer, primary_key=True),
    *(Column(name, String(100)) for name in COMMON),
    Column("backup_completed", Integer),
    Column("incremental", Boolean),
)
QUEUED = Table(
    "queue_data",
    METADATA,
    Column("id", Integer, primary_key=True),
    *(Column(name, String(100)) for name in COMMON),
    Column("backup_status", Integer),
    Column("volume_name", String(100)),
    Column("instance_name", String(100)),
    Column("incremental", Boolean),
    Column("reason", String(255)),
)


def its_database(url: str, made: list[str], queued: list[str], server: str) -> str:
    """A database of Staffeln 2 that knows these backups."""
    engine = create_engine(url)
    METADATA.create_all(engine)
    with engine.begin() as connection:
        for one in made:
            values = {"backup_id": one, "instance_id": server, "backup_completed": 1}
            connection.execute(insert(MADE).values(values))
        for one in queued:
            values = {"backup_id": one, "instance_id": server, "instance_name": "web"}
            connection.execute(insert(QUEUED).values(values))
    engine.dispose()
    return url


class Old:
    """A server with a volume that Staffeln 2 backed up on the last three days."""

    def __init__(self, cloud: SimCloud) -> None:
        cloud.people.add_project("shop")
        cloud.people.grant("backup", "shop", "member")
        self.server = cloud.things.add_server("web", project="shop", metadata=MARKED)
        self.volume = cloud.things.add_volume("data", server=self.server)
        self.backups = []
        for day in range(3):
            self.backups.append(cloud.things.add_backup(self.volume, name=f"web_data_{day}"))
            cloud.advance(days=1)
        cloud.advance(hours=-20)


@pytest.fixture
def old(cloud: SimCloud) -> Old:
    return Old(cloud)


@pytest.fixture(params=["sqlite", "postgresql"])
def its_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'staffeln 2#.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


def test_what_cinder_has_is_imported_once(
    cloud: SimCloud, staffeln: Staffeln, old: Old, its_url: str
) -> None:
    foreign = cloud.things.add_backup(old.volume, name="by hand")
    url = its_database(its_url, [*old.backups[:2], "gone"], ["NULL", old.backups[2]], old.server)
    would = staffeln("db", "import-staffeln", url, "--dry-run", "-f", "json").json
    assert (would["imported"], would["known"]) == (3, 0)
    assert staffeln("status", "backups", "-f", "json").json == []
    first = staffeln("db", "import-staffeln", url, "-f", "json").json
    assert (first["imported"], first["left_out"]) == (3, {"gone": "Cinder does not have it"})
    again = staffeln("db", "import-staffeln", url, "-f", "json").json
    assert (again["imported"], again["known"]) == (0, 3)
    rows = staffeln("status", "backups", "-f", "json").json
    assert {one["backup_id"] for one in rows} == {*old.backups} - {foreign}
    facts = ("origin", "state", "server_id", "server_name", "volume_name")
    assert {tuple(one[fact] for fact in facts) for one in rows} == {
        ("imported", "available", old.server, "web", "data")
    }
    assert "had 3 already" in staffeln("db", "import-staffeln", url).stdout


def test_an_imported_incremental_belongs_to_the_chain_of_its_full(
    cloud: SimCloud, staffeln: Staffeln, old: Old, tmp_path: Path
) -> None:
    cloud.advance(hours=1)
    incremental = cloud.things.add_backup(old.volume, incremental=True)
    made = [*old.backups, incremental]
    url = its_database(f"sqlite:///{tmp_path / 'old.db'}", made, [], old.server)
    assert staffeln("db", "import-staffeln", url, "-f", "json").json["imported"] == 4
    rows = staffeln("status", "backups", "-f", "json").json
    chains = {one["backup_id"]: one["chain_id"] for one in rows}
    assert chains == {one: one for one in old.backups} | {incremental: old.backups[-1]}


def test_collect_plans_nothing_that_staffeln_2_has_just_backed_up(
    staffeln: Staffeln, old: Old, tmp_path: Path
) -> None:
    url = its_database(f"sqlite:///{tmp_path / 'old.db'}", old.backups, [], old.server)
    staffeln("db", "import-staffeln", url)
    staffeln.set(BACKUP_MIN_INTERVAL="22h")
    assert staffeln("collect", "-f", "json").counts["planned"] == 0
    (volume,) = staffeln("status", "volumes", "-f", "json").json
    assert volume["last_success_at"] is not None


def test_retention_judges_them_from_then_on(
    cloud: SimCloud, staffeln: Staffeln, old: Old, tmp_path: Path
) -> None:
    cloud.things.set_backup(old.backups[0], status="error")
    url = its_database(f"sqlite:///{tmp_path / 'old.db'}", old.backups, [], old.server)
    answer = staffeln("db", "import-staffeln", url)
    assert f"{old.backups[0]}  left out: it is error" in answer.stdout
    staffeln("collect")
    cloud.advance(days=100)
    staffeln.set(RETENTION_TIME="10d")
    assert staffeln("retain", "-f", "json").counts["deleted"] == 1
    left = {one["id"] for one in cloud.backups()}
    assert left == {old.backups[0], old.backups[2]}


def test_the_url_may_come_where_no_ps_shows_it(
    cloud: SimCloud, staffeln: Staffeln, old: Old, tmp_path: Path
) -> None:
    url = its_database(f"sqlite:///{tmp_path / 'old.db'}", old.backups, [], old.server)
    session = Session(environ=dict(staffeln.environ), clock=cloud.now)
    command = ["db", "import-staffeln", "-"]
    answer = CliRunner().invoke(command_line, command, input=f"{url}\n", obj=session)
    assert answer.stdout == "imported 3, left out 0, had 0 already\n"


def test_its_database_is_only_read(staffeln: Staffeln, old: Old, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    its_database(f"sqlite:///{path}", old.backups, [], old.server)
    path.chmod(0o400)
    before = path.read_bytes()
    assert staffeln("db", "import-staffeln", f"sqlite:///{path}").exit_code == 0
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.glob("old.db*")] == ["old.db"]


@pytest.mark.parametrize(
    ("url", "code", "says"),
    [
        ("no url", 78, "is not a URL"),
        ("sqlite:////nowhere/staffeln.db", 78, "there is no such file"),
        ("sqlite:///", 78, "there is no such file"),
        ("mysql://host/staffeln?plugin=dbcounter", 78, "dbcounter"),
        ("oracle://host/db", 78, "is not supported"),
        ("mysql://staffeln:hush@127.0.0.1:1/staffeln", 69, "Can't connect"),
        ("postgresql://staffeln:hush@127.0.0.1:1/staffeln", 69, "refused"),
    ],
)
def test_what_is_no_database_of_staffeln_2_is_named(
    staffeln: Staffeln, url: str, code: int, says: str
) -> None:
    answer = staffeln("db", "import-staffeln", url)
    assert answer.exit_code == code
    assert says in answer.stderr
    assert "hush" not in answer.stdout + answer.stderr


def test_a_database_of_something_else_is_refused(staffeln: Staffeln) -> None:
    answer = staffeln("db", "import-staffeln", staffeln.environ["STAFFELN_DATABASE_URL"])
    assert answer.exit_code == 78
    assert "has no tables backup_data and queue_data" in answer.stderr
