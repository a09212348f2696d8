"""Pin a backup so that retention keeps it, and release it again."""

from dataclasses import dataclass

from staffeln_cli.errors import NotFound
from staffeln_cli.model import BackupRecord
from staffeln_cli.runtime import Runtime, caller


@dataclass(frozen=True, slots=True)
class Pinned:
    """The record before the change, and whether anything changed."""

    record: BackupRecord
    changed: bool


def keep(runtime: Runtime, name: str, note: str | None) -> Pinned:
    """Pin a backup so that retention keeps it; repeat it to change the note."""
    record = _found(runtime, name)
    wanted = record.pin_note if note is None else note or None
    if record.pinned and record.pin_note == wanted:
        return Pinned(record, changed=False)
    if not runtime.store.notes.pin(record, runtime.now(), note=wanted, who=caller()):
        state = (runtime.store.records.find(record.id) or record).state
        raise NotFound(f"backup {record.name} is {state}: there is no backup to keep")
    return Pinned(record, changed=True)


def release(runtime: Runtime, name: str) -> Pinned:
    """Release a backup; one that is not pinned does not change."""
    record = _found(runtime, name)
    if record.pinned:
        runtime.store.notes.release(record, runtime.now(), who=caller())
    return Pinned(record, changed=record.pinned)


def _found(runtime: Runtime, name: str) -> BackupRecord:
    record = runtime.store.records.find(name)
    if record is None:
        raise NotFound(
            f"no backup has the record id, Cinder id or name {name!r};"
            " see: staffeln status backups -c name -c backup_id"
        )
    return record
