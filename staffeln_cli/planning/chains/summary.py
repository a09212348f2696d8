"""Chains: a full and the incrementals on it; does the next backup continue the newest one?"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from staffeln_cli.model import Backup, BackupId, ProjectId, VolumeId
from staffeln_cli.planning.chains.lineage import (
    WHOLE,
    Parents,
    ancestors,
    lineage_of,
    oldest_first,
    possible_parents,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ChainSummary:
    """What the newest chain of one volume in one project looks like, in a few hundred bytes.

    Fed with every backup of the volume, anybody's, in any order. It stays small while a listing
    comes in order of time, either way: only what is newer than the newest full so far is kept.
    """

    __slots__ = ("_broken", "_later", "full_at", "full_id", "full_size_gib", "full_snapshot")

    def __init__(self) -> None:
        self.full_id: BackupId | None = None
        self.full_at: datetime | None = None
        self.full_size_gib = 0
        self.full_snapshot = False
        self._broken: array[int] | None = None
        self._later: array[int] | None = None

    @property
    def incrementals(self) -> int:
        """How many incrementals the newest chain has."""
        return len(self._later or ())

    @property
    def all_available(self) -> bool:
        """Whether Cinder has every member of the newest chain in status `available`."""
        return not self._broken

    def add(self, backup: Backup) -> None:
        """Take one more backup into account; each once."""
        at = _microseconds(backup.data_timestamp)
        newest = _microseconds(self.full_at) if self.full_at is not None else None
        if newest is not None and at < newest:
            return
        if not backup.is_incremental and (newest is None or at > newest or self._wins(backup)):
            self._begin(backup, at)
        if backup.is_incremental:
            self._later = _with(self._later, at)
        if backup.status != "available":
            self._broken = _with(self._broken, at)

    def _wins(self, backup: Backup) -> bool:
        return self.full_id is not None and backup.id > self.full_id

    def _begin(self, full: Backup, at: int) -> None:
        self.full_id = full.id
        self.full_at = full.data_timestamp
        self.full_size_gib = full.size_gib
        self.full_snapshot = full.snapshot_id is not None
        self._later = _since(self._later, at)
        self._broken = _since(self._broken, at)


def summary_of(backups: Iterable[Backup]) -> ChainSummary:
    """The newest chain of one volume in one project; with all backups, because Cinder uses any."""
    summary = ChainSummary()
    for backup in backups:
        summary.add(backup)
    return summary


def summaries_of(pages: Iterable[list[Backup]]) -> dict[tuple[ProjectId, VolumeId], ChainSummary]:
    """The newest chain of each volume in each project, of a listing of all backups."""
    summaries: dict[tuple[ProjectId, VolumeId], ChainSummary] = {}
    for page in pages:
        for backup in page:
            key = (backup.project_id, backup.volume_id)
            summary = summaries.get(key)
            if summary is None:
                summary = summaries[key] = ChainSummary()
            summary.add(backup)
    return summaries


def _microseconds(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def _with(numbers: "array[int] | None", number: int) -> "array[int]":
    if numbers is None:
        return array("q", (number,))
    numbers.append(number)
    return numbers


def _since(numbers: "array[int] | None", start: int) -> "array[int] | None":
    left = [number for number in numbers or () if number >= start]
    return array("q", left) if left else None


@dataclass(frozen=True, slots=True)
class Chain:
    """A full and the incrementals that most likely stand on it, by the age of their data.

    Without a full it is broken: incrementals that nothing is left to stand on. `restorable` are
    those that can surely be restored.
    """

    backups: tuple[Backup, ...]
    restorable: frozenset[BackupId]

    @property
    def full(self) -> Backup | None:
        """What all others stand on."""
        return next((backup for backup in self.backups if not backup.is_incremental), None)


def chains_of(backups: Iterable[Backup]) -> list[Chain]:
    """The chains of one volume in one project, anybody's backups, oldest first."""
    line = _in_line(backups)
    lineage = lineage_of(line)
    parents, sure = lineage.parents, lineage.sure
    chains: dict[int | None, list[int]] = {}
    for place in range(len(line)):
        chains.setdefault(_root(place, line, parents), []).append(place)
    found = [
        Chain(
            tuple(sorted((line[place] for place in places), key=_by_data)),
            frozenset(line[place].id for place in places if sure[place]),
        )
        for places in chains.values()
    ]
    return sorted(found, key=lambda chain: _by_data(chain.backups[0]))


def may_depend_on(child: BackupId, backups: Iterable[Backup]) -> set[BackupId]:
    """All that `child` may need to be restored: surely all that it does need, perhaps more."""
    line = _in_line(backups)
    places = [place for place, backup in enumerate(line) if backup.id == child]
    needed = ancestors(places, possible_parents(line)).difference(places)
    return {line[place].id for place in needed}


def _in_line(backups: Iterable[Backup]) -> list[Backup]:
    return sorted({backup.id: backup for backup in backups}.values(), key=oldest_first)


def _by_data(backup: Backup) -> tuple[datetime, bool, datetime, str]:
    return backup.data_timestamp, backup.is_incremental, backup.created_at, backup.id


def _root(place: int, line: Sequence[Backup], parents: Sequence[Parents]) -> int | None:
    """The full that a backup most likely stands on; None if there is none left."""
    seen: set[int] = set()
    while parents[place] and place not in seen:
        seen.add(place)
        whole = (parent for parent in parents[place] if line[parent].status in WHOLE)
        place = next(whole, parents[place][0])
    return None if line[place].is_incremental else place
