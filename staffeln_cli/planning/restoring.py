"""Which backup of a volume to bring back: the newest that is surely whole."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from staffeln_cli.model import Backup, BackupId, BackupRecord, ProjectId, State
from staffeln_cli.planning.chains import chains_of


def newest_restorable(
    backups: Iterable[Backup], records: Sequence[BackupRecord], at: datetime | None
) -> Backup | None:
    """Of one volume's backups, anybody's, the one with the newest data not newer than `at`.

    Chains are told apart by project, as Cinder does. `records` are ours of this volume: they know
    what a listing cannot show, that something is gone on which others stand.
    """
    listed = list(backups)
    broken = _broken(records, {backup.id for backup in listed})
    projects: dict[ProjectId, list[Backup]] = {}
    for backup in listed:
        projects.setdefault(backup.project_id, []).append(backup)
    fitting = [
        backup
        for line in projects.values()
        for chain in chains_of(line)
        for backup in chain.backups
        if backup.id in chain.restorable
        and backup.id not in broken
        and (at is None or backup.data_timestamp <= at)
    ]
    return max(fitting, key=lambda one: (one.data_timestamp, one.created_at, one.id), default=None)


def _broken(records: Iterable[BackupRecord], there: Collection[BackupId]) -> set[BackupId]:
    """Ours that were made after a member of their chain which is gone, or whose full is."""
    members = [
        (record.chain_id, record.started_at, record.backup_id)
        for record in records
        if record.chain_id and record.started_at and record.backup_id and _was_whole(record)
    ]
    lost: dict[BackupId, datetime] = {}
    for chain_id, started_at, backup_id in members:
        if backup_id not in there:
            lost[chain_id] = min(started_at, lost.get(chain_id, started_at))
    return {
        backup_id
        for chain_id, started_at, backup_id in members
        if chain_id not in there or started_at > lost.get(chain_id, started_at)
    }


def _was_whole(record: BackupRecord) -> bool:
    """Whether others may stand on it: what failed keeps its reason, also when it is removed."""
    if record.state in (State.DELETING, State.DELETED):
        return record.reason is None
    return record.state in (State.AVAILABLE, State.MISSING)
