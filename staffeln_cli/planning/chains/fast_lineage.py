"""The lineage of plain chains, worked out once for all volumes whose chains have the same shape.

`lineage` has the rule. Here is a shortcut with the same answer (a property test compares them) for
backups that are all whole, of the volume itself, and of different seconds: the parent of each
incremental is the backup before it. So it is where export records name the parents.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from heapq import heappop, heappush

from staffeln_cli.model import Backup
from staffeln_cli.model.statuses import BACKUP_COMPLETE
from staffeln_cli.planning.chains import lineage
from staffeln_cli.planning.chains.lineage import NO_PARENTS, KnownParents, Lineage

Shape = tuple[int, ...]
"""For each backup, how many of those before it may be its parent by `cautious_parents`.

0 for a full one, `_ORPHAN` for an incremental with no backup before it.
"""
_ORPHAN = -1
_LONGEST_CACHED = 100
"""Shapes of more backups are unlikely to be met again."""


def lineage_of(backups: Sequence[Backup], known: KnownParents = NO_PARENTS) -> Lineage:
    """The lineage of one volume's backups in one project, which must be sorted `oldest_first`."""
    if not _are_plain(backups, known):
        return lineage.lineage_of(backups, known)
    shape = _shape_of(backups, known)
    return _of_shape(shape) if len(shape) <= _LONGEST_CACHED else _of_shape.__wrapped__(shape)


def _are_plain(backups: Sequence[Backup], known: KnownParents) -> bool:
    """Whether they are one chain, or several, in which each parent that is known comes before."""
    before: Backup | None = None
    for backup in backups:
        if backup.snapshot_id is not None or backup.status not in BACKUP_COMPLETE:
            return False
        if before is not None and (
            before.created_at >= backup.created_at
            or before.data_timestamp >= backup.data_timestamp
        ):
            return False
        if known and backup.is_incremental:
            parent_id = known.get(backup.id)
            if parent_id is not None and (before is None or before.id != parent_id):
                return False
        before = backup
    return True


def _shape_of(backups: Sequence[Backup], known: KnownParents) -> Shape:
    shape: list[int] = []
    untouched = 0
    """The index of the newest backup that was last updated before this one, or 0."""
    updated: list[tuple[datetime, int]] = []
    for index, backup in enumerate(backups):
        while updated and updated[0][0] < backup.created_at:
            untouched = max(untouched, heappop(updated)[1])
        if not backup.is_incremental:
            shape.append(0)
        elif backup.id in known:
            shape.append(1)
        else:
            shape.append(index - untouched if index else _ORPHAN)
        if backup.updated_at is not None and backup.status == "available":
            heappush(updated, (backup.updated_at, index))
    return tuple(shape)


@lru_cache(maxsize=1000)
def _of_shape(shape: Shape) -> Lineage:
    parents = [(index - 1,) if back > 0 else () for index, back in enumerate(shape)]
    restorable: list[bool] = []
    for index, back in enumerate(shape):
        restorable.append(restorable[index - 1] if back > 0 else back != _ORPHAN)
    return Lineage(parents, restorable, lambda: _needing_confirmation(shape))


def _needing_confirmation(shape: Shape) -> frozenset[int]:
    """What lies before the chain of an incremental, back to its furthest possible parent.

    That parent is never older than the one of the incremental before, so no index is added twice.
    """
    found: set[int] = set()
    start = added = 0
    for index, back in enumerate(shape):
        if back <= 0:
            start = index
        elif back > 1:  # a parent that is known needs no confirmation, and says nothing of others
            found.update(range(max(index - back, added), start))
            added = start
    return frozenset(found)
