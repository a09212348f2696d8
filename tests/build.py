"""Facts and records to test with. Each has defaults that do not matter to the test at hand."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from staffeln_cli.model import (
    Backup,
    BackupId,
    BackupRecord,
    Drill,
    DrillId,
    InventoryVolume,
    Kind,
    Origin,
    ProjectId,
    RecordBrief,
    RecordId,
    ServerId,
    State,
    Volume,
    VolumeId,
)

NOW = datetime(2026, 11, 22, 22, tzinfo=UTC)
MARKED = {"__staffeln_backup": "true"}
"""The metadata of a server whose volumes are backed up."""


def ago(**length: float) -> datetime:
    """So long before `NOW`."""
    return NOW - timedelta(**length)


def a_volume(
    *servers: str,
    volume_id: str = "v1",
    status: str = "in-use",
    name: str = "disk",
    metadata: dict[str, str] | None = None,
    migration_status: str | None = None,
) -> Volume:
    """A volume as Cinder lists it, attached to these servers."""
    return Volume(
        id=VolumeId(volume_id),
        name=name,
        project_id=ProjectId("p1"),
        status=status,
        size_gib=10,
        server_ids=tuple(ServerId(server) for server in servers),
        metadata=metadata or {},
        migration_status=migration_status,
    )


def an_inventory_volume(name: str = "v1", **more: Any) -> InventoryVolume:
    """The row of a protected volume that was never backed up, first seen an hour ago."""
    volume = InventoryVolume(
        volume_id=VolumeId(name),
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
        first_seen_at=ago(hours=1),
        last_seen_at=NOW,
    )
    return volume._replace(**more)


def a_backup(
    name: str = "b1",
    *,
    days_old: float = 3,
    incremental: bool = False,
    snapshot_days_old: float | None = None,
    updated_days_old: float | None = None,
    **more: Any,
) -> Backup:
    """An available backup of `v1` as Cinder lists it."""
    made = ago(days=days_old)
    backup = Backup(
        id=BackupId(name),
        name=name,
        volume_id=VolumeId("v1"),
        project_id=ProjectId("p1"),
        status="available",
        size_gib=10,
        is_incremental=incremental,
        created_at=made,
        data_timestamp=made if snapshot_days_old is None else ago(days=snapshot_days_old),
        updated_at=None if updated_days_old is None else ago(days=updated_days_old),
        snapshot_id=None if snapshot_days_old is None else f"snapshot of {name}",
        has_dependents=False,
    )
    return backup._replace(**more)


def a_record(volume: str = "v1", **more: Any) -> BackupRecord:
    """The record of a planned full backup; each has an id of its own.

    In a later state, without a reason, it is the record of a success.
    """
    unique = secrets.token_hex(8)
    columns: dict[str, Any] = {
        "id": RecordId(unique),
        "name": f"backup-{unique}",
        "volume_id": VolumeId(volume),
        "project_id": ProjectId("p1"),
        "kind": Kind.FULL,
        "state": State.PLANNED,
        "origin": Origin.SCHEDULED,
        "planned_at": NOW,
    }
    columns |= more
    there_once = columns["state"] in (State.AVAILABLE, State.MISSING)
    being_removed = columns["state"] in (State.DELETING, State.DELETED)
    if there_once or (being_removed and "reason" not in columns):
        ended_at = columns.get("finished_at") or columns.get("started_at") or columns["planned_at"]
        columns.setdefault("succeeded_at", ended_at)
    return BackupRecord(**columns)


def a_record_of(backup: Backup, **more: Any) -> BackupRecord:
    """Our record of a backup that Cinder has made."""
    columns: dict[str, Any] = {
        "id": RecordId(f"record of {backup.id}"),
        "name": backup.name,
        "project_id": backup.project_id,
        "kind": Kind.INCREMENTAL if backup.is_incremental else Kind.FULL,
        "state": State.AVAILABLE,
        "planned_at": backup.created_at,
        "started_at": backup.created_at,
        "backup_id": backup.id,
    }
    return a_record(backup.volume_id, **(columns | more))


def a_brief(backup: Backup, **more: Any) -> RecordBrief:
    """What retention reads of our record of a backup."""
    brief = a_record_of(backup, **more).brief
    assert brief is not None
    return brief


def a_drill(volume: str = "v1", **more: Any) -> Drill:
    """A planned drill of a full backup of a volume; each has an id of its own."""
    facts: dict[str, Any] = {
        "id": DrillId(secrets.token_hex(8)),
        "backup_id": BackupId("b1"),
        "backup_name": "backup-1",
        "backup_at": ago(days=1),
        "volume_id": VolumeId(volume),
        "volume_name": volume,
        "server_name": "web",
        "project_id": ProjectId("p1"),
        "chain_length": 1,
        "chain_at": ago(days=1),
        "size_gib": 10,
        "volume_type": None,
        "availability_zone": None,
        "bootable": False,
        "encrypted": False,
        "planned_at": NOW,
    }
    return Drill(**(facts | more))
