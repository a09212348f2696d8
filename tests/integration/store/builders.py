"""Records and volumes with defaults, and stores to keep them in."""

from datetime import timedelta
from typing import Any

from staffeln_cli.model import (
    BackupId,
    BackupRecord,
    State,
)
from staffeln_cli.store import Caps, Claim, Store
from tests.build import NOW, a_record

PLENTY = Caps(total=1000, per_project=1000)


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
