"""A bound for each request as a whole: whatever still waits for an answer past it is cut off."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

STOP_GRACE = 8.0
"""Seconds that requests under way have left once the process was asked to stop."""
_TICK = 1.0
"""Seconds between two looks at the requests under way."""
_here = threading.local()
"""The request that this thread sends, so that its connection can be found."""


class _Pending:
    """A request under way, and a second handle of the socket that it uses."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.twin: socket.socket | None = None
        self.was_cut = False

    def cut(self) -> None:
        """End the connection under the request: a thread that reads from it wakes up."""
        self.was_cut = True
        if self.twin is not None:
            with suppress(OSError):  # it has ended meanwhile
                self.twin.shutdown(socket.SHUT_RDWR)


class Deadlines:
    """Cuts off requests that take longer than allowed, and all of them soon after a stop.

    A time-out of the socket only bounds the pause between two bytes: a server that sends one byte
    now and then would be listened to for ever.
    """

    def __init__(self, longest: timedelta, stopping: threading.Event) -> None:
        self._longest = longest.total_seconds()
        self._stopping = stopping
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._pending: set[_Pending] = set()
        self._watcher: threading.Thread | None = None

    @contextmanager
    def bounded(self) -> Iterator[_Pending]:
        """One request of this thread, from the connection to the last byte of the answer."""
        pending = _Pending(time.monotonic() + self._longest)
        with self._lock:
            self._pending.add(pending)
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._watcher.start()
        _here.pending = pending
        try:
            yield pending
        finally:
            _here.pending = None
            with self._lock:
                self._pending.discard(pending)

    def close(self) -> None:
        """End the watch."""
        self._closed.set()

    def _watch(self) -> None:
        stopped_at: float | None = None
        while not self._closed.wait(min(_TICK, self._longest)):
            now = time.monotonic()
            if stopped_at is None and self._stopping.is_set():
                stopped_at = now
            is_over = stopped_at is not None and now - stopped_at > STOP_GRACE
            with self._lock:
                late = [one for one in self._pending if is_over or one.deadline < now]
            for pending in late:
                pending.cut()


class _Watched(HTTPConnection):
    """A connection whose socket has a second handle, which another thread may shut down.

    The first handle changes hands during a TLS handshake, and belongs to the TLS layer after it.
    """

    _twin: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        self._twin = sock.dup()
        self._show()
        return sock

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, over a connection that may have served another thread before."""
        self._show()
        super().request(*args, **kwargs)

    def close(self) -> None:
        """Close both handles."""
        super().close()
        if self._twin is not None:
            self._twin.close()
            self._twin = None

    def _show(self) -> None:
        pending: _Pending | None = getattr(_here, "pending", None)
        if pending is not None:
            pending.twin = self._twin
            if pending.was_cut:  # while the connection was being made
                pending.cut()


class _WatchedTLS(_Watched, HTTPSConnection):
    """The same with TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _PoolTLS}
"""For a pool manager: pools whose connections can be cut off."""
