"""What a listing cannot show: backups that stand on something which is gone."""

from collections.abc import Mapping, Set
from datetime import datetime

from staffeln_cli.model import BackupId, RecordBrief, State

_ONCE_WHOLE = frozenset({State.AVAILABLE, State.MISSING})
"""States of a backup that others may stand on, whether Cinder still has it or not.

What retention deletes does not count: nothing stood on it then.
"""


def orphaned_incrementals(
    records: Mapping[BackupId, RecordBrief], there: Set[BackupId]
) -> set[BackupId]:
    """Ours that were made after a member of their chain which is gone, or whose full is gone.

    `there` are the ids that Cinder has, at least those of the volumes that the records are of.
    """
    lost: dict[BackupId, datetime] = {}
    for backup_id in records.keys() - there:
        _, state, started_at, chain_id, *_ = records[backup_id]
        if chain_id is not None and started_at is not None and state in _ONCE_WHOLE:
            lost[chain_id] = min(started_at, lost.get(chain_id, started_at))
    suspect = lost.keys() | {one.chain_id for one in records.values()}.difference(there, (None,))
    if not suspect:  # as nearly always, and there may be a million
        return set()
    return {
        backup_id
        for backup_id, one in records.items()
        if one.chain_id is not None
        and one.chain_id in suspect
        and (one.chain_id not in there or _is_after(one, lost.get(one.chain_id)))
    }


def _is_after(record: RecordBrief, lost_at: datetime | None) -> bool:
    return lost_at is not None and record.started_at is not None and record.started_at > lost_at
