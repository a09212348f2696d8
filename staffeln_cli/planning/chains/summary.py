"""The newest chain of a volume: all that the decision about the next backup needs of it."""

from array import array
from collections.abc import Iterable
from datetime import UTC, datetime
from sys import intern

from staffeln_cli.model import Backup, BackupId, ProjectId, VolumeId
from staffeln_cli.model.naming import RECORD_KEY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ChainSummary:
    """What the newest chain of one volume in one project looks like, in a few hundred bytes.

    Add every backup of the volume, also those that Staffeln did not make, in any order. It stays
    small if they come in order of time, either way: only what is newer than the newest full so far
    is kept.
    """

    __slots__ = (
        *("_broken", "_elsewhere_at", "_later", "_location_at", "_our_at", "_restoring"),
        *("full_at", "full_id", "full_size_gib", "full_snapshot", "location", "our_location"),
    )

    def __init__(self) -> None:
        self.full_id: BackupId | None = None
        self.full_at: datetime | None = None
        self.full_size_gib = 0
        self.full_snapshot = False
        self._broken: array[int] | None = None
        self._later: array[int] | None = None
        self._restoring: array[int] | None = None
        self.location = ""
        """Zone and container of the newest backup."""
        self._location_at = -1
        self._elsewhere_at = -1
        """When the newest backup in another zone or container was made."""
        self.our_location = ""
        """Zone and container of the newest backup that Staffeln made."""
        self._our_at = -1

    @property
    def incrementals(self) -> int:
        """How many incrementals the newest chain has."""
        return len(self._later or ())

    @property
    def all_available(self) -> bool:
        """Whether Cinder has every member of the newest chain, and none is broken."""
        return not self._broken

    @property
    def is_being_restored(self) -> bool:
        """Whether somebody restores a member of the newest chain now."""
        return bool(self._restoring)

    @property
    def is_in_same_location(self) -> bool:
        """Whether the newest chain is in one zone and container."""
        return self.full_at is None or self._elsewhere_at < _microseconds(self.full_at)

    def add(self, backup: Backup) -> None:
        """Add a backup; each only once."""
        at = _microseconds(backup.data_timestamp)
        if backup.location:
            self._add_location(backup, at)
        newest = _microseconds(self.full_at) if self.full_at is not None else None
        if newest is not None and at < newest:
            return
        if not backup.is_incremental and (newest is None or at > newest or self._wins(backup)):
            self._begin(backup, at)
        if backup.is_incremental:
            self._later = _with(self._later, at)
        if backup.status == "restoring":
            self._restoring = _with(self._restoring, at)
        elif backup.status != "available":
            self._broken = _with(self._broken, at)

    def _add_location(self, backup: Backup, at: int) -> None:
        location = intern(backup.location)
        if location == self.location:
            self._location_at = max(self._location_at, at)
        elif at > self._location_at:
            self._elsewhere_at = self._location_at
            self.location, self._location_at = location, at
        else:
            self._elsewhere_at = max(self._elsewhere_at, at)
        if at > self._our_at and RECORD_KEY in backup.metadata:
            self.our_location, self._our_at = location, at

    def _wins(self, backup: Backup) -> bool:
        return self.full_id is not None and backup.id > self.full_id

    def _begin(self, full: Backup, at: int) -> None:
        self.full_id = full.id
        self.full_at = full.data_timestamp
        self.full_size_gib = full.size_gib
        self.full_snapshot = full.snapshot_id is not None
        self._later = _since(self._later, at)
        self._broken = _since(self._broken, at)
        self._restoring = _since(self._restoring, at)


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
