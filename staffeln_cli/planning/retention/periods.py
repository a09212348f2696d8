"""Grandfather-father-son: which of a series of moments the counted rules of a policy keep.

As Proxmox Backup Server prunes: the rules go from fine to coarse; each takes the newest moment of
as many periods as it counts, from the newest period backwards, passing over periods in which a
finer rule has kept something. Periods without any moment do not count. All in UTC.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from staffeln_cli.planning.retention.policy import Policy


class Kept(NamedTuple):
    """The rule that keeps a moment, and the period of which it is the newest."""

    rule: str
    period: str


def kept_by_count(moments: Sequence[datetime], policy: Policy) -> list[Kept | None]:
    """For each moment, newest first, what keeps it."""
    utc = [moment if moment.tzinfo is UTC else moment.astimezone(UTC) for moment in moments]
    last = Kept("last", f"the newest {policy.last}")
    kept = dict.fromkeys(range(min(policy.last, len(utc))), last)
    waiting = list(range(len(kept), len(utc)))
    for rule in _RULES:
        most = getattr(policy, rule.name)
        if most and waiting:
            waiting = _keep(utc, kept, waiting, rule, most)
    return [kept.get(index) for index in range(len(utc))]


class _Rule(NamedTuple):
    """A kind of period: its number in the calendar, and how it is written."""

    name: str
    period: Callable[[datetime], int]
    written: str


_RULES = (
    _Rule("hourly", lambda moment: moment.toordinal() * 24 + moment.hour, "%Y-%m-%dT%H"),
    _Rule("daily", datetime.toordinal, "%Y-%m-%d"),
    _Rule("weekly", lambda moment: (moment.toordinal() - 1) // 7, "%G-W%V"),  # day 1 is a Monday
    _Rule("monthly", lambda moment: moment.year * 12 + moment.month, "%Y-%m"),
    _Rule("yearly", lambda moment: moment.year, "%Y"),
)
"""From fine to coarse."""


def _keep(
    moments: Sequence[datetime],
    kept: dict[int, Kept],
    waiting: Sequence[int],
    rule: _Rule,
    most: int,
) -> list[int]:
    """Add to what is kept; return what a coarser rule may still keep.

    A coarser rule does not consider what this one has passed over.
    """
    covered = {rule.period(moments[index]) for index in kept}
    taken: set[int] = set()
    left: list[int] = []
    for turn, index in enumerate(waiting):
        period = rule.period(moments[index])
        if period in covered:
            left.append(index)
        elif period not in taken:
            if len(taken) == most:
                return left + list(waiting[turn:])
            taken.add(period)
            kept[index] = Kept(rule.name, moments[index].strftime(rule.written))
    return left
