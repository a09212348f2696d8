"""The backups of each volume, day by day: the mark of each day, and the order of volumes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from staffeln_cli.model import Kind, ProjectId, ServerId, State, VolumeId


class Mark(StrEnum):
    """What a day left of a volume's backups."""

    FULL = "full"
    INCREMENTAL = "incremental"
    MANUAL = "manual"
    RUNNING = "running"
    LOST = "lost"
    FAILED = "failed"
    REMOVED = "removed"
    NONE = "none"
    BEFORE = "before"
    """The volume was not protected yet."""


_RANK = {mark: rank for rank, mark in enumerate(Mark)}
"""Of several backups on one day, the first mark in this order is shown."""


class DatedBackup(NamedTuple):
    """The part of a backup record that a calendar shows."""

    volume_id: VolumeId
    kind: Kind
    state: State
    succeeded_at: datetime | None
    started_at: datetime
    """When it started, or was planned if it never did."""
    is_broken: bool = False
    """Whether it was available, and cannot be restored any more."""


class ProtectedVolume(NamedTuple):
    """The part of a protected volume that a calendar shows."""

    volume_id: VolumeId
    volume_name: str
    server_id: ServerId | None
    server_name: str
    project_id: ProjectId
    project_name: str | None
    first_seen_at: datetime
    protected_since: datetime | None
    last_success_at: datetime | None
    failures: int

    @property
    def expected_since(self) -> datetime:
        """Since when it should have a backup that is newer than its last one."""
        return self.last_success_at or self.protected_since or self.first_seen_at


@dataclass(frozen=True, slots=True)
class Strip:
    """The row of one volume, with a mark for each day."""

    project: str
    server: str
    volume: str
    marks: Sequence[Mark]
    overdue: str = ""
    """If it is overdue: how long it has been without a backup."""
    paused: bool = False


def mark_of(kind: Kind, state: State, *, succeeded: bool) -> Mark | None:
    """The mark of one record; None while there is nothing to show."""
    if state is State.AVAILABLE:
        return Mark.FULL if kind is Kind.FULL else Mark.INCREMENTAL
    if state in (State.STARTING, State.CREATING):
        return Mark.RUNNING
    if state is State.MISSING:
        return Mark.LOST
    if state in (State.DELETING, State.DELETED):
        return Mark.REMOVED if succeeded else Mark.FAILED
    return Mark.FAILED if state is State.FAILED else None


def days_until(now: datetime, number: int, zone: tzinfo) -> list[date]:
    """So many days in this time zone, today last."""
    today = now.astimezone(zone).date()
    return [today - timedelta(days=back) for back in range(number - 1, -1, -1)]


def daily_marks(backups: Iterable[DatedBackup], zone: tzinfo) -> dict[VolumeId, dict[date, Mark]]:
    """The mark of each volume and day on which there was a backup."""
    found: dict[VolumeId, dict[date, Mark]] = {}
    for backup in backups:
        state = State.MISSING if backup.is_broken else backup.state  # lost, either way
        mark = mark_of(backup.kind, state, succeeded=backup.succeeded_at is not None)
        if mark is None:
            continue
        days = found.setdefault(backup.volume_id, {})
        day = backup.started_at.astimezone(zone).date()
        if _RANK[mark] < _RANK[days.get(day, Mark.BEFORE)]:
            days[day] = mark
    return found


def marks_of(
    volume: ProtectedVolume, found: Mapping[date, Mark], days: Sequence[date], zone: tzinfo
) -> list[Mark]:
    """A mark for each of these days."""
    began = (volume.protected_since or volume.first_seen_at).astimezone(zone).date()
    return [found.get(day, Mark.NONE if day >= began else Mark.BEFORE) for day in days]


def worst_first(
    volumes: Iterable[ProtectedVolume], overdue: Collection[VolumeId]
) -> list[ProtectedVolume]:
    """The overdue ones, the longest without a backup on top; then the failing; then by name."""

    def rank(volume: ProtectedVolume) -> tuple[object, ...]:
        names = volume.server_name, volume.volume_name, volume.volume_id
        if volume.volume_id in overdue:
            return 0, volume.expected_since.timestamp(), *names
        if volume.failures:
            return 1, -volume.failures, *names
        return 2, volume.project_name or volume.project_id, *names

    return sorted(volumes, key=rank)


def grouped(volumes: Sequence[ProtectedVolume]) -> list[ProtectedVolume]:
    """By project, in each by server; each group stands where its first volume stood."""
    projects: dict[str, dict[object, list[ProtectedVolume]]] = {}
    for volume in volumes:
        servers = projects.setdefault(volume.project_id, {})
        servers.setdefault(volume.server_id, []).append(volume)
    return [one for servers in projects.values() for some in servers.values() for one in some]
