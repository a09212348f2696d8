"""How long backups take: learned from earlier ones, and what that means for the present work."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from staffeln_cli.model import Kind, Origin, ProjectId, State, VolumeId
from staffeln_cli.model.lifecycle import IN_FLIGHT
from staffeln_cli.planning.protection.windows import Opening

_WEIGHT = 0.3
"""Of the newest duration in the usual one: a change of speed is learned within days."""
_MOST_GROWTH = 2
_SLACK_S = 600
"""One duration counts for at most so much: one bad night must not change the usual duration."""
_ALLOWED = 4
"""A backup has failed after so many times its usual duration, and not before the time-out."""
Rates = Mapping[tuple[str | None, Kind], float]
"""Seconds per GiB that backups usually take, by volume type (the backend) and kind."""


class UnfinishedBackup(NamedTuple):
    """A backup that waits or runs, with what is known about its volume."""

    volume_id: VolumeId
    volume_name: str
    server_name: str
    project_id: ProjectId
    kind: Kind
    state: State
    started_at: datetime | None
    size_gib: int
    volume_type: str | None
    usual_full_s: int | None
    usual_incremental_s: int | None
    origin: Origin = Origin.SCHEDULED


@dataclass(frozen=True, slots=True)
class RunningBackup:
    """A backup in progress."""

    backup: UnfinishedBackup
    done_at: datetime | None
    """When it should be done; in the past if it takes longer than usual; None: not known."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done now, and how long that will take."""

    running: Sequence[RunningBackup] = ()
    """The one that takes longest first; those of which that is not known last."""
    waiting: int = 0
    running_done_at: datetime | None = None
    done_at: datetime | None = None
    """When the running and the waiting ones should be done; None: not known, or no work."""
    opening: Opening | None = None
    """The opening of the window in which the waiting ones start; None: there is no window."""
    last_start_at: datetime | None = None
    """When the last of the waiting ones should start; None: not known, or none waits."""

    @property
    def window_suffices(self) -> bool | None:
        """Whether all that wait can start before the window closes; None: not known, no window."""
        if self.opening is None or self.last_start_at is None:
            return None
        return self.last_start_at < self.opening.closes_at


@dataclass(frozen=True, slots=True)
class Limits:
    """How many backups may run at once."""

    total: int
    per_project: int


def learned(usual_s: int | None, took_s: int) -> int:
    """The usual duration in seconds, after one more backup."""
    if usual_s is None:
        return took_s
    counted = min(took_s, _MOST_GROWTH * usual_s + _SLACK_S)
    return round((1 - _WEIGHT) * usual_s + _WEIGHT * counted)


def expected(backup: UnfinishedBackup, rates: Rates) -> timedelta | None:
    """How long a backup should take: as the volume's others of its kind, else as its backend's."""
    is_full = backup.kind is Kind.FULL
    usual_s = backup.usual_full_s if is_full else backup.usual_incremental_s
    if usual_s is not None:
        return timedelta(seconds=usual_s)
    rate = rates.get((backup.volume_type, backup.kind))
    return None if rate is None else timedelta(seconds=round(rate * backup.size_gib))


def allowed(configured: timedelta, usual: timedelta | None) -> timedelta:
    """The time-out: the configured one, or several times the usual duration if that is longer."""
    return configured if usual is None else max(configured, _ALLOWED * usual)


def work_of(
    unfinished: Iterable[UnfinishedBackup],
    rates: Rates,
    now: datetime,
    limits: Limits,
    opening: Opening | None = None,
) -> Work:
    """The present work, supposing that `backup` runs often enough to use the limits.

    What the schedule has planned starts at the opening of the window, if there is one.
    """
    running: list[RunningBackup] = []
    queue: list[_Job] = []
    for backup in unfinished:
        duration = expected(backup, rates)
        if backup.state not in IN_FLIGHT:
            queue.append(_Job(backup.project_id, duration, backup.origin is Origin.SCHEDULED))
            continue
        start = backup.started_at
        done_at = None if duration is None or start is None else start + duration
        running.append(RunningBackup(backup, done_at))
    running.sort(key=lambda one: (one.done_at is None, -(one.done_at or now).timestamp()))
    left = [_Job(one.backup.project_id, _left(one.done_at, now)) for one in running]
    opening = opening if any(job.waits for job in queue) else None
    start_at = max(now, opening.opens_at) if opening is not None else now
    load = _load([*(job.after(start_at - now) for job in left), *queue], limits)
    return Work(
        running=tuple(running),
        waiting=len(queue),
        running_done_at=_sum(now, _load(left, limits).until_done),
        done_at=_sum(start_at, load.until_done),
        opening=opening,
        last_start_at=_sum(start_at, load.until_last_start) if queue else None,
    )


_NOTHING = timedelta()


class _Job(NamedTuple):
    """A backup that is to be done: whose, and how long it takes from now, if that is known."""

    project_id: ProjectId
    duration: timedelta | None
    waits: bool = False
    """Whether it waits for the window."""

    def after(self, time: timedelta) -> "_Job":
        """What is left of it after some time."""
        if self.duration is None:
            return self
        return self._replace(duration=max(self.duration - time, _NOTHING))


class _Load(NamedTuple):
    """How long some jobs take within the limits; None: no duration is known."""

    until_done: timedelta | None
    until_last_start: timedelta | None


def _load(jobs: Sequence[_Job], limits: Limits) -> _Load:
    """Bounded by the longest backup, by each project's share, and by all together.

    Of which the duration is not known, it counts as the mean of the others. The last one starts
    about one mean duration before the limits have been used for all of them.
    """
    known = [job.duration for job in jobs if job.duration is not None]
    if not known:
        return _Load(None, None)
    mean = sum(known, _NOTHING) / len(known)
    projects: defaultdict[ProjectId, timedelta] = defaultdict(timedelta)
    for job in jobs:
        projects[job.project_id] += mean if job.duration is None else job.duration
    together = sum(projects.values(), _NOTHING) / limits.total
    busiest = max(projects.values()) / limits.per_project
    shared = max(together, busiest)
    return _Load(max(*known, shared), max(shared - mean, _NOTHING))


def _left(done_at: datetime | None, now: datetime) -> timedelta | None:
    return None if done_at is None else max(done_at - now, _NOTHING)


def _sum(start: datetime, length: timedelta | None) -> datetime | None:
    return None if length is None else start + length
