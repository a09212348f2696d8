"""The backup window: the time of day at which planned backups may start."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from staffeln_cli.model.text import quoted

_TEXT = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*", re.ASCII)
_A_DAY = timedelta(days=1)
_MINUTES_OF_A_DAY = 24 * 60
_MINUTES_OF_AN_HOUR = 60
EXPECTED = "a window such as 22:00-05:00 (hours and minutes of a day)"


class Opening(NamedTuple):
    """One day's window, in UTC; nothing starts any more at the moment at which it closes."""

    opens_at: datetime
    closes_at: datetime

    def is_open(self, now: datetime) -> bool:
        """Whether backups may start at this moment."""
        return self.opens_at <= now < self.closes_at


@dataclass(frozen=True, slots=True)
class Window:
    """From one time of day to another, on the same day or the next one.

    Each day has one opening, also where the clock changes. A time that the clock shows twice is
    the first one; a time that it skips is as much later as the clock skips.
    """

    begin: time
    end: time
    zone: tzinfo = UTC

    def openings(self, since: datetime) -> Iterator[Opening]:
        """The openings that close after a moment, in their order; the first may be open then."""
        day = since.astimezone(self.zone).date() - _A_DAY
        while True:
            opening = self._of(day)
            if opening.closes_at > since:
                yield opening
            day += _A_DAY

    def next_opening(self, now: datetime) -> Opening:
        """The opening that is open, or the next one."""
        return next(self.openings(now))

    def chance_ends_at(self, due_at: datetime) -> datetime:
        """When what is due at a moment has had at least half an opening to start in."""
        return next(
            one.closes_at
            for one in self.openings(due_at)
            if 2 * (one.closes_at - max(one.opens_at, due_at)) >= one.closes_at - one.opens_at
        )

    def _of(self, day: date) -> Opening:
        last_day = day if self.begin < self.end else day + _A_DAY
        opens_at, closes_at = self._moment(day, self.begin), self._moment(last_day, self.end)
        if closes_at <= opens_at:  # the clock skips the end, and with it the whole window
            closes_at = opens_at + self._length
        return Opening(opens_at, closes_at)

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)

    @property
    def _length(self) -> timedelta:
        """How long it is on most days."""
        minutes = _minutes(self.end) - _minutes(self.begin)
        return timedelta(minutes=minutes % _MINUTES_OF_A_DAY)

    def __str__(self) -> str:
        """As an operator would write it; `parse` reads it back."""
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


def parse(text: str) -> Window:
    """Read a window; ValueError says what was expected."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"{quoted(text)} is not {EXPECTED}")
    hour, minute, last_hour, last_minute = map(int, found.groups())
    try:
        begin, end = time(hour, minute), _end(last_hour, last_minute)
    except ValueError:
        problem = f"{quoted(text)} has a time that no clock shows; expected {EXPECTED}"
        raise ValueError(problem) from None
    if begin == end:
        raise ValueError(f"{quoted(text)} ends when it begins; without a window, leave it out")
    return Window(begin, end)


def _end(hours: int, minutes: int) -> time:
    """24:00 is the midnight at the end of the day."""
    return time() if (hours, minutes) == (24, 0) else time(hours, minutes)


def _minutes(at: time) -> int:
    return _MINUTES_OF_AN_HOUR * at.hour + at.minute
