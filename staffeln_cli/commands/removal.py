"""Ask Cinder to remove one backup: the intention is written first, the answer understood."""

from dataclasses import replace
from datetime import timedelta

from staffeln_cli.errors import (
    BackupGone,
    CloudUnavailable,
    ForceUnsupported,
    InDoubt,
    Refused,
)
from staffeln_cli.model import Backup, BackupRecord, State
from staffeln_cli.runtime import Run

_FIRST_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(days=1)
DELETABLE = frozenset({"available", "error"})
"""cinder:cinder/backup/api.py:API.delete accepts no other status."""


def remove(run: Run, record: BackupRecord, backup: Backup, reason: str) -> bool:
    """Move a record to `deleting` and ask Cinder; False if another run was first.

    The record must be one that Staffeln made, and no other backup may build on it.
    """
    if not run.store.backups.move(
        record, State.DELETING, moment=run.now(), delete_reason=reason, next_try_at=None
    ):
        return False
    ask(run, record, backup)
    return True


def ask(run: Run, record: BackupRecord, backup: Backup) -> None:
    """Send the request that fits the backup's status; what is refused is tried again later."""
    try:
        if backup.status in DELETABLE:
            run.cloud.backups.delete(backup.id, backup.project_id)
        elif backup.status != "deleting":
            _force(run, backup)
    except BackupGone:
        gone(run, record)
    except (Refused, CloudUnavailable, InDoubt) as refusal:
        _later(run, record, refusal)


def gone(run: Run, record: BackupRecord) -> None:
    """Cinder has let go of the backup."""
    deleting = replace(record, state=State.DELETING)
    run.store.backups.move(
        deleting, State.DELETED, moment=run.now(), deleted_at=run.now(), remains=False
    )
    run.count("deleted")


def _force(run: Run, backup: Backup) -> None:
    """As admin, whose token makes Cinder overlook dependants: so look for them first."""
    children = run.cloud.listings.children(backup.id)
    if children:
        raise Refused(f"{len(children)} incremental backups build on it")
    if backup.status == "error_deleting":
        run.cloud.backups.reset_to_error(backup.id)
        return
    try:
        run.cloud.backups.force_delete(backup.id)
    except ForceUnsupported:
        run.cloud.backups.reset_to_error(backup.id)


def _later(run: Run, record: BackupRecord, refusal: Exception) -> None:
    attempts = record.delete_attempts + 1
    pause = min(_FIRST_PAUSE * 2 ** min(attempts - 1, 16), _LONGEST_PAUSE)
    run.store.backups.note(
        record.id,
        delete_attempts=attempts,
        next_try_at=run.now() + pause,
        delete_reason=f"not deleted yet: {refusal}",
    )
    run.fail("backup", record.backup_id or record.name, f"cannot be deleted yet: {refusal}")
