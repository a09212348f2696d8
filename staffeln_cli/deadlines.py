"""A bound for what waits on another machine: past it, somebody else ends the wait."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

_TICK = 0.5
"""Seconds between two looks at what is under way."""


class Pending:
    """Something under way, and how to end it from another thread."""

    def __init__(self, deadline: float, cut: Callable[[], None]) -> None:
        self.deadline = deadline
        self.was_cut = False
        self._cut = cut

    def cut(self) -> None:
        """End it: whoever waits for it wakes up with an error."""
        self.was_cut = True
        with suppress(OSError):  # it has ended meanwhile
            self._cut()


class Deadlines:
    """Cuts off what takes longer than allowed, and everything a while after a stop.

    Time-outs of a socket only bound the pause between two bytes, and a thread that waits in a C
    library hears no signal. The watch begins with the first thing that is under way.

    The watching thread takes no lock that others wait for. It ends with the process, wherever it
    is, and never releases what it holds: connections that are closed after that would wait for it.
    """

    def __init__(self, longest: timedelta, stopping: threading.Event, *, grace: timedelta) -> None:
        """`grace` is what everything has left once `stopping` is set."""
        self._longest = longest.total_seconds()
        self._grace = grace.total_seconds()
        self._stopping = stopping
        self._is_closed = False
        self._open = threading.Lock()
        self._open.acquire()
        self._starting = threading.Lock()
        self._pending: set[Pending] = set()
        self._watcher: threading.Thread | None = None

    def begin(self, cut: Callable[[], None]) -> Pending:
        """Something begins, which `cut` would end."""
        pending = Pending(time.monotonic() + self._longest, cut)
        self._pending.add(pending)
        with self._starting:
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._watcher.start()
        return pending

    def end(self, pending: Pending) -> None:
        """It is over."""
        self._pending.discard(pending)

    def close(self) -> None:
        """End the watch."""
        if not self._is_closed:
            self._is_closed = True
            self._open.release()  # which the watcher waits for

    def _watch(self) -> None:
        stopped_at: float | None = None
        while not self._open.acquire(timeout=min(_TICK, self._longest)):
            now = time.monotonic()
            if stopped_at is None and self._stopping.is_set():
                stopped_at = now
            is_over = stopped_at is not None and now - stopped_at > self._grace
            for pending in tuple(self._pending):  # copied at once, while others add and discard
                if is_over or pending.deadline < now:
                    pending.cut()
