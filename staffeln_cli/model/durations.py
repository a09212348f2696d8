"""Durations as operators write them: `1y2mon10d5h30min10s`, with calendar years and months."""

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from staffeln_cli.model.text import quoted

_PARTS = re.compile(
    r"(?:(?P<years>\d+)y)?(?:(?P<months>\d+)mon)?(?:(?P<weeks>\d+)w)?(?:(?P<days>\d+)d)?"
    r"(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)min)?(?:(?P<seconds>\d+)s)?",
    re.ASCII | re.IGNORECASE,
)
_MOST_DAYS = 100 * 366
_A_DAY = timedelta(days=1)
_LONGEST_TEXT = 64
EXPECTED = (
    "a duration such as 1y2mon3w4d5h6min7s (each part optional, in this order, at most 100 years)"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time; months are those of the calendar, the rest is exact."""

    months: int = 0
    exact: timedelta = timedelta()

    def before(self, moment: datetime) -> datetime:
        """The moment this long before `moment`."""
        return _shifted(moment, -self.months) - self.exact

    def after(self, moment: datetime) -> datetime:
        """The first moment by which something of `moment` is this old.

        That is, `before` of it is not before `moment`.
        """
        if not self.months:
            return moment + self.exact
        later = _shifted(moment, self.months) + self.exact
        # Month ends: 31 January + 1 month is 28 February, whose month before ends on the 28th.
        while self.before(later) < moment:
            later += timedelta(days=1)
        return later

    def __bool__(self) -> bool:
        """False for no time at all."""
        return bool(self.months or self.exact)

    def __str__(self) -> str:
        """As an operator would write it; `parse` reads it back."""
        years, months = divmod(self.months, 12)
        weeks, days = _weeks_and_days(self.exact.days)
        minutes, seconds = divmod(self.exact.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        counts = (years, months, weeks, days, hours, minutes, seconds)
        units = ("y", "mon", "w", "d", "h", "min", "s")
        text = "".join(f"{n}{unit}" for n, unit in zip(counts, units, strict=True) if n)
        return text or "0s"


class Timeout(timedelta):
    """A wait that ends, and that there is at all: longer than nothing."""

    @classmethod
    def of(cls, exact: timedelta) -> Self:
        """As a time-out; ValueError for no time at all, in which nothing could be answered."""
        if not exact:
            raise ValueError("no time at all; expected a time-out longer than 0s")
        return cls(exact.days, exact.seconds)


def parse_exact(text: str) -> timedelta:
    """Read a duration whose length does not depend on the calendar."""
    duration = parse(text)
    if duration.months:
        raise ValueError(
            f"{quoted(text)} has years or months, whose length varies; use weeks, days or less"
        )
    return duration.exact


def parse(text: str) -> Duration:
    """Read a duration; ValueError says what was expected."""
    found = _PARTS.fullmatch(text.strip()) if len(text) <= _LONGEST_TEXT else None
    if not text.strip() or found is None:
        raise ValueError(f"{quoted(text)} is not {EXPECTED}")
    parts = {name: int(value or 0) for name, value in found.groupdict().items()}
    months = parts.pop("years") * 12 + parts.pop("months")
    try:
        exact = timedelta(**parts)
    except OverflowError:
        exact = timedelta.max
    if months * 366 / 12 + exact / _A_DAY > _MOST_DAYS:
        raise ValueError(f"{quoted(text)} is longer than 100 years; expected {EXPECTED}")
    return Duration(months, exact)


def _weeks_and_days(days: int) -> tuple[int, int]:
    """Weeks where people count in weeks: whole ones, and between a fortnight and a month."""
    return divmod(days, 7) if days % 7 == 0 or 14 <= days < 30 else (0, days)


def _shifted(moment: datetime, months: int) -> datetime:
    if not months:
        return moment
    total = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(total, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
