"""Who may stand on whom: Cinder shows no parents, so they are told from how Cinder chooses them.

An incremental's parent is, of the backups of its volume in its project that were `available` when
it was made, the one with the newest data; for one made from a snapshot, only data older than the
snapshot counts, and if there is none, the backup made last. What was available at that time the
listing does not say for sure, so every answer here is a superset of the truth.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cached_property, lru_cache
from heapq import heappop, heappush

from staffeln_cli.model import Backup

WHOLE = frozenset({"available", "restoring"})
"""Statuses of a backup whose data is complete."""

Parents = tuple[int, ...]
"""Places of all possible parents of one backup, the likeliest first; none for a full one."""
Shape = tuple[int, ...]
_ORPHAN = -1
_SHORT = 100
"""Backups in a line whose lineage is worth keeping for the next that looks the same."""


def oldest_first(backup: Backup) -> tuple[datetime, bool, datetime, str]:
    """Sorting key: the order of creation, as far as whole seconds tell it."""
    return backup.created_at, backup.is_incremental, backup.data_timestamp, backup.id


class Lineage:
    """Who may stand on whom in one volume's backups of a project, by their places in the line."""

    def __init__(
        self,
        parents: Sequence[Parents],
        sure: Sequence[bool],
        doubted: Callable[[], frozenset[int]],
    ) -> None:
        self.parents = parents
        """For each backup, all that may be its parent."""
        self.sure = sure
        """Which backups can surely be restored."""
        self.children = children_of(parents)
        """For each backup, all that may stand on it directly, oldest first."""
        self._doubted = doubted

    @cached_property
    def doubted(self) -> frozenset[int]:
        """Which to ask Cinder about before a deletion: it may know a child that we do not.

        Or one is of the same second, so that either may stand on the other.
        """
        return self._doubted()


def lineage_of(line: Sequence[Backup]) -> Lineage:
    """Of one volume and project, `oldest_first`."""
    shape = _shape(line)
    if shape is None:
        return _of_line(line)
    return _of_shape(shape) if len(shape) <= _SHORT else _of_shape.__wrapped__(shape)


def possible_parents(line: Sequence[Backup]) -> Sequence[Parents]:
    """For each backup of one volume and project, `oldest_first`, all that may be its parent."""
    return lineage_of(line).parents


def cautious_parents(line: Sequence[Backup]) -> list[Parents]:
    """The same without assuming that no backup was being restored while the next was made.

    Then Cinder passes over the one being restored, and reaches back into the chain before. That is
    rare, so it is no reason to keep a backup, but one to ask Cinder before its deletion.
    """
    return _parents(line, _has_rested)


def children_of(parents: Sequence[Parents]) -> list[list[int]]:
    """For each backup the places of all that may stand on it directly, oldest first."""
    children: list[list[int]] = [[] for _ in parents]
    for place, above in enumerate(parents):
        for parent in above:
            children[parent].append(place)
    return children


def ancestors(places: Iterable[int], parents: Sequence[Parents]) -> set[int]:
    """All that these may stand on, near or far, themselves included."""
    found = set(places)
    waiting = list(found)
    while waiting:
        for parent in parents[waiting.pop()]:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def restorable(line: Sequence[Backup], parents: Sequence[Parents]) -> list[bool]:
    """Which backups can surely be restored: whole themselves, like all that they may stand on."""
    sure: list[bool] = []
    for place, backup in enumerate(line):
        above = parents[place]
        # Of the same second, one may stand on another that sorts later.
        stands = [sure[p] if p < place else line[p].status in WHOLE for p in above]
        complete = all(stands) if above else not backup.is_incremental
        sure.append(complete and backup.status in WHOLE)
    return sure


def _of_line(line: Sequence[Backup]) -> Lineage:
    parents = _parents(line, _was_available)
    return Lineage(parents, restorable(line, parents), lambda: _doubted(line, parents))


def _doubted(line: Sequence[Backup], parents: Sequence[Parents]) -> frozenset[int]:
    found: set[int] = set()
    for place, cautious in enumerate(cautious_parents(line)):
        if further := set(cautious).difference(parents[place]):
            found |= further - ancestors((place,), parents)
    for place, children in enumerate(children_of(parents)):
        if any(child < place or child in parents[place] for child in children):
            found.add(place)
    return frozenset(found)


