"""Records and volumes with defaults, and stores to keep them in."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from staffeln_cli.model import (
    BackupId,
    BackupRecord,
    InventoryVolume,
    Kind,
    Origin,
    ProjectId,
    RecordId,
    State,
    VolumeId,
)
from staffeln_cli.store import Caps, Claim, Store

NOW = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
PLENTY = Caps(total=1000, per_project=1000)


def a_record(volume: str = "v1", **more: Any) -> BackupRecord:
    """A planned full of a volume."""
    token = secrets.token_hex(8)
    facts: dict[str, Any] = {
        "id": RecordId(token),
        "name": f"backup-{token}",
        "volume_id": VolumeId(volume),
        "project_id": ProjectId("p1"),
        "kind": Kind.FULL,
        "state": State.PLANNED,
        "origin": Origin.SCHEDULED,
        "planned_at": NOW,
    }
    return BackupRecord(**{**facts, **more})


def a_row(volume: str = "v1", **more: Any) -> InventoryVolume:
    """The inventory row of a protected volume."""
    facts: dict[str, Any] = {
        "volume_id": VolumeId(volume),
        "volume_name": volume,
        "project_id": ProjectId("p1"),
        "server_id": None,
        "server_name": "web",
        "status": "in-use",
        "size_gib": 1,
        "volume_type": None,
        "availability_zone": None,
        "bootable": False,
        "encrypted": False,
        "protected": True,
        "skip_reason": None,
        "retention": None,
        "bad_retention": None,
        "first_seen_at": NOW,
        "last_seen_at": NOW,
    }
    return InventoryVolume(**{**facts, **more})


def a_claim(owner: str = "run-1", *, minutes: float = 3) -> Claim:
    return Claim(owner, NOW + timedelta(minutes=minutes))


def planned(store: Store, number: int, **more: Any) -> list[BackupRecord]:
    """So many planned records of volumes of their own."""
    records = [a_record(f"{more.get('project_id', 'v')}-{i}", **more) for i in range(number)]
    assert len(store.backups.plan(records)) == number
    return records


def state_of(store: Store, record: BackupRecord) -> State:
    return store.backups.by_ids([record.id])[0].state


def started(store: Store, owner: str = "run-1", **more: Any) -> BackupRecord:
    """A record under way to Cinder, claimed."""
    record = a_record(**more)
    store.backups.plan([record])
    (found,) = store.backups.start(a_claim(owner), caps=PLENTY, limit=1, only=[record.id])
    return found


def available(store: Store, volume: str = "v1") -> BackupRecord:
    """A record that went all the way."""
    record = started(store, volume=volume)
    backup_id = BackupId(f"cinder-{record.id}")
    store.backups.move(record, State.CREATING, moment=NOW, backup_id=backup_id)
    (record,) = store.backups.by_ids([record.id])
    store.backups.move(record, State.AVAILABLE, moment=NOW)
    return store.backups.by_ids([record.id])[0]
