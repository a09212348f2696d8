"""Which backup may be the parent of which, derived from the rule by which Cinder chooses parents.

No view of Cinder's API shows a backup's parent. The parent of an incremental is, among the backups
of its volume in its project that were `available` when it was created, the one with the newest
data. For a backup of a snapshot, only data older than the snapshot counts; if there is none, the
parent is the backup created last. A listing does not prove what was available at that time, so
every answer here is a superset of the truth. Where the export record of a backup names its parent,
that is a fact, and the answer is this parent alone.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from types import MappingProxyType

from staffeln_cli.model import Backup, BackupId
from staffeln_cli.model.statuses import BACKUP_COMPLETE

Parents = tuple[int, ...]
"""Indexes of all possible parents of one backup, the likeliest first; empty for a full one."""
KnownParents = Mapping[BackupId, BackupId]
"""The parents that export records name, by the backups that depend on them."""
NO_PARENTS: KnownParents = MappingProxyType({})


def oldest_first(backup: Backup) -> tuple[datetime, bool, datetime, str]:
    """Sorting key: the order of creation, as far as whole seconds tell it."""
    return backup.created_at, backup.is_incremental, backup.data_timestamp, backup.id


class Lineage:
    """Which backup may depend on which, by their indexes in one volume's backups of a project."""

    def __init__(
        self,
        parents: Sequence[Parents],
        restorable: Sequence[bool],
        needs_confirmation: Callable[[], frozenset[int]],
    ) -> None:
        self.parents = parents
        """For each backup, all that may be its parent."""
        self.restorable = restorable
        """For each backup, whether it can surely be restored."""
        self.children = children_of(parents)
        """For each backup, all that may depend on it directly, oldest first."""
        self._needs_confirmation = needs_confirmation

    @cached_property
    def needs_confirmation(self) -> frozenset[int]:
        """Backups that may have a child which `children` lacks: ask Cinder before a deletion.

        Also backups of the same second, because either may depend on the other.
        """
        return self._needs_confirmation()


def lineage_of(backups: Sequence[Backup], known: KnownParents = NO_PARENTS) -> Lineage:
    """The lineage of one volume's backups in one project, which must be sorted `oldest_first`.

    `fast_lineage.lineage_of` gives the same answer, and quickly for backups of plain chains.
    """
    parents = possible_parents(backups, known)
    return Lineage(
        parents,
        restorable(backups, parents),
        lambda: _needing_confirmation(backups, parents, known),
    )


def possible_parents(backups: Sequence[Backup], known: KnownParents = NO_PARENTS) -> list[Parents]:
    """For each backup all that may be its parent, if no backup was restored at that time."""
    return _with_known(backups, _parents(backups, _was_available), known)


def cautious_parents(backups: Sequence[Backup], known: KnownParents = NO_PARENTS) -> list[Parents]:
    """For each backup all that may be its parent, even if any backup was restored at that time.

    Cinder passes over a backup that is being restored, and may choose one of the chain before.
    That is rare, so it is no reason to keep a backup, but a reason to ask Cinder before deleting.
    """
    return _with_known(backups, _parents(backups, _was_untouched), known)


def full_of(backup: Backup, backups: Iterable[Backup]) -> BackupId | None:
    """The full backup that this one depends on by the likeliest parents; itself, if it is one.

    `backups` are all of its volume in its project. None where no full backup is among them.
    """
    ordered = sorted(backups, key=oldest_first)
    index_of = {one.id: index for index, one in enumerate(ordered)}
    index, parents = index_of.get(backup.id), possible_parents(ordered)
    met: set[int] = set()
    while index is not None and index not in met:
        if not ordered[index].is_incremental:
            return ordered[index].id
        met.add(index)
        index = next(iter(parents[index]), None)
    return None


def children_of(parents: Sequence[Parents]) -> list[list[int]]:
    """For each backup the indexes of all that may depend on it directly, oldest first."""
    children: list[list[int]] = [[] for _ in parents]
    for index, above in enumerate(parents):
        for parent in above:
            children[parent].append(index)
    return children


