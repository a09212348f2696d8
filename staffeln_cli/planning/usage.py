"""How much backup storage each volume used in a period, as Cinder charges it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from staffeln_cli.model import ProjectId, VolumeId

_AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment up to another."""

    since: datetime
    until: datetime

    def hours_of(self, start: datetime, end: datetime | None) -> float:
        """The hours from a start to an end that are in this period; no end: it lasts."""
        last = self.until if end is None else min(end, self.until)
        return max(0.0, (last - max(start, self.since)) / _AN_HOUR)


class ChargedBackup(NamedTuple):
    """A successful backup, from when Cinder charges it to its deletion."""

    project_id: ProjectId
    project_name: str | None
    volume_id: VolumeId
    volume_name: str
    size_gib: int
    started_at: datetime
    deleted_at: datetime | None


class VolumeUsage(NamedTuple):
    """What one volume's backups used in a period."""

    project_id: ProjectId
    project_name: str | None
    volume_id: VolumeId
    volume_name: str
    made: int
    """Backups that started in the period."""
    backups: int
    """Backups that there were at its end."""
    gib: int
    """Their size as Cinder charges it: of each the whole volume, also of an incremental."""
    gib_hours: float
    """Of all backups, the size times the hours that they existed in the period."""


def usage(backups: Iterable[ChargedBackup], period: Period) -> Iterator[VolumeUsage]:
    """A row for each project and volume; the backups come in the order of both."""
    for (project_id, volume_id), group in groupby(
        backups, lambda one: (one.project_id, one.volume_id)
    ):
        some = list(group)
        newest = max(some, key=lambda one: one.started_at)
        left = [one for one in some if one.deleted_at is None or one.deleted_at >= period.until]
        hours = (one.size_gib * period.hours_of(one.started_at, one.deleted_at) for one in some)
        yield VolumeUsage(
            project_id=project_id,
            project_name=newest.project_name,
            volume_id=volume_id,
            volume_name=newest.volume_name,
            made=sum(one.started_at >= period.since for one in some),
            backups=len(left),
            gib=sum(one.size_gib for one in left),
            gib_hours=round(sum(hours), 2),
        )
