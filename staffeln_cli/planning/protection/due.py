"""When a volume's next backup is due, and when its protection has slipped."""

from datetime import datetime, timedelta
from typing import NamedTuple

from staffeln_cli.model.durations import Duration

_GRACE_SHARE = 0.05
_MOST_GRACE = timedelta(minutes=15)
_FIRST_PAUSE = timedelta(minutes=15)
_MOST_DOUBLINGS = 16
_A_DAY = Duration(exact=timedelta(days=1))


class History(NamedTuple):
    """What the records say about one volume's backups.

    `last_started_at` and `last_success_at` are starts, of the newest attempt and of the newest
    successful one; `failures` counts the failed attempts since that success.
    """

    unfinished: bool = False
    last_started_at: datetime | None = None
    last_success_at: datetime | None = None
    failures: int = 0
    last_failed_at: datetime | None = None


def next_due_at(history: History, *, min_interval: Duration, first_seen_at: datetime) -> datetime:
    """When the next backup is due; in the past if it is due already."""
    return _due_at(history, min_interval) or first_seen_at


def is_due(history: History, now: datetime, min_interval: Duration) -> bool:
    """Whether to plan a backup now."""
    if history.unfinished:
        return False
    due_at = _due_at(history, min_interval)
    return due_at is None or due_at <= now


def is_problem_due(history: History, now: datetime, min_interval: Duration) -> bool:
    """Whether to record, once per interval, that the volume's status allows no backup."""
    attempts = [at for at in (history.last_started_at, history.last_failed_at) if at is not None]
    if history.unfinished or not attempts:
        return not history.unfinished
    return _interval_after(max(attempts), min_interval) <= now


def is_overdue(
    history: History, now: datetime, min_interval: Duration, first_seen_at: datetime
) -> bool:
    """Whether no successful backup started within twice the interval.

    With an interval of nothing ("every collect") a day stands in, as no pass could ever keep up.
    """
    interval = min_interval or _A_DAY
    twice = Duration(2 * interval.months, 2 * interval.exact)
    return twice.after(history.last_success_at or first_seen_at) < now


def _due_at(history: History, min_interval: Duration) -> datetime | None:
    """None if there was no attempt yet."""
    regular = (
        _interval_after(history.last_started_at, min_interval)
        if history.last_started_at is not None
        else None
    )
    if not history.failures or history.last_failed_at is None:
        return regular
    failed_at = history.last_failed_at
    retry = min(
        failed_at + _FIRST_PAUSE * (1 << min(history.failures - 1, _MOST_DOUBLINGS)),
        _interval_after(failed_at, min_interval),
    )
    # What failed after its interval was over, or before it started, still earns its pause.
    return retry if regular is None or regular <= failed_at else min(regular, retry)


def _interval_after(start: datetime, min_interval: Duration) -> datetime:
    """An interval later, less a grace, or a daily crontab would slip to every other day."""
    later = min_interval.after(start)
    return later - min((later - start) * _GRACE_SHARE, _MOST_GRACE)