def ancestors(indexes: Iterable[int], parents: Sequence[Parents]) -> set[int]:
    """All that these backups may depend on, directly or not, and these backups themselves."""
    found = set(indexes)
    waiting = list(found)
    while waiting:
        for parent in parents[waiting.pop()]:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def restorable(backups: Sequence[Backup], parents: Sequence[Parents]) -> list[bool]:
    """Which backups can surely be restored: whole, like all that they may depend on."""
    found: list[bool] = []
    for index, backup in enumerate(backups):
        above = parents[index]
        # Of the same second, a backup may depend on one that sorts later.
        are_whole = [
            found[p] if p < index else backups[p].status in BACKUP_COMPLETE for p in above
        ]
        is_complete = all(are_whole) if above else not backup.is_incremental
        found.append(is_complete and backup.status in BACKUP_COMPLETE)
    return found


def _needing_confirmation(
    backups: Sequence[Backup], parents: Sequence[Parents], known: KnownParents
) -> frozenset[int]:
    found: set[int] = set()
    for index, cautious in enumerate(cautious_parents(backups, known)):
        if further := set(cautious).difference(parents[index]):
            found |= further - ancestors((index,), parents)
    for index, children in enumerate(children_of(parents)):
        guessed = (child for child in children if backups[child].id not in known)
        if any(child < index or child in parents[index] for child in guessed):
            found.add(index)
    return frozenset(found)


def _with_known(
    backups: Sequence[Backup], guessed: list[Parents], known: KnownParents
) -> list[Parents]:
    """Put what is known in the place of what was guessed; a parent that is gone is no parent."""
    if not known:
        return guessed
    index_of = {backup.id: index for index, backup in enumerate(backups)}
    for index, backup in enumerate(backups):
        parent_id = known.get(backup.id) if backup.is_incremental else None
        if parent_id is not None:
            guessed[index] = (index_of[parent_id],) if parent_id in index_of else ()
    return guessed


def _parents(
    backups: Sequence[Backup], is_certain: Callable[[Backup, Backup], bool]
) -> list[Parents]:
    parents: list[Parents] = []
    by_data: list[tuple[datetime, int]] = []
    created = 0
    for index, backup in enumerate(backups):
        while created < len(backups) and backups[created].created_at <= backup.created_at:
            insort(by_data, (backups[created].data_timestamp, created))
            created += 1
        parents.append(
            _possible(index, backups, by_data, is_certain) if backup.is_incremental else ()
        )
    return parents


def _possible(
    index: int,
    backups: Sequence[Backup],
    by_data: Sequence[tuple[datetime, int]],
    is_certain: Callable[[Backup, Backup], bool],
) -> Parents:
    """From the newest data backwards, up to the first backup that was certainly available."""
    child = backups[index]
    end = len(by_data)
    if child.snapshot_id is not None:
        end = bisect_right(by_data, (child.data_timestamp, len(backups)))
    found: list[int] = []
    settled: datetime | None = None
    for data_timestamp, candidate in reversed(by_data[:end]):
        if settled is not None and data_timestamp < settled:
            break
        if candidate != index:
            found.append(candidate)
            if settled is not None or is_certain(backups[candidate], child):
                settled = data_timestamp
    if settled is None and child.snapshot_id is not None:
        found += [p for p in _created_last(index, backups, len(by_data)) if p not in found]
    return tuple(found)


def _created_last(index: int, backups: Sequence[Backup], created: int) -> list[int]:
    """What was created last before the child, or in the same second."""
    others = [p for p in range(created) if p != index]
    before = [p for p in others if backups[p].created_at < backups[index].created_at]
    newest = backups[before[-1] if before else index].created_at
    return [p for p in others if backups[p].created_at >= newest]


def _was_available(parent: Backup, child: Backup) -> bool:
    """Whether `parent` was available when `child` was created, unless it was being restored.

    Two backups of the volume itself never overlap, because Cinder backs up a volume only once at a
    time. Backups of snapshots do overlap.
    """
    if _was_untouched(parent, child):
        return True
    of_volume = parent.snapshot_id is None and child.snapshot_id is None
    return of_volume and parent.status in BACKUP_COMPLETE and parent.created_at < child.created_at


def _was_untouched(parent: Backup, child: Backup) -> bool:
    """Whether `parent` was certainly available: it was last updated before `child` was created.

    Cinder updates a parent when its child is finished, so this can only be true of other backups.
    An export record moves `updated_at`, too. Cinder gives one of available backups only, so that
    the later moment proves less and never anything wrong: Cinder is asked once more than needed,
    until the child's own record names its parent.
    """
    unchanged = parent.updated_at is not None and parent.updated_at < child.created_at
    older = child.snapshot_id is None or parent.data_timestamp < child.data_timestamp
    return unchanged and older and parent.status == "available"
