"""When a volume's next backup is due, and when a backup is overdue."""

from datetime import datetime, timedelta
from typing import NamedTuple

from staffeln_cli.model import InventoryVolume
from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.evidence import CLOCK_TOLERANCE, believed
from staffeln_cli.planning.protection.windows import Window

_GRACE_SHARE = 0.05
_MOST_GRACE = timedelta(minutes=15)
_FIRST_PAUSE = timedelta(minutes=15)
_MOST_DOUBLINGS = 16
_A_DAY = Duration(exact=timedelta(days=1))


class Schedule(NamedTuple):
    """How often backups are due, and when planned ones may start."""

    min_interval: Duration
    window: Window | None = None
    """None: at any time."""


def next_due_at(volume: InventoryVolume, min_interval: Duration, now: datetime) -> datetime:
    """When the next backup is due; in the past if it is due already."""
    volume = without_future_moments(volume, now)
    return _due_at(volume, min_interval) or volume.expected_since


def is_due(
    volume: InventoryVolume, now: datetime, min_interval: Duration, *, by: datetime | None = None
) -> bool:
    """Whether to plan a backup of a volume that has no unfinished one; `by` is a later moment."""
    due_at = _due_at(without_future_moments(volume, now), min_interval)
    return due_at is None or due_at <= (by or now)


def plan_until(schedule: Schedule, now: datetime) -> datetime:
    """What is due by then is to be planned: by the next opening of the window, or by now."""
    window = schedule.window
    return now if window is None else max(now, window.next_opening(now).opens_at)


def is_problem_due(volume: InventoryVolume, now: datetime, min_interval: Duration) -> bool:
    """Whether to record, once per interval, that the volume's status allows no backup."""
    volume = without_future_moments(volume, now)
    attempts = [at for at in (volume.last_started_at, volume.last_failed_at) if at is not None]
    return not attempts or _interval_after(max(attempts), min_interval) <= now


def is_overdue(volume: InventoryVolume, now: datetime, schedule: Schedule) -> bool:
    """Whether no successful backup started in time, or all are missing or broken."""
    volume = without_future_moments(volume, now)
    return volume.unrestorable_since is not None or is_late(
        volume.last_success_at or volume.expected_since, now, schedule
    )


def is_late(since: datetime, now: datetime, schedule: Schedule) -> bool:
    """Whether twice the interval has passed since the last success, or since one is expected.

    What only waits for the window is not late: it must have had half an opening to start in.
    """
    if not is_outdated(since, now, schedule.min_interval):
        return False
    window = schedule.window
    due_at = _interval_after(since, schedule.min_interval)
    return window is None or window.chance_ends_at(due_at) <= now


def is_outdated(moment: datetime, now: datetime, min_interval: Duration) -> bool:
    """Whether more than twice the interval has passed since a moment.

    If the interval is zero ("every collect"), a day is used instead: no pass could ever keep up.
    """
    interval = min_interval or _A_DAY
    twice = Duration(2 * interval.months, 2 * interval.exact)
    return twice.after(moment) < now


def without_future_moments(volume: InventoryVolume, now: datetime) -> InventoryVolume:
    """The volume without the moments that a wrong clock wrote: they are still to come."""
    limit = now + CLOCK_TOLERANCE
    moments = (
        volume.last_started_at,
        volume.last_failed_at,
        volume.last_success_at,
        volume.proof_failed_at,
    )
    if not any(at is not None and at > limit for at in moments):
        return volume
    started, failed, success, proof_failed = (believed(at, now) for at in moments)
    return volume._replace(
        last_started_at=started,
        last_failed_at=failed,
        last_success_at=success,
        proof_failed_at=proof_failed,
    )


def has_future_moment(volume: InventoryVolume, now: datetime) -> bool:
    """Whether the volume's history has a moment in the future, which a wrong clock wrote."""
    return without_future_moments(volume, now) is not volume


def _due_at(volume: InventoryVolume, min_interval: Duration) -> datetime | None:
    """None if there was no attempt yet, or if no backup is left to restore the volume from."""
    regular = (
        _interval_after(volume.last_started_at, min_interval)
        if volume.last_started_at is not None and volume.unrestorable_since is None
        else None
    )
    if _awaits_proof(volume):
        regular = volume.proof_failed_at
    if not volume.failures or volume.last_failed_at is None:
        return regular
    failed_at = volume.last_failed_at
    retry = min(
        failed_at + _FIRST_PAUSE * (1 << min(volume.failures - 1, _MOST_DOUBLINGS)),
        _interval_after(failed_at, min_interval),
    )
    # A backup that failed after its interval, or before it started, is retried after the pause.
    return retry if regular is None or regular <= failed_at else min(regular, retry)


def _awaits_proof(volume: InventoryVolume) -> bool:
    """Whether no backup was started since a restore drill of the volume failed."""
    failed_at, started_at = volume.proof_failed_at, volume.last_started_at
    return failed_at is not None and (started_at is None or started_at < failed_at)


def _interval_after(start: datetime, min_interval: Duration) -> datetime:
    """An interval later, less a grace, or a daily crontab would slip to every other day."""
    later = min_interval.after(start)
    return later - min((later - start) * _GRACE_SHARE, _MOST_GRACE)
