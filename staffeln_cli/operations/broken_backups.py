"""Backups that were available and that Cinder cannot restore any more, until it can again."""

from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import Backup, BackupRecord, State
from staffeln_cli.model.naming import called
from staffeln_cli.model.statuses import BACKUP_UNRESTORABLE
from staffeln_cli.operations.follow_backup import Observation
from staffeln_cli.runtime import Run


def note_broken(run: Run, observed: Observation) -> None:
    """After a complete listing: note which available backups broke, and which are whole again.

    One that is news is asked for by its id, because a listing may be stale. Many at once are
    believed as well: all that follows is an alarm and a new backup, and nothing is removed.
    """
    known = {record.backup_id: record for record in run.store.records.broken()}
    news = run.store.records.by_backup_ids(observed.broken.keys() - known.keys())
    suspects = [record for record in news if record.state is State.AVAILABLE]
    for record, backup in run.parallel(lambda one: _looked_up(run, one), suspects):
        if backup is not None and backup.status in BACKUP_UNRESTORABLE:
            _note_broken(run, record, backup)
    unclear = {*observed.unseen, *(row.id for row in run.unreadable("backup"))}
    for backup_id, record in known.items():
        if backup_id not in observed.broken and backup_id not in unclear:
            run.store.notes.whole(record, run.now())


def _looked_up(run: Run, record: BackupRecord) -> Backup | None:
    if record.backup_id is None:
        return None
    try:
        return run.cloud.backups.look(record.backup_id)
    except CloudUnavailable as error:
        reason = f"it is listed as broken, and looking it up failed: {error}"
        run.fail("backup", record.backup_id, reason, name=_name(record))
        return None


def _note_broken(run: Run, record: BackupRecord, backup: Backup) -> None:
    reason = f"Cinder says {backup.status}"
    if backup.fail_reason:
        reason = f"{reason}: {backup.fail_reason}"
    if run.store.notes.broken(record, reason, run.now()):
        why = f"it was available and cannot be restored any more: {reason}"
        run.fail("backup", backup.id, why, name=_name(record))


def _name(record: BackupRecord) -> str:
    return called(record.volume_name, record.server_name)
