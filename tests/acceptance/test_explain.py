"""The command that gives reasons: for a volume, for what comes next, for each of its backups."""

import re

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import twice
from tests.conftest import Staffeln


@pytest.fixture
def volume(cloud: SimCloud, staffeln: Staffeln) -> str:
    """A volume with a chain of three, one day apart; the retention of its server is a typo."""
    project = cloud.people.add_project("shop")
    metadata = {"__staffeln_backup": "true", "__staffeln_retention": "30days"}
    server = cloud.things.add_server("web", project=project, metadata=metadata)
    cloud.people.grant("backup", project, "member")
    volume = cloud.things.add_volume("data", project=project, server=server)
    for _ in range(3):
        staffeln.cycle("collect", "backup")
        cloud.steering.finish_backups()
        staffeln("check")
        cloud.advance(days=1)
    return volume


def test_a_protected_volume_is_explained_with_what_comes_next_and_why(
    staffeln: Staffeln, volume: str
) -> None:
    said = staffeln("explain", "data", "-f", "json").json
    assert said["volume_id"] == volume
    assert said["protected"] is True
    assert said["bad_retention"] == "'30days'"
    assert (said["next"]["kind"], said["next"]["reason"]) == ("incremental", "incremental 3 of 6")
    assert [one["keep"] for one in said["backups"]] == [True] * 3
    newest, _, full = said["backups"]
    assert full["dependents"] and not newest["dependents"]


def test_a_broken_backup_and_what_depends_on_it_are_said_not_to_be_restorable(
    cloud: SimCloud, staffeln: Staffeln, volume: str
) -> None:
    assert "be restored" not in staffeln("explain", volume).stdout
    full, middle, newest = sorted(cloud.backups(), key=lambda one: one["created_at"])
    cloud.things.set_backup(middle["id"], status="error")
    staffeln("check")
    for options in ((), ("--offline",)):
        said = rows(staffeln("explain", volume, *options).stdout)
        assert "cannot be restored, Cinder says error; young enough" in said[middle["id"]]
        assert "cannot surely be restored, it may depend on" in said[newest["id"]]
        assert "be restored" not in said[full["id"]]


def rows(text: str) -> dict[str, str]:
    """The row of each backup in the table, by its id, which is the last thing in it."""
    table = " ".join(re.split(r"why *\n", text)[1].split())
    pieces = re.split(r"([0-9a-f-]{36})", table)
    return dict(zip(pieces[1::2], pieces[::2], strict=False))


def test_the_timeline_tells_what_goes_without_colour(
    cloud: SimCloud, staffeln: Staffeln, volume: str
) -> None:
    staffeln.set(RETENTION_GRACE="0s")
    cloud.things.remove_volume(volume)
    cloud.advance(days=20)
    twice(staffeln, cloud, "collect")
    text = staffeln("explain", volume).stdout
    assert "It has been gone since" in text
    assert "X full x incremental deleted by the next retain" in text
    assert "\x1b" not in text


def test_a_dry_run_lists_first_what_goes_because_the_retention_was_changed(
    cloud: SimCloud, staffeln: Staffeln, volume: str
) -> None:
    staffeln("retain")
    staffeln.set(RETENTION_TIME="1h", RETENTION_KEEP_LAST="0")
    decisions = staffeln("retain", "--dry-run", "-f", "json").json["decisions"]
    assert [one["action"] for one in decisions] == ["remove"] * 3
    assert all("CHANGED since the last pass" in one["reason"] for one in decisions)
    assert len(cloud.backups()) == 3


def test_what_is_remembered_is_explained_while_the_cloud_is_down(
    cloud: SimCloud, staffeln: Staffeln, volume: str
) -> None:
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    with cloud.down():
        said = staffeln("explain", volume, "-f", "json").json
    assert said["from_cloud"] is False
    assert len(said["backups"]) == 3
