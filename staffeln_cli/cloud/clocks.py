"""The time that each service states in its answers, for comparison with this host's clock."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from staffeln_cli.errors import ClockWrong
from staffeln_cli.planning.evidence import clock_error


class Clocks:
    """What the services said of the time, and when they said it; threads may share it.

    A service is known by the start of its URLs, since several may share a host and a port.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        """`now` is the time by this host's clock."""
        self._now = now
        self._services: dict[str, str] = {}
        self._stated: dict[str, tuple[datetime, float]] = {}
        self._errors: dict[str, str] = {}

    def register(self, service: str, url: str) -> None:
        """Attribute what comes from below this URL to a service."""
        self._services[_place(url)] = service

    def note(self, url: str, date: str | None) -> None:
        """Take in the `Date` of an answer; one that is not understood says nothing."""
        moment = stated_moment(date)
        if moment is None:
            return
        place = _place(url)
        below = [start for start in self._services if place.startswith(start)]
        if not below:
            return
        service = self._services[max(below, key=len)]
        self._stated[service] = moment, time.monotonic()
        error = clock_error(self._now() - moment)
        if error is None:
            self._errors.pop(service, None)
        else:
            self._errors[service] = error

    def check(self) -> None:
        """ClockWrong if this host's clock was off when any service last stated the time."""
        for service, error in list(self._errors.items()):
            raise ClockWrong(
                f"this host's clock is {error} that of {service.capitalize()}; nothing is written"
                " or deleted until they agree within 5 minutes; check NTP on both"
            )

    def skews(self, now: datetime) -> Mapping[str, timedelta]:
        """How far `now` is ahead of the clock of each service that has stated the time."""
        passed = time.monotonic()
        return {
            service: now - moment - timedelta(seconds=passed - heard)
            for service, (moment, heard) in list(self._stated.items())
        }


def stated_moment(date: str | None) -> datetime | None:
    """The moment of a `Date` header, which is in UTC whatever its form (RFC 9110, 5.6.7).

    Servers send `-0000` for "GMT", which Python reads as a time without a zone, and the asctime
    form, which has none.
    """
    try:
        parsed = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}".lower()
