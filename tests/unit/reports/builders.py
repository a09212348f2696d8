"""Things to report on, each with defaults that do not matter to the test at hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from staffeln_cli.config import Settings
from staffeln_cli.model import (
    BackupRecord,
    InventoryVolume,
    Kind,
    Origin,
    ProjectId,
    ProjectRecord,
    RecordId,
    State,
    VolumeId,
)
from staffeln_cli.reports.model import ProjectReport
from staffeln_cli.reports.project_report import Known, digest

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
SHOP = ProjectRecord(ProjectId("p1"), "shop", "default", True, None, None)


def ago(**length: float) -> datetime:
    """So long before `NOW`."""
    return NOW - timedelta(**length)


def a_volume(name: str = "data", **more: Any) -> InventoryVolume:
    """A protected volume, backed up an hour ago."""
    volume = InventoryVolume(
        volume_id=VolumeId(f"id of {name}"),
        volume_name=name,
        project_id=ProjectId("p1"),
        server_id=None,
        server_name="web",
        status="in-use",
        size_gib=10,
        volume_type=None,
        availability_zone=None,
        bootable=False,
        encrypted=False,
        protected=True,
        skip_reason=None,
        retention=None,
        bad_retention=None,
        first_seen_at=ago(days=30),
        last_seen_at=NOW,
        protected_since=ago(days=30),
        last_success_at=ago(hours=1),
    )
    return volume._replace(**more)


def a_record(name: str = "data", **more: Any) -> BackupRecord:
    """An untold success of an hour ago."""
    record = BackupRecord(
        id=RecordId(f"record of {name}"),
        name=f"backup of {name}",
        project_id=ProjectId("p1"),
        volume_id=VolumeId(f"id of {name}"),
        volume_name=name,
        server_name="web",
        kind=Kind.FULL,
        state=State.AVAILABLE,
        origin=Origin.SCHEDULED,
        size_gib=10,
        planned_at=ago(hours=2),
        started_at=ago(hours=1),
        finished_at=ago(minutes=50),
    )
    return replace(record, **more)


def a_failure(name: str = "data", reason: str = "the disk is full", **more: Any) -> BackupRecord:
    return a_record(name, state=State.FAILED, reason=reason, **more)


def a_digest(
    *things: InventoryVolume | BackupRecord, restorable: bool = True, unfinished: bool = False
) -> ProjectReport:
    """A digest of volumes and records, of which all or none can be restored."""
    volumes = [one for one in things if isinstance(one, InventoryVolume)]
    ids = {one.volume_id for one in volumes}
    known = Known(
        project=SHOP,
        volumes=volumes,
        records=[one for one in things if isinstance(one, BackupRecord)],
        restorable=ids if restorable else set(),
        unfinished=ids if unfinished else set(),
    )
    return digest(known, Settings(), NOW)
