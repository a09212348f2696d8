"""The intervals between the backups of a volume that were really achieved."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from staffeln_cli.planning.protection.due import Schedule, is_late

_SHARE = 0.95


class Gap(NamedTuple):
    """A time without a backup."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it lasted."""
        return self.end - self.start


class Achieved(NamedTuple):
    """What was achieved in a period."""

    backups: int
    """Successful backups that started in the period."""
    largest: Gap | None = None
    """The longest time without a backup; it may not have ended yet."""
    usual: timedelta | None = None
    """The 95th percentile of the gaps that have ended."""
    late: int = 0
    """Gaps in which the volume became overdue."""


def achieved(
    starts: Sequence[datetime], expected_since: datetime, until: datetime, schedule: Schedule
) -> Achieved:
    """The gaps between successful backups from the moment on that backups were expected.

    `starts` are in order. One from before counts as the begin of the first gap.
    """
    if until <= expected_since:
        return Achieved(0)
    earlier = [start for start in starts if start <= expected_since]
    inside = [start for start in starts if expected_since < start <= until]
    moments = [earlier[-1] if earlier else expected_since, *inside]
    ended = [Gap(*pair) for pair in zip(moments, inside, strict=False)]
    gaps = [*ended, Gap(moments[-1], until)]
    lengths = sorted(gap.length for gap in ended)
    return Achieved(
        len(inside),
        max(gaps, key=lambda gap: gap.length),
        lengths[ceil(_SHARE * len(lengths)) - 1] if lengths else None,
        sum(is_late(gap.start, gap.end, schedule) for gap in gaps),
    )
