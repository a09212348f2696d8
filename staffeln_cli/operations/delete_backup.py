"""Delete one backup in Cinder: record the intent first, then interpret the response."""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto

from staffeln_cli.errors import (
    BackupGone,
    CloudUnavailable,
    ForceUnsupported,
    Refused,
    ResultUnknown,
)
from staffeln_cli.model import Backup, BackupRecord, State
from staffeln_cli.model.statuses import BACKUP_BUSY, BACKUP_DELETABLE
from staffeln_cli.planning.evidence import CLOCK_TOLERANCE
from staffeln_cli.runtime import Run

_FIRST_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(days=1)


class DeletionResult(Enum):
    """What became of a request to delete."""

    ASKED = auto()
    GONE = auto()
    REFUSED = auto()
    NOT_OURS = auto()
    """Another run was first."""


def remove(run: Run, record: BackupRecord, backup: Backup, reason: str) -> DeletionResult:
    """Move a record to `deleting` and ask Cinder.

    The record must be one that Staffeln made, and no other backup may depend on it.
    """
    next_try_at = run.now() + _pause(record.delete_attempts + 1)
    if not run.store.lifecycle.deleting(record, reason, next_try_at=next_try_at):
        return DeletionResult.NOT_OURS
    return _ask(run, record, backup)


def fail_backup(
    run: Run,
    record: BackupRecord,
    reason: str,
    *,
    backup: Backup | None = None,
    is_of_another: bool = False,
) -> None:
    """A backup that was being created has failed: name it, and remove what there is of it.

    `is_of_another`: it has data of another project's, so that it stays failed if it is finished.
    """
    record = replace(record, owner_unproven=is_of_another)
    if run.store.lifecycle.failed(record, reason, run.now(), remains=backup is not None):
        run.count("failed")
        run.fail("volume", record.volume_id, reason, name=record.called)
        if backup is not None:
            remove(run, replace(record, state=State.FAILED), backup, "remains of a failure")


def again(run: Run, record: BackupRecord, backup: Backup) -> None:
    """Ask once more for what Cinder refused or gave up; each time after a longer pause."""
    if backup.status in BACKUP_DELETABLE:
        attempts = record.delete_attempts + 1
        next_try_at = run.now() + _pause(attempts)
        run.store.notes.asked_again(record.id, attempts=attempts, next_try_at=next_try_at)
    # After a reset of its status, this is the first request that Cinder can accept: no failure.
    if _ask(run, record, backup) is DeletionResult.ASKED and not record.status_reset:
        reason = f"was not deleted, Cinder says {backup.status}; asked again"
        run.fail("backup", backup.id, reason, name=record.called)


def is_time(record: BackupRecord, now: datetime) -> bool:
    """Whether the pause is over, or longer than any pause: then a wrong clock wrote it."""
    if record.next_try_at is None or record.next_try_at <= now:
        return True
    return record.next_try_at > now + _LONGEST_PAUSE + CLOCK_TOLERANCE


def gone(run: Run, record: BackupRecord) -> None:
    """Cinder has let go of the backup."""
    deleting = replace(record, state=State.DELETING)  # it may be as it was before `remove`
    if run.store.lifecycle.deleted(deleting, run.now()):
        run.count("deleted")


def _ask(run: Run, record: BackupRecord, backup: Backup) -> DeletionResult:
    """Send the request that the backup's status allows; a refused one is tried again later."""
    try:
        if backup.status in BACKUP_DELETABLE:
            run.cloud.backups.delete(backup.id, backup.project_id)
        elif backup.status not in BACKUP_BUSY:
            _force(run, record, backup)
    except BackupGone:
        gone(run, record)
        return DeletionResult.GONE
    except (Refused, CloudUnavailable, ResultUnknown) as refusal:
        run.store.notes.deletion_refused(record.id, str(refusal))
        reason = f"cannot be deleted yet: {refusal}"
        run.fail("backup", backup.id, reason, name=record.called)
        return DeletionResult.REFUSED
    return DeletionResult.ASKED


def _force(run: Run, record: BackupRecord, backup: Backup) -> None:
    """Delete as admin: with that token Cinder does not see dependants, so look for them first."""
    children = run.cloud.listings.children(backup.id)
    if children:
        raise Refused(f"{len(children)} incremental backups depend on it")
    if backup.status != "error_deleting":
        try:
            run.cloud.backups.force_delete(backup.id)
        except ForceUnsupported:
            pass
        else:
            return
    run.cloud.backups.reset_to_error(backup.id)
    run.store.notes.status_reset(record.id, run.now())


def _pause(attempts: int) -> timedelta:
    """How long a deletion is left alone after so many attempts."""
    return min(_FIRST_PAUSE * (1 << min(attempts - 1, 16)), _LONGEST_PAUSE)
