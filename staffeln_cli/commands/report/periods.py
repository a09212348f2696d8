"""When a report is due again."""

from datetime import datetime, timedelta

from staffeln_cli.planning.durations import Duration

_GRACE_SHARE = 0.05
_MOST_GRACE = timedelta(minutes=15)


def is_over(last: datetime | None, period: Duration, now: datetime) -> bool:
    """Whether a period is over, less a grace, so that a daily crontab does not slip."""
    if last is None:
        return True
    end = period.after(last)
    return end - min((end - last) * _GRACE_SHARE, _MOST_GRACE) <= now
