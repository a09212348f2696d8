"""Backups whose chain lost a member, by our records: beside a listing of Cinder, or alone."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import NamedTuple

from staffeln_cli.model import BackupId, RecordBrief, State

_ONCE_WHOLE = frozenset({State.AVAILABLE, State.MISSING})
"""States of a record whose backup others may depend on, whether Cinder still has it or not.

Backups that retention deletes do not count: nothing depended on them at that time.
"""
_GONE = frozenset({State.MISSING, State.DELETED})


class _Lost(NamedTuple):
    """A backup that cannot be restored: from when to when others may have been created on it."""

    started_at: datetime
    missed_at: datetime | None
    """When it was first missed or broken; None: it was not, before this listing."""

    def may_have(self, child: RecordBrief) -> bool:
        """Whether a backup of its chain may depend on it."""
        at = child.started_at
        if at is None or at <= self.started_at:
            return False
        return self.missed_at is None or at < self.missed_at


def restorable_by_records(records: Collection[RecordBrief]) -> list[RecordBrief]:
    """Of all records of one volume in one project, those of backups that can be restored.

    A backup without a record here is one that Staffeln did not make. It is taken to be there:
    `check` notes what depends on it as broken when it is not.
    """
    known = {record.backup_id: record for record in records}
    named = {one for record in records for one in (record.chain_id, record.parent_id)}
    there = {
        backup_id
        for backup_id in (named - {None}) | known.keys()
        if backup_id is not None and _is_there(known.get(backup_id))
    }
    orphans = orphaned_incrementals(known, there)
    whole = (record for record in records if record.state is State.AVAILABLE)
    return [one for one in whole if one.backup_id in there and one.backup_id not in orphans]


def newest_start(records: Iterable[RecordBrief]) -> datetime | None:
    """When the newest of them started."""
    return max((one.started_at for one in records if one.started_at is not None), default=None)


def orphaned_incrementals(
    records: Mapping[BackupId, RecordBrief], there: Set[BackupId]
) -> set[BackupId]:
    """Backups of ours whose full is lost, or a backup of their chain that they may depend on.

    Cinder chooses no parent that it does not have: what was created after a backup was first
    missed does not depend on it, but it may on one that does. Where an export record names the
    parent, only that counts. `there` are the ids that Cinder has, at least those of the volumes
    that the records are of; of the others, nothing is said.
    """
    lost = _lost(records, there)
    present = [record for record in records.values() if record.backup_id in there]
    named = {record.chain_id for record in present} | {record.parent_id for record in present}
    if not lost and not named.difference(there, (None,)):
        return set()  # as nearly always, and there may be a million
    orphans: set[BackupId] = set()
    for record in sorted(present, key=_age):
        if _is_orphan(record, lost, there, orphans):
            orphans.add(record.backup_id)
            _add(record, lost)
    return orphans


def _is_there(record: RecordBrief | None) -> bool:
    return record is None or (record.state not in _GONE and record.broken_at is None)


def _lost(
    records: Mapping[BackupId, RecordBrief], there: Set[BackupId]
) -> dict[BackupId, list[_Lost]]:
    lost: dict[BackupId, list[_Lost]] = {}
    for backup_id in records.keys() - there:
        record = records[backup_id]
        if record.state in _ONCE_WHOLE:
            _add(record, lost)
    return lost


def _add(record: RecordBrief, lost: dict[BackupId, list[_Lost]]) -> None:
    chain_id, started_at = record.chain_id, record.started_at
    if chain_id is not None and started_at is not None:
        lost.setdefault(chain_id, []).append(_Lost(started_at, _missed_at(record)))


def _missed_at(record: RecordBrief) -> datetime | None:
    moments = [one for one in (record.suspected_missing_at, record.broken_at) if one is not None]
    return min(moments, default=None)


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
    if chain_id is None:
        return False
    return chain_id not in there or any(one.may_have(record) for one in lost.get(chain_id, ()))


def _age(record: RecordBrief) -> datetime:
    return record.started_at or datetime.max.replace(tzinfo=UTC)
