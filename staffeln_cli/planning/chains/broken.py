"""Incrementals whose chain lost a backup, which a listing of Cinder cannot show."""

from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import NamedTuple

from staffeln_cli.model import BackupId, RecordBrief, State

_ONCE_WHOLE = frozenset({State.AVAILABLE, State.MISSING})
"""States of a record whose backup others may depend on, whether Cinder still has it or not.

Backups that retention deletes do not count: nothing depended on them at that time.
"""


class _Lost(NamedTuple):
    """A backup that Cinder lacks: from when to when others may have been created on it."""

    started_at: datetime
    missed_at: datetime | None
    """When it was first missed; None: it was not, before this listing."""

    def may_have(self, child: RecordBrief) -> bool:
        """Whether a backup of its chain may depend on it."""
        at = child.started_at
        if at is None or at <= self.started_at:
            return False
        return self.missed_at is None or at < self.missed_at


def orphaned_incrementals(
    records: Mapping[BackupId, RecordBrief], there: Set[BackupId]
) -> set[BackupId]:
    """Backups of ours whose full is lost, or a backup of their chain that they may depend on.

    Cinder chooses no parent that it does not have: what was created after a backup was first
    missed does not depend on it. Where an export record names the parent, only that counts.
    `there` are the ids that Cinder has, at least those of the volumes that the records are of.
    """
    lost: dict[BackupId, list[_Lost]] = {}
    for backup_id in records.keys() - there:
        record = records[backup_id]
        chain_id, started_at = record.chain_id, record.started_at
        if chain_id is not None and started_at is not None and record.state in _ONCE_WHOLE:
            lost.setdefault(chain_id, []).append(_Lost(started_at, record.suspected_missing_at))
    chain_ids = {record.chain_id for record in records.values()}
    suspect = lost.keys() | chain_ids.difference(there, (None,))
    if not suspect:  # as nearly always, and there may be a million
        return set()
    doubtful = [one for one in records.values() if one.chain_id in suspect]
    orphans: set[BackupId] = set()
    for record in sorted(doubtful, key=_age):
        if _is_orphan(record, lost, there, orphans):
            orphans.add(record.backup_id)
    return orphans


def _is_orphan(
    record: RecordBrief,
    lost: Mapping[BackupId, Sequence[_Lost]],
    there: Set[BackupId],
    orphans: Set[BackupId],
) -> bool:
    """Whether a backup cannot be restored; all that are older have been judged."""
    if record.parent_id is not None:
        return record.parent_id not in there or record.parent_id in orphans
    chain_id = record.chain_id
    if chain_id is None or chain_id not in there:
        return True
    return any(one.may_have(record) for one in lost.get(chain_id, ()))


def _age(record: RecordBrief) -> datetime:
    return record.started_at or datetime.max.replace(tzinfo=UTC)
