"""A dry run says what would be done and why, and changes nothing anywhere."""

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, changes, everything, rounds, some_volumes
from tests.conftest import Staffeln


@pytest.fixture
def busy(cloud: SimCloud, staffeln_on_each: Staffeln) -> Staffeln:
    """A state in which every command has something to do."""
    staffeln = staffeln_on_each
    staffeln.set(RETENTION_KEEP_LAST="0", RETENTION_TIME="3d")
    some_volumes(cloud, 2)
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="0")
    rounds(staffeln, cloud, 2)
    cloud.advance(days=3)
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    cloud.things.remove_backup(cloud.backups()[0]["id"], force=True)
    some_volumes(cloud, 2, project="late")
    staffeln("collect")
    a_volume(cloud, project="later")
    cloud.requests.clear()
    return staffeln


@pytest.mark.parametrize("shape", ["text", "json"])
@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("collect", "plan full"),
        ("backup", "start full"),
        ("check", "follow"),
        ("retain", "remove"),
    ],
)
def test_a_dry_run_says_what_and_changes_nothing(
    cloud: SimCloud, busy: Staffeln, command: str, says: str, shape: str
) -> None:
    url = busy.environ["STAFFELN_DATABASE_URL"]
    rows, backups = everything(url), cloud.backups()
    answer = busy(command, "--dry-run", "-f", shape)
    assert answer.exit_code in {0, 3}
    assert says in answer.stdout
    assert changes(cloud) == []
    assert cloud.backups() == backups
    assert everything(url) == rows


def test_a_dry_run_foretells_what_the_real_run_does(cloud: SimCloud, busy: Staffeln) -> None:
    for command, figure in (("collect", "planned"), ("backup", "started"), ("retain", "expired")):
        foretold = busy(command, "--dry-run", "-f", "json").counts[figure]
        assert busy(command, "-f", "json").counts[figure] == foretold > 0


def test_an_ad_hoc_dry_run_starts_nothing(cloud: SimCloud, busy: Staffeln) -> None:
    rows = everything(busy.environ["STAFFELN_DATABASE_URL"])
    volume = cloud.volumes()[-1]["id"]
    answer = busy("backup", "--volume", volume, "--dry-run")
    assert "start full" in answer.stdout
    assert changes(cloud) == []
    assert everything(busy.environ["STAFFELN_DATABASE_URL"]) == rows


def test_a_dry_run_needs_no_lead(cloud: SimCloud, busy: Staffeln) -> None:
    dry = busy("collect", "--dry-run", "-f", "json")
    assert dry.json["dry_run"] is True
    assert dry.json["outcome"] == "ok"


def test_the_first_dry_run_of_all_remembers_no_cloud(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    rows = everything(staffeln.environ["STAFFELN_DATABASE_URL"])
    for command in ("collect", "backup", "check", "retain"):
        assert staffeln(command, "--dry-run").exit_code == 0
    assert everything(staffeln.environ["STAFFELN_DATABASE_URL"]) == rows


def test_a_dry_run_asks_for_what_the_listing_lacks_as_collect_does(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln = staffeln_on_each
    hidden, gone, _ = some_volumes(cloud, 3)
    staffeln("collect")
    cloud.things.remove_volume(gone)
    staffeln("collect")
    cloud.advance(minutes=11)
    a_volume(cloud, "new")  # as many are seen as are known
    rows = everything(staffeln.environ["STAFFELN_DATABASE_URL"])
    cloud.faults.omit_next("/volumes/detail", [hidden], 2)
    foretold = staffeln("collect", "--dry-run", "-f", "json")
    assert everything(staffeln.environ["STAFFELN_DATABASE_URL"]) == rows
    assert (foretold.counts["gone"], foretold.counts["volumes"]) == (1, 3)
    answer = staffeln("collect", "-f", "json")
    assert answer.counts == foretold.counts
    assert answer.json["api_requests"] == foretold.json["api_requests"]
