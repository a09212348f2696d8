"""Grandfather-father-son: which of a series of moments the counted rules of a policy keep.

As Proxmox Backup Server prunes: the rules go from fine to coarse; each takes the newest moment of
as many periods as it counts, from the newest period backwards, passing over periods in which a
finer rule has kept something. Periods without any moment do not count. All in UTC.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from staffeln_cli.planning.policy import Policy


class Kept(NamedTuple):
    """The rule that keeps a moment, and what of: the period of which it is the newest."""

    rule: str
    period: str


def kept_by_count(moments: Sequence[datetime], policy: Policy) -> list[Kept | None]:
    """For each moment, newest first, what keeps it."""
    utc = [moment if moment.tzinfo is UTC else moment.astimezone(UTC) for moment in moments]
    kept: list[Kept | None] = [None] * len(utc)
    passed: set[int] = set()
    for place in range(min(policy.last, len(utc))):
        kept[place] = Kept("last", f"the newest {policy.last}")
    for rule, count, period in (
        ("hourly", policy.hourly, _hour),
        ("daily", policy.daily, _day),
        ("weekly", policy.weekly, _week),
        ("monthly", policy.monthly, _month),
        ("yearly", policy.yearly, _year),
    ):
        if count:
            _keep(utc, kept, passed, _Rule(rule, count, period))
    return kept


class _Rule(NamedTuple):
    name: str
    most: int
    period: Callable[[datetime], str]


def _keep(
    moments: Sequence[datetime], kept: list[Kept | None], passed: set[int], rule: _Rule
) -> None:
    periods = [rule.period(moment) for moment in moments]
    covered = {period for period, by in zip(periods, kept, strict=True) if by is not None}
    taken: set[str] = set()
    for place, period in enumerate(periods):
        if kept[place] is not None or place in passed or period in covered:
            continue
        if period in taken:
            # A coarser rule does not come back to what this one has passed over.
            passed.add(place)
        elif len(taken) == rule.most:
            return
        else:
            taken.add(period)
            kept[place] = Kept(rule.name, period)


def _hour(moment: datetime) -> str:
    return moment.isoformat(timespec="hours")[:13]


def _day(moment: datetime) -> str:
    return moment.isoformat()[:10]


def _week(moment: datetime) -> str:
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02}"


def _month(moment: datetime) -> str:
    return moment.isoformat()[:7]


def _year(moment: datetime) -> str:
    return moment.isoformat()[:4]
