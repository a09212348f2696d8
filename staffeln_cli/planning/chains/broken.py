"""Incrementals whose chain lost a backup, which a listing of Cinder cannot show."""

from collections.abc import Mapping, Set
from datetime import datetime

from staffeln_cli.model import BackupId, RecordBrief, State

_ONCE_WHOLE = frozenset({State.AVAILABLE, State.MISSING})
"""States of a record whose backup others may depend on, whether Cinder still has it or not.

Backups that retention deletes do not count: nothing depended on them at that time.
"""


def orphaned_incrementals(
    records: Mapping[BackupId, RecordBrief], there: Set[BackupId]
) -> set[BackupId]:
    """Backups of ours created after a lost backup of their chain, or whose full is lost.

    `there` are the ids that Cinder has, at least those of the volumes that the records are of.
    """
    lost: dict[BackupId, datetime] = {}
    for backup_id in records.keys() - there:
        _, state, started_at, chain_id, *_ = records[backup_id]
        if chain_id is not None and started_at is not None and state in _ONCE_WHOLE:
            lost[chain_id] = min(started_at, lost.get(chain_id, started_at))
    chain_ids = {record.chain_id for record in records.values()}
    suspect = lost.keys() | chain_ids.difference(there, (None,))
    if not suspect:  # as nearly always, and there may be a million
        return set()
    return {
        backup_id
        for backup_id, record in records.items()
        if record.chain_id is not None
        and record.chain_id in suspect
        and (record.chain_id not in there or _is_after(record, lost.get(record.chain_id)))
    }


def _is_after(record: RecordBrief, lost_at: datetime | None) -> bool:
    return lost_at is not None and record.started_at is not None and record.started_at > lost_at
