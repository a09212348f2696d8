"""Backups that were available and that Cinder cannot restore any more, until it can again."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import Backup, BackupId, BackupRecord, ExportCandidate, State
from staffeln_cli.model.statuses import BACKUP_COMPLETE, BACKUP_UNRESTORABLE
from staffeln_cli.operations.follow_backup import Observation
from staffeln_cli.runtime import Run


class _Suspect(NamedTuple):
    """An available backup of ours, and the backup that is listed as broken."""

    record: BackupRecord
    backup_id: BackupId
    """Its own, or that of a backup which Staffeln did not make and on which it depends."""


def note_broken(run: Run, observed: Observation) -> None:
    """After a complete listing: note which available backups broke, and which are whole again.

    What is news is asked for by its id, because a listing may be stale. Many at once are believed
    as well: all that follows is an alarm and a new backup, and nothing is removed.
    """
    known = {record.backup_id: record for record in run.store.records.broken()}
    suspects = _suspects(run, observed)
    news = [one for one in suspects.values() if one.record.backup_id not in known]
    for suspect, backup in run.parallel(lambda one: _looked_up(run, one, "broken"), news):
        if backup is not None and backup.status in BACKUP_UNRESTORABLE:
            _note_broken(run, suspect.record, _said(suspect, backup))
    unclear = {*suspects, *observed.unseen, *(row.id for row in run.unreadable("backup"))}
    listed_whole = [
        record
        for backup_id, record in known.items()
        if backup_id not in unclear and _is_based(run, record, observed)
    ]
    for record, is_whole in run.parallel(lambda one: _is_whole(run, one, observed), listed_whole):
        if is_whole:
            run.store.notes.whole(record, run.now())


def note_gone_parents(run: Run, gone: Sequence[ExportCandidate]) -> None:
    """Backups that Staffeln did not make are gone: what depends on them cannot be restored.

    Their export records are forgotten once that is noted; until then they are found gone again.
    """
    for record in run.store.records.depending_on({one.backup_id: one.volume_id for one in gone}):
        if not record.is_broken:
            _note_broken(run, record, "somebody deleted the full backup that it depends on")
    run.store.exports.forget([one.backup_id for one in gone])


def _suspects(run: Run, observed: Observation) -> Mapping[BackupId | None, _Suspect]:
    """Of our available backups, those that are listed as broken, or depend on one that is."""
    below = {one.id: one.volume_id for one in observed.foreign.broken.values()}
    found: dict[BackupId | None, _Suspect] = {}
    for record in run.store.records.depending_on(below):
        at = record.parent_id if record.parent_id in below else record.chain_id
        if at is not None:
            found[record.backup_id] = _Suspect(record, at)
    for record in run.store.records.by_backup_ids(observed.broken):
        if record.state is State.AVAILABLE and record.backup_id is not None:
            found[record.backup_id] = _Suspect(record, record.backup_id)
    return found


def _is_based(run: Run, record: BackupRecord, observed: Observation) -> bool:
    """Whether what a broken backup depends on is there: listed, or with a record of ours."""
    below = {record.chain_id, record.parent_id} - {None, record.backup_id}
    unknown = [one for one in below if one is not None and one not in observed.foreign.ids]
    return len(run.store.records.by_backup_ids(unknown)) == len(unknown)


def _is_whole(run: Run, record: BackupRecord, observed: Observation) -> bool:
    """Whether Cinder says so of it, and of what it depends on that Staffeln did not make."""
    below = observed.foreign.ids & {record.chain_id, record.parent_id}
    for backup_id in (record.backup_id, *below):
        if backup_id is not None:
            backup = _looked_up(run, _Suspect(record, backup_id), "whole again")
            if backup is None or backup.status not in BACKUP_COMPLETE:
                return False
    return True


def _looked_up(run: Run, suspect: _Suspect, listed_as: str) -> Backup | None:
    try:
        return run.cloud.backups.look(suspect.backup_id)
    except CloudUnavailable as error:
        reason = f"it is listed as {listed_as}, and looking it up failed: {error}"
        run.fail("backup", suspect.backup_id, reason, name=suspect.record.called)
        return None


def _said(suspect: _Suspect, backup: Backup) -> str:
    """What Cinder says of the backup that is broken."""
    said = f"Cinder says {backup.status}"
    if backup.fail_reason:
        said = f"{said}: {backup.fail_reason}"
    is_own = suspect.backup_id == suspect.record.backup_id
    return said if is_own else f"of backup {backup.id}, on which it depends, {said}"


def _note_broken(run: Run, record: BackupRecord, reason: str) -> None:
    if run.store.notes.broken(record, reason, run.now()):
        why = f"it was available and cannot be restored any more: {reason}"
        run.fail("backup", record.backup_id or record.name, why, name=record.called)
