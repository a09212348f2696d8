"""Things to report on, each with defaults that do not matter to the test at hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from staffeln_cli.config import Settings
from staffeln_cli.model import InventoryVolume, Kind, Origin, ProjectId, State, VolumeId
from staffeln_cli.reports.model import ProjectReport
from staffeln_cli.reports.project_report import Known, digest
from staffeln_cli.store.report_rows import Addressee, Entry

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
SHOP = Addressee(ProjectId("p1"), "shop", "default", True, None, None)


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


def an_entry(name: str = "data", **more: Any) -> Entry:
    """An untold success of an hour ago."""
    entry = Entry(
        id=f"record of {name}",
        backup_id=None,
        name=f"backup of {name}",
        project_id=ProjectId("p1"),
        volume_id=VolumeId(f"id of {name}"),
        volume_name=name,
        server_name="web",
        kind=Kind.FULL,
        state=State.AVAILABLE,
        origin=Origin.SCHEDULED,
        reason=None,
        size_gib=10,
        planned_at=ago(hours=2),
        started_at=ago(hours=1),
        finished_at=ago(minutes=50),
        deleted_at=None,
        delete_reason=None,
        delete_attempts=0,
        pinned=False,
        pin_note=None,
        remains=False,
        reported_at=None,
        removal_reported_at=None,
    )
    return entry._replace(**more)


def a_failure(name: str = "data", reason: str = "the disk is full", **more: Any) -> Entry:
    return an_entry(name, state=State.FAILED, reason=reason, **more)


def a_digest(
    *things: InventoryVolume | Entry, restorable: bool = True, unfinished: bool = False
) -> ProjectReport:
    """A digest of volumes and entries, of which all or none can be restored."""
    volumes = [one for one in things if isinstance(one, InventoryVolume)]
    ids = {one.volume_id for one in volumes}
    known = Known(
        project=SHOP,
        volumes=volumes,
        entries=[one for one in things if isinstance(one, Entry)],
        restorable=ids if restorable else set(),
        unfinished=ids if unfinished else set(),
    )
    return digest(known, Settings(), NOW)