def _shape(line: Sequence[Backup]) -> Shape | None:
    """What a plain line looks like: all are whole, of the volume itself and of different seconds.

    Then each one's parent is the one before. Without caution, that is; with it, a number says how
    many of those before may be the parent: none for a full one, _ORPHAN for one with none before.
    """
    shape: list[int] = []
    before: Backup | None = None
    resting = 0
    """The place of the newest that has rested by then, or the first."""
    touched: list[tuple[datetime, int]] = []
    for place, backup in enumerate(line):
        if backup.snapshot_id is not None or backup.status not in WHOLE:
            return None
        created_at = backup.created_at
        if before is not None and (
            before.created_at >= created_at or before.data_timestamp >= backup.data_timestamp
        ):
            return None
        while touched and touched[0][0] < created_at:
            resting = max(resting, heappop(touched)[1])
        if backup.is_incremental:
            shape.append(place - resting if place else _ORPHAN)
        else:
            shape.append(0)
        if backup.updated_at is not None and backup.status == "available":
            heappush(touched, (backup.updated_at, place))
        before = backup
    return tuple(shape)


@lru_cache(maxsize=1000)
def _of_shape(shape: Shape) -> Lineage:
    """Most volumes' lines look like those of many others."""
    parents = [(place - 1,) if back > 0 else () for place, back in enumerate(shape)]
    sure: list[bool] = []
    for place, back in enumerate(shape):
        sure.append(sure[place - 1] if back > 0 else back != _ORPHAN)
    return Lineage(parents, sure, lambda: _doubted_of(shape))


def _doubted_of(shape: Shape) -> frozenset[int]:
    """What lies before the chain of an incremental, back to the newest that had rested by then.

    That one is never older than for the incremental before, so that none is added twice.
    """
    found: set[int] = set()
    start = added = 0
    for place, back in enumerate(shape):
        if back <= 0:
            start = place
        else:
            found.update(range(max(place - back, added), start))
            added = start
    return frozenset(found)


def _parents(
    line: Sequence[Backup], is_certain: Callable[[Backup, Backup], bool]
) -> list[Parents]:
    parents: list[Parents] = []
    by_data: list[tuple[datetime, int]] = []
    made = 0
    for place, backup in enumerate(line):
        while made < len(line) and line[made].created_at <= backup.created_at:
            insort(by_data, (line[made].data_timestamp, made))
            made += 1
        parents.append(
            _possible(place, line, by_data, is_certain) if backup.is_incremental else ()
        )
    return parents


def _possible(
    place: int,
    line: Sequence[Backup],
    by_data: Sequence[tuple[datetime, int]],
    is_certain: Callable[[Backup, Backup], bool],
) -> Parents:
    """From the newest data backwards, up to the first backup that was certainly available."""
    child = line[place]
    end = len(by_data)
    if child.snapshot_id is not None:
        end = bisect_right(by_data, (child.data_timestamp, len(line)))
    found: list[int] = []
    settled: datetime | None = None
    for taken, candidate in reversed(by_data[:end]):
        if settled is not None and taken < settled:
            break
        if candidate != place:
            found.append(candidate)
            settled = taken if settled or is_certain(line[candidate], child) else None
    if settled is None and child.snapshot_id is not None:
        found += [p for p in _made_last(place, line, len(by_data)) if p not in found]
    return tuple(found)


def _made_last(place: int, line: Sequence[Backup], made: int) -> list[int]:
    """What was made last before the child, or in the same second."""
    others = [p for p in range(made) if p != place]
    before = [p for p in others if line[p].created_at < line[place].created_at]
    newest = line[before[-1]].created_at if before else line[place].created_at
    return [p for p in others if line[p].created_at >= newest]


def _was_available(parent: Backup, child: Backup) -> bool:
    """Whether `parent` was available when `child` was made, restores apart.

    Two backups of the volume itself never overlap, for the volume is busy meanwhile. Those of
    snapshots do.
    """
    if _has_rested(parent, child):
        return True
    of_volume = parent.snapshot_id is None and child.snapshot_id is None
    return of_volume and parent.status in WHOLE and parent.created_at < child.created_at


def _has_rested(parent: Backup, child: Backup) -> bool:
    """Whether `parent` is proved to have been available: nothing has touched it since before.

    A parent is touched when its child is finished, so this proves something of the others only.
    """
    unchanged = parent.updated_at is not None and parent.updated_at < child.created_at
    older = child.snapshot_id is None or parent.data_timestamp < child.data_timestamp
    return unchanged and older and parent.status == "available"
