"""Connections to services that another thread can cut off, whatever they wait for."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from staffeln_cli.deadlines import Deadlines, Pending

_here = threading.local()
"""The request that this thread sends, so that its connection can be found."""


class _Use:
    """Which connection a request uses: known only once there is one."""

    def __init__(self) -> None:
        self.twin: socket.socket | None = None
        self.pending: Pending | None = None

    def cut(self) -> None:
        """Shut the connection down, under whoever reads from it."""
        if self.twin is not None:
            self.twin.shutdown(socket.SHUT_RDWR)

    def take(self, twin: socket.socket | None) -> None:
        """Use this connection; which may be late, so that it is cut off at once."""
        self.twin = twin
        if self.pending is not None and self.pending.was_cut:
            self.pending.cut()


@contextmanager
def bounded(deadlines: Deadlines) -> Iterator[Pending]:
    """One request of this thread, from the connection to the last byte of the answer."""
    use = _Use()
    use.pending = deadlines.begin(use.cut)
    _here.use = use
    try:
        yield use.pending
    finally:
        _here.use = None
        deadlines.end(use.pending)


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
        use: _Use | None = getattr(_here, "use", None)
        if use is not None:
            use.take(self._twin)


class _WatchedTLS(_Watched, HTTPSConnection):
    """The same with TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _PoolTLS}
"""For a pool manager: pools whose connections can be cut off."""
