"""Backups that Staffeln made and has no record of, for example after restoring an old dump.

Retention treats them like backups made by others: it keeps them and everything that they depend
on. When they are adopted, their policy applies again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from staffeln_cli.model import Backup, BackupRecord, Origin, RecordId, ServerId, State
from staffeln_cli.model.naming import RECORD_KEY, SERVER_KEY
from staffeln_cli.operations.untracked_backups import (
    NO_INSTALLATION,
    installation_of,
    without_record,
)
from staffeln_cli.planning.chains.lineage import full_of
from staffeln_cli.planning.chains.members import several_volumes
from staffeln_cli.runtime import Runtime

_VOLUMES_AT_ONCE = 100
"""About a page of backups."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A backup with Staffeln's mark and no record."""

    backup: Backup
    installation: str
    """The installation that made it, by its mark."""
    adopted: bool = False


def find(
    runtime: Runtime, *, adopt: bool = False, installation: str | None = None
) -> Iterator[Orphan]:
    """Yield the orphans of all projects; with `adopt`, the available ones get a record again.

    Only those of this installation, or of the `installation` that is named: another one's backups
    are its own. `none` stands for the marks of Staffeln 3.0.
    """
    runtime.store.cloud.belongs_to(runtime.cloud.login().cloud, remember=False)
    adopted = installation or runtime.store.observations.installation_id()
    for group in several_volumes(runtime.cloud.listings.backups_by_volume(), _VOLUMES_AT_ONCE):
        marked = [one for some in group.values() for one in some if RECORD_KEY in one.metadata]
        for orphan in _without_record(runtime, marked):
            maker = installation_of(orphan) or NO_INSTALLATION
            may_adopt = adopt and orphan.status == "available" and maker == adopted
            if may_adopt:
                _adopt(runtime, orphan, group[orphan.project_id, orphan.volume_id])
            yield Orphan(orphan, maker, adopted=may_adopt)


def _without_record(runtime: Runtime, marked: Sequence[Backup]) -> list[Backup]:
    records = runtime.store.records.by_backup_ids([one.id for one in marked])
    records += runtime.store.records.by_names([one.name for one in marked])
    return without_record(records, marked)


def _adopt(runtime: Runtime, orphan: Backup, of_volume: Sequence[Backup]) -> None:
    """Take back a missing or failed record of it; give it a new one where there is none."""
    for record in runtime.store.records.by_backup_ids([orphan.id]):
        if record.state in (State.MISSING, State.FAILED):
            runtime.store.lifecycle.seen_again(record, orphan, runtime.now())
            return
    runtime.store.lifecycle.adopt(_record(runtime, orphan, of_volume))


def _record(runtime: Runtime, orphan: Backup, of_volume: Sequence[Backup]) -> BackupRecord:
    server_id = orphan.metadata.get(SERVER_KEY)
    record_id = RecordId(f"{orphan.metadata[RECORD_KEY][:16]}-{orphan.id[:8]}")
    record = BackupRecord.found(
        orphan,
        Origin.ADOPTED,
        runtime.now(),
        record_id=record_id,
        chain_id=full_of(orphan, of_volume),
    )
    return replace(record, server_id=ServerId(server_id) if server_id else None)
