"""`explain --offline`: what the database alone says about a volume."""

from pathlib import Path
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import NotFound
from staffeln_cli.model import (
    BackupId,
    DrillState,
    FormerOwner,
    Kind,
    ProjectId,
    ProofLevel,
    State,
    VolumeId,
)
from staffeln_cli.store import Claim
from staffeln_cli.store.queries import insert
from tests.build import a_drill, a_record
from tests.conftest import Staffeln, staffeln_on


@pytest.fixture
def staffeln(sqlite_url: str, cloud: SimCloud, tmp_path: Path) -> Staffeln:
    """SQLite alone: the store's own tests compare the databases."""
    return staffeln_on(sqlite_url, cloud, tmp_path)


def recorded(past: Any, name: str, *, days: float = 1, **more: Any) -> None:
    """An available backup of volume data, as an earlier run left it."""
    facts: dict[str, Any] = {
        "name": name,
        "project_id": ProjectId("id-alpha"),
        "state": State.AVAILABLE,
        "backup_id": BackupId(name),
        "started_at": past.ago(days=days),
        "finished_at": past.ago(days=days),
        "size_gib": 10,
    }
    with past.store.database.write() as connection:
        insert(connection, [a_record("id-data", **(facts | more))])


def explained(staffeln: Staffeln, name: str = "data") -> Any:
    return staffeln("explain", "--offline", name, "-f", "json").json


def drilled(past: Any, volume: str, backup: str, seconds: float) -> None:
    """A drill that went well, and what it took."""
    drills, owner = past.store.drills, "run-1"
    facts: dict[str, Any] = {"project_id": ProjectId("id-alpha"), "planned_at": past.now}
    drill = a_drill(f"id-{volume}", backup_id=BackupId(backup), **facts)
    drills.plan(drill, Claim(owner, past.now, past.now - past.now))
    assert drills.restoring(drill, past.now, owner=owner)
    drills.checking(drills.by_id(drill.id), 0.0, seconds, owner=owner)
    drills.clearing(
        drills.by_id(drill.id), DrillState.PASSED, level=ProofLevel.RESTORED, owner=owner
    )
    assert drills.passed(drills.by_id(drill.id), past.now, owner=owner)


def test_a_chain_of_records_is_judged_as_cinder_would_list_it(
    staffeln: Staffeln, past: Any
) -> None:
    past.projects("alpha")
    past.volume("data")
    recorded(past, "full", days=3)
    recorded(past, "incremental", days=2, kind=Kind.INCREMENTAL)
    found = explained(staffeln)
    assert (found["from_cloud"], found["project_name"]) == (False, "alpha")
    newest, full = found["backups"]
    assert (newest["kind"], newest["keep"]) == ("incremental", True)
    assert full["dependents"] == ["incremental"]
    assert (found["next"]["kind"], found["next"]["overdue"]) == ("incremental", False)


def test_a_broken_backup_is_shown_as_one_in_error(staffeln: Staffeln, past: Any) -> None:
    past.volume("data")
    recorded(past, "full", broken_at=past.now)
    (backup,) = explained(staffeln)["backups"]
    assert backup["status"] == "error"


def test_what_is_in_progress_is_named(staffeln: Staffeln, past: Any) -> None:
    past.volume("data")
    past.backup("next", State.PLANNED, volume="data", backup_id=None)
    (unfinished,) = explained(staffeln)["unfinished"]
    assert (unfinished["name"], unfinished["state"]) == ("next", "planned")


def test_a_longer_retention_that_still_holds_is_told_with_its_end(
    staffeln: Staffeln, past: Any
) -> None:
    past.volume(
        "data",
        retention="3d",
        retention_before="30d",
        retention_shortened_at=past.ago(minutes=1),
    )
    assert "30d, shortened to 3d from " in explained(staffeln)["retention"]
    past.volume("logs")
    assert explained(staffeln, "logs")["retention"].startswith("the default, ")


def test_the_backups_of_former_owners_are_told_with_their_retention(
    staffeln: Staffeln, past: Any
) -> None:
    past.projects("alpha", "shop")
    past.volume("data")
    row = past.store.inventory.volumes([VolumeId("id-data")])[VolumeId("id-data")]
    left = FormerOwner(ProjectId("id-shop"), VolumeId("id-data"), "1y", None, past.now)
    past.store.former_owners.transfer([left], [row])
    recorded(past, "b1", project_id=ProjectId("id-shop"))
    recorded(past, "b2", project_id=ProjectId("id-bank"))
    found = explained(staffeln)
    assert found["backups"] == []
    bank, shop = found["former_owners"]
    assert (shop["project_name"], shop["backups"], shop["retention"]) == ("shop", 1, "1y")
    assert (bank["project_name"], bank["retention"]) == ("", None)


def test_drills_prove_a_volume_and_measure_the_restore_of_its_server(
    staffeln: Staffeln, past: Any
) -> None:
    for name in ("data", "logs"):
        past.volume(name)
        recorded(past, f"of-{name}", volume_id=VolumeId(f"id-{name}"))
    drilled(past, "data", "of-data", 100)
    found = explained(staffeln)
    assert (found["proof"]["backup_id"], found["proof"]["level"]) == ("of-data", "restored")
    assert found["proven_at"] is not None
    assert (found["recovery_seconds"], found["server_recovery_seconds"]) == (100, 200)
    assert explained(staffeln, "logs")["proof"] is None


def test_a_window_that_is_closed_is_told_with_its_opening(staffeln: Staffeln, past: Any) -> None:
    past.volume("data", last_success_at=past.ago(days=9), last_started_at=past.ago(days=9))
    hour = (past.now.hour + 2) % 24
    staffeln.set(BACKUP_WINDOW=f"{hour:02}:00-{(hour + 1) % 24:02}:00")
    coming = explained(staffeln)["next"]
    assert coming["window_opens_at"][11:16] == f"{hour:02}:00"
    staffeln.set(BACKUP_WINDOW="00:00-23:59")
    assert explained(staffeln)["next"]["kind"] == "full"


def test_a_volume_that_is_not_protected_has_no_next_backup(staffeln: Staffeln, past: Any) -> None:
    past.volume("data", protected=False, skip_reason="marked with skip")
    found = explained(staffeln)
    assert (found["next"], found["skip_reason"]) == (None, "marked with skip")


def test_a_volume_that_nobody_has_seen_is_wrong_usage(staffeln: Staffeln) -> None:
    answer = staffeln("explain", "--offline", "data")
    assert answer.exit_code == NotFound.exit_code
    assert "no volume 'data' was ever seen" in answer.stderr
