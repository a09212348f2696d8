"""How long backups take: learned from earlier ones, and what that means for the present work."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from staffeln_cli.model import Kind, ProjectId, State, VolumeId
from staffeln_cli.model.lifecycle import IN_FLIGHT

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
    unfinished: Iterable[UnfinishedBackup], rates: Rates, now: datetime, limits: Limits
) -> Work:
    """The present work, supposing that `backup` runs often enough to use the limits."""
    running: list[RunningBackup] = []
    waiting: list[tuple[UnfinishedBackup, timedelta | None]] = []
    for backup in unfinished:
        duration = expected(backup, rates)
        if backup.state not in IN_FLIGHT:
            waiting.append((backup, duration))
            continue
        start = backup.started_at
        done_at = None if duration is None or start is None else start + duration
        running.append(RunningBackup(backup, done_at))
    running.sort(key=lambda one: (one.done_at is None, -(one.done_at or now).timestamp()))
    left = [
        (one.backup.project_id, None if one.done_at is None else max(one.done_at - now, _NOTHING))
        for one in running
    ]
    queue = [(backup.project_id, duration) for backup, duration in waiting]
    return Work(
        running=tuple(running),
        waiting=len(waiting),
        running_done_at=_done_at(left, now, limits),
        done_at=_done_at([*left, *queue], now, limits),
    )


_NOTHING = timedelta()


def _done_at(
    work: Sequence[tuple[ProjectId, timedelta | None]], now: datetime, limits: Limits
) -> datetime | None:
    """Bounded by the longest backup, by each project's share, and by all together.

    Of which the duration is not known, it counts as the mean of the others.
    """
    known = [duration for _, duration in work if duration is not None]
    if not known:
        return None
    mean = sum(known, _NOTHING) / len(known)
    projects: defaultdict[ProjectId, timedelta] = defaultdict(timedelta)
    for project_id, duration in work:
        projects[project_id] += mean if duration is None else duration
    together = sum(projects.values(), _NOTHING) / limits.total
    busiest = max(projects.values()) / limits.per_project
    return now + max(*known, together, busiest)
