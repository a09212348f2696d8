"""With -v, or with log.level info, the log says what changed, and says nothing otherwise."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, backed_up, records
from tests.conftest import Staffeln


def lines(text: str) -> list[str]:
    """Log lines without their time, level and run."""
    return [line.split(" ", 3)[3] for line in text.splitlines()]


def test_each_move_of_a_backup_is_a_line_with_its_volume_and_project(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln = staffeln_on_each
    volume = a_volume(cloud)
    planned = lines(staffeln("-v", "collect").stderr)
    started = lines(staffeln("-v", "backup").stderr)
    cloud.steering.finish_backups()
    finished = lines(staffeln("-v", "check").stderr)
    (record,) = records(staffeln)
    of_volume = f"volume {volume}, project {record['project_id']})"
    name, backup_id = record["name"], record["backup_id"]
    assert planned == [f"backup {name} (no id yet, {of_volume}: new -> planned"]
    assert started == [f"backup {name} ({backup_id}, {of_volume}: starting -> creating"]
    assert finished == [f"backup {name} ({backup_id}, {of_volume}: creating -> available"]


def test_what_is_deleted_or_fails_is_a_line_with_its_reason(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    backed_up(staffeln, cloud)
    staffeln.set(RETENTION_KEEP_LAST="0")
    cloud.advance(days=18)
    asked, *_, deleted = lines(staffeln("-v", "retain").stderr)
    assert ": available -> deleting: expired: no retention rule keeps it (started " in asked
    assert deleted.endswith(": deleting -> deleted")

    staffeln.cycle("collect", "backup")
    cloud.steering.fail_backups("No space left on device")
    failed = lines(staffeln("-v", "check").stderr)[0]
    assert ": creating -> failed: " in failed
    assert "No space left on device" in failed


def test_a_volume_that_is_gone_and_a_restore_are_lines(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    backed_up(staffeln, cloud)
    restored = lines(staffeln("-v", "restore", "--volume", volume).stderr)
    (backup,) = cloud.backups()
    assert restored[0].startswith(f"backup {backup['id']} is being restored to volume ")
    cloud.things.remove_volume(volume)
    staffeln("collect")
    cloud.advance(minutes=11)
    gone = lines(staffeln("-v", "collect").stderr)
    assert gone == [
        f"volume {volume} (data) is gone: Cinder has said twice that it does not exist"
    ]


def test_each_step_of_a_restore_drill_is_a_line(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud)
    backed_up(staffeln, cloud)
    cloud.settings.finish_after = timedelta(0)
    steps = [line for line in lines(staffeln("-v", "verify").stderr) if line.startswith("drill")]
    assert all(f"(volume {volume}, project " in line for line in steps)
    states = ["planned", "restoring", "checking", "clearing", "passed"]
    assert [line.rpartition(": ")[2] for line in steps] == [
        f"{before} -> {after}" for before, after in pairwise(states)
    ]


@pytest.mark.parametrize("level", ["info", "warning"])
def test_the_level_of_the_configuration_decides_without_an_option(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path, level: str
) -> None:
    file = tmp_path / "staffeln.log"
    staffeln.set(LOG_FILE=str(file), LOG_LEVEL=level)
    a_volume(cloud)
    backed_up(staffeln, cloud)
    said = lines(file.read_text())
    assert len(said) == (3 if level == "info" else 0)
