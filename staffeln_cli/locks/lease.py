"""A lock that expires by itself, and the thread that renews it while its holder lives."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from staffeln_cli.errors import LockServiceUnavailable

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The service says that the lease is not ours any more."""


class Lease:
    """What the holder knows without network access: until when it certainly has the lock."""

    def __init__(self, name: str, duration: timedelta, *, since: float) -> None:
        self.name = name
        self._seconds = duration.total_seconds()
        self._expires_at = since + self._seconds
        self._lost = threading.Event()

    def still_held(self) -> bool:
        """False from the expiry of the lease on, even if no other run has taken it yet."""
        if now() >= self._expires_at:
            self._lost.set()
        return not self._lost.is_set()

    def extend(self, *, since: float) -> None:
        """Restart the lease when the renewal was *sent*: the service counts from later on."""
        if self.still_held():
            self._expires_at = since + self._seconds

    def lose(self) -> None:
        """Note that the service says the lease is lost."""
        self._lost.set()

    def keep(self, renew: Callable[[], None], stop: threading.Event) -> None:
        """Renew every third of the lease, more often after a failure, until stopped or lost."""
        pause = self._seconds / 3
        while not stop.wait(pause):
            since = now()
            if not self.still_held():
                logger.warning("the lock %s was not renewed before it ran out", self.name)
                return
            try:
                renew()
            except LeaseLost as error:
                self.lose()
                logger.warning("the lock %s was lost: %s", self.name, error)
                return
            except LockServiceUnavailable as error:
                pause = self._seconds / 12
                logger.warning("the lock %s could not be renewed: %s", self.name, error)
            else:
                self.extend(since=since)
                pause = self._seconds / 3


def now() -> float:
    """Seconds on a clock that cannot be set and that runs while the host is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def request_timeout(lease: timedelta) -> float:
    """Seconds to wait for an answer; short, so that a failed renewal can be repeated in time."""
    return min(3.0, max(1.0, lease.total_seconds() / 3))


@contextmanager
def renewed(
    name: str, lease: timedelta, *, since: float, renew: Callable[[], None]
) -> Iterator[Lease]:
    """Renew a lease taken at `since`; LockServiceUnavailable from `renew` is tried again."""
    held = Lease(name, lease, since=since)
    stop = threading.Event()
    # A daemon thread, so that a process that ends does not wait for a lock service.
    thread = threading.Thread(
        target=held.keep, args=(renew, stop), name=f"renew {name}", daemon=True
    )
    thread.start()
    try:
        yield held
    finally:
        stop.set()
        thread.join()
