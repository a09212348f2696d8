"""Backups that Staffeln made and has no record of, for example after restoring an old dump.

Retention treats them like backups made by others: it keeps them and everything that they depend
on. When they are adopted, their policy applies again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from staffeln_cli.model import Backup, BackupRecord, Origin, RecordId, ServerId, State
from staffeln_cli.model.naming import RECORD_KEY, SERVER_KEY
from staffeln_cli.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Orphan:
    """A backup with Staffeln's mark and no record."""

    backup: Backup
    adopted: bool = False


def find(runtime: Runtime, *, adopt: bool = False) -> Iterator[Orphan]:
    """Yield the orphans of all projects; with `adopt`, the available ones get a record again."""
    runtime.store.cloud.belongs_to(runtime.cloud.login().cloud, remember=False)
    if adopt:
        runtime.cloud.check_clock()
    for page in runtime.cloud.listings.backups():
        marked = [one for one in page if RECORD_KEY in one.metadata]
        for orphan in _unknown(runtime, marked):
            is_whole = orphan.status == "available"
            if adopt and is_whole:
                runtime.store.lifecycle.adopt(_record(runtime, orphan))
            yield Orphan(orphan, adopted=adopt and is_whole)


def _unknown(runtime: Runtime, marked: Sequence[Backup]) -> list[Backup]:
    known_records = runtime.store.records
    records = known_records.by_backup_ids([one.id for one in marked])
    records += known_records.by_names([one.name for one in marked])
    known = {one.backup_id for one in records}
    # `check` will adopt the backup of a record that has no id yet.
    awaited = {one.name for one in records if one.state is State.STARTING}
    return [one for one in marked if one.id not in known and one.name not in awaited]


def _record(runtime: Runtime, orphan: Backup) -> BackupRecord:
    server_id = orphan.metadata.get(SERVER_KEY)
    record_id = RecordId(f"{orphan.metadata[RECORD_KEY][:16]}-{orphan.id[:8]}")
    record = BackupRecord.found(orphan, Origin.ADOPTED, runtime.now(), record_id=record_id)
    return replace(record, server_id=ServerId(server_id) if server_id else None)
