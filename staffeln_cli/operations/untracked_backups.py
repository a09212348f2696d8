"""Backups that bear Staffeln's mark and that no live record accounts for."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from staffeln_cli.model import Backup, BackupId, BackupRecord, State
from staffeln_cli.model.naming import INSTALLATION_KEY
from staffeln_cli.model.statuses import BACKUP_COMPLETE
from staffeln_cli.operations.duplicates import adopt_late_backups
from staffeln_cli.runtime import Run
from staffeln_cli.store.observations import Marked

NO_INSTALLATION = "none"
"""What the mark of Staffeln 3.0 is called, which named no installation."""
_FOLLOWED = frozenset({State.CREATING, State.AVAILABLE, State.DELETING})


def adopt_marked(run: Run, strangers: Mapping[BackupId, Backup]) -> Marked:
    """Take back what turned out to be there, adopt what is late, and count the rest.

    `strangers` are the marked backups of a complete listing that are neither available by our
    records nor open work of this pass.
    """
    records = run.store.records.by_backup_ids(strangers)
    ours = run.store.observations.installation_id()
    rest = {
        stranger.id: stranger for stranger in strangers.values() if stranger.status != "deleting"
    }
    for record in records:
        backup = rest.get(record.backup_id) if record.backup_id is not None else None
        if backup is not None and (_is_followed(run, record) or take_back(run, record, backup)):
            del rest[backup.id]
    known = {record.backup_id for record in records}
    is_foreign = {one.id for one in rest.values() if installation_of(one) not in {ours, ""}}
    late = [one for one in rest.values() if one.id not in known and one.id not in is_foreign]
    accounted = adopt_late_backups(run, late)
    untracked = [one for one in rest if one not in is_foreign and one not in accounted]
    foreign = sum(one not in known for one in is_foreign)
    return Marked(len(untracked) + len(is_foreign) - foreign, foreign, run.now())


def take_back(run: Run, record: BackupRecord, backup: Backup) -> bool:
    """Return a missing or failed record to what its backup is; False if it is neither.

    Also False for what has failed because it is of another project's data.
    """
    lifecycle, is_failed = run.store.lifecycle, record.state is State.FAILED
    if record.state is not State.MISSING and (not is_failed or record.owner_unproven):
        return False
    if backup.status in BACKUP_COMPLETE:
        if lifecycle.seen_again(record, backup, run.now()):
            run.count("available")
        return True
    if backup.status == "creating" and is_failed:
        lifecycle.creating_again(record, backup, run.now())
        return True
    return False


def installation_of(backup: Backup) -> str:
    """The installation that a backup's mark names; "" for a mark of Staffeln 3.0."""
    return backup.metadata.get(INSTALLATION_KEY, "")


def without_record(records: Collection[BackupRecord], backups: Collection[Backup]) -> list[Backup]:
    """Of marked backups, those that no live record accounts for.

    `records` are those with one of their ids or names.
    """
    live = {one.backup_id for one in records if one.state in _FOLLOWED or one.remains}
    awaited = {one.name for one in records if one.state is State.STARTING}
    return [one for one in backups if one.id not in live and one.name not in awaited]


def _is_followed(run: Run, record: BackupRecord) -> bool:
    """Whether a run follows this record, or ended its deletion while this listing was read."""
    if record.state is State.DELETED:
        deleted_at = record.deleted_at
        return deleted_at is not None and deleted_at > run.started_at - timedelta(minutes=1)
    return record.state in _FOLLOWED or record.remains
