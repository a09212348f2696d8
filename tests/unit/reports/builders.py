"""Things to report on, each with defaults that do not matter to the test at hand."""

from typing import Any

from staffeln_cli.config import Settings
from staffeln_cli.model import (
    BackupRecord,
    Drill,
    InventoryVolume,
    ProjectId,
    ProjectRecord,
    RecordId,
    State,
    VolumeId,
)
from staffeln_cli.reports.model import ProjectReport
from staffeln_cli.reports.project_report import Known, project_report
from tests.build import NOW, a_record, ago, an_inventory_volume

SHOP = ProjectRecord(ProjectId("p1"), "shop", "default", True, None, None)


def a_protected_volume(name: str = "data", **more: Any) -> InventoryVolume:
    """A volume that was backed up an hour ago."""
    columns: dict[str, Any] = {
        "volume_id": VolumeId(f"id of {name}"),
        "first_seen_at": ago(days=30),
        "protected_since": ago(days=30),
        "last_success_at": ago(hours=1),
    }
    return an_inventory_volume(name, **(columns | more))


def a_success(name: str = "data", **more: Any) -> BackupRecord:
    """A success of an hour ago that was not reported yet."""
    columns: dict[str, Any] = {
        "id": RecordId(f"record of {name}"),
        "name": f"backup of {name}",
        "volume_name": name,
        "server_name": "web",
        "state": State.AVAILABLE,
        "size_gib": 10,
        "planned_at": ago(hours=2),
        "started_at": ago(hours=1),
        "finished_at": ago(minutes=50),
    }
    return a_record(f"id of {name}", **(columns | more))


def a_failure(name: str = "data", reason: str = "the disk is full", **more: Any) -> BackupRecord:
    return a_success(name, state=State.FAILED, reason=reason, **more)


def a_report(
    *things: InventoryVolume | BackupRecord | Drill,
    restorable: bool = True,
    unfinished: bool = False,
) -> ProjectReport:
    """A report of volumes, records and drills; all or none of the volumes can be restored."""
    drills = [one for one in things if isinstance(one, Drill)]
    volumes = [one for one in things if isinstance(one, InventoryVolume)]
    ids = {one.volume_id for one in volumes}
    known = Known(
        project=SHOP,
        volumes=volumes,
        records=[one for one in things if isinstance(one, BackupRecord)],
        restorable=ids if restorable else set(),
        unfinished=ids if unfinished else set(),
        drills={one: [d for d in drills if d.volume_id == one] for one in ids},
    )
    return project_report(known, Settings(), NOW)
