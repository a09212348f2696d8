"""The cloud's own time, and the ways its services write it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime


def machine_time() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Real time plus an offset, or a time that stands still until told to move."""

    def __init__(
        self, source: Callable[[], datetime] | None = None, start: datetime | None = None
    ) -> None:
        self._source = source or machine_time
        self._start = start.astimezone(UTC) if start else None
        self.reset()

    def reset(self) -> None:
        """Go back to how the clock was at first."""
        self._offset = timedelta()
        self._frozen = self._start

    def now(self) -> datetime:
        return self._frozen or self._source() + self._offset

    def advance(self, delta: timedelta) -> datetime:
        if self._frozen:
            self._frozen += delta
        else:
            self._offset += delta
        return self.now()

    def freeze(self, at: datetime | None = None) -> None:
        """Stand still, here or at another time."""
        self._frozen = at.astimezone(UTC) if at else self.now()

    def thaw(self) -> None:
        """Run again, from the time at which the clock stood."""
        if self._frozen:
            self._offset = self._frozen - self._source()
            self._frozen = None


def in_cinder(moment: datetime | None) -> str | None:
    """Write a time as Cinder does: whole seconds, UTC without saying so."""
    return None if moment is None else moment.isoformat()[:19] + ".000000"


def in_nova(moment: datetime) -> str:
    return moment.isoformat()[:19] + "Z"


def in_keystone(moment: datetime) -> str:
    return moment.isoformat()[:19] + ".000000Z"


def written(moment: datetime, form: str) -> str:
    """Write a `Date` header: `GMT`, or as some proxies do, ending in `-0000` or as asctime."""
    if form == "asctime":
        return f"{moment:%a %b} {moment.day:2d} {moment:%H:%M:%S %Y}"
    if form == "-0000":
        return format_datetime(moment.astimezone(UTC).replace(tzinfo=None))
    return format_datetime(moment, usegmt=True)
