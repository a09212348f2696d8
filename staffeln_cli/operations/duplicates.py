"""Backups created by a request that was given up: recognised by our mark and their name."""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import replace

from staffeln_cli.model import Backup, BackupId, BackupRecord, Kind, Origin, RecordId, State
from staffeln_cli.model.naming import RECORD_KEY
from staffeln_cli.model.statuses import BACKUP_COMPLETE, BACKUP_ENDED
from staffeln_cli.planning.chains.lineage import full_of
from staffeln_cli.runtime import Run

_GIVEN_UP = frozenset({State.CANCELLED, State.FAILED})


def adopt_late_backups(run: Run, backups: Collection[Backup]) -> set[BackupId]:
    """Of marked backups that no record has, give each late one a record.

    Return those that have, or will have, a record: those that are still being created, or that the
    next start of their record will find, wait.
    """
    named = {RecordId(backup.metadata[RECORD_KEY]) for backup in backups}
    makers = {record.id: record for record in run.store.records.by_record_ids(named)}
    accounted: set[BackupId] = set()
    for backup in backups:
        record = makers.get(RecordId(backup.metadata[RECORD_KEY]))
        if record is not None and _came_of(record, backup) and _adopted(run, record, backup):
            accounted.add(backup.id)
    return accounted


def _adopted(run: Run, record: BackupRecord, backup: Backup) -> bool:
    """Whether a backup that came of this record is accounted for, now or in a later pass."""
    if record.backup_id is not None:
        if record.attempt == 1:  # a database from an old dump has asked for it anew
            return False
        handle_duplicate(run, record, backup)
        return True
    if record.state in _GIVEN_UP and backup.status in BACKUP_ENDED:
        _record(run, record, backup, "the request to create it arrived late")
    return record.state is not State.PLANNED or record.attempt > 1


def handle_duplicates(run: Run, record: BackupRecord, doubles: Iterable[Backup]) -> None:
    """Several backups of one name: one is enough."""
    for double in doubles:
        handle_duplicate(run, record, double)


def handle_duplicate(run: Run, record: BackupRecord, double: Backup) -> None:
    """Cinder made a backup twice. The second is removed, unless others depend on it already.

    One that is still being created is left for a later pass.
    """
    if double.status not in BACKUP_ENDED:
        return
    reason = f"made twice by accident, see {record.name}"
    run.fail("backup", double.id, reason, name=record.called)
    is_needed = double.status in BACKUP_COMPLETE and bool(run.cloud.listings.children(double.id))
    _record(run, record, double, reason, keep=is_needed)


def _chain_id(run: Run, backup: Backup) -> BackupId | None:
    """The full backup that it depends on; nobody has planned that."""
    if not backup.is_incremental:
        return backup.id
    of_volume = run.cloud.listings.backups_of(backup.volume_id)
    return full_of(backup, [one for one in of_volume if one.project_id == backup.project_id])


def _came_of(record: BackupRecord, backup: Backup) -> bool:
    return (record.name, record.volume_id, record.project_id) == (
        backup.name,
        backup.volume_id,
        backup.project_id,
    )


def _record(
    run: Run, maker: BackupRecord, backup: Backup, reason: str, *, keep: bool = True
) -> None:
    """Track a backup by a record of its own: as any other, or as remains to be removed."""
    is_kept = keep and backup.status in BACKUP_COMPLETE
    kind = Kind.INCREMENTAL if backup.is_incremental else Kind.FULL
    token = secrets.token_hex(8)
    run.store.lifecycle.adopt(
        replace(
            maker,
            id=RecordId(token),
            name=f"{maker.name}#{token}",
            kind=kind,
            state=State.AVAILABLE if is_kept else State.FAILED,
            origin=Origin.ADOPTED,
            backup_id=backup.id,
            chain_id=_chain_id(run, backup),
            started_at=backup.created_at,
            finished_at=run.now(),
            size_gib=backup.size_gib,
            reason=reason,
            succeeded_at=None,  # what is known of the other backup says nothing about this one
            pinned=False,
            remains=not is_kept,
            reported_at=None,  # what the project was told was about the other backup
            removal_reported_at=None,
        )
    )
    run.count("adopted", int(is_kept))
