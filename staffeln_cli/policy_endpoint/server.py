"""Serve under waitress: one loop that answers in turn, and a successor should it hang."""

import time
from collections import deque
from collections.abc import Callable
from threading import Thread
from typing import Any

from waitress import create_server, wasyncore  # type: ignore[import-untyped]

from staffeln_cli.policy_endpoint.app import TOGETHER, Application
from staffeln_cli.policy_endpoint.channel import Channel, accept_more, adapt
from staffeln_cli.policy_endpoint.request import BODY_LIMIT

_WATCH = 0.1
_HANGS = 0.6
"""Seconds; a look-up has given up by then, unless the disk under it never answers."""
_LAST_ANSWERS = 5.0
"""Seconds that requests in hand are given at the end."""
_LIMITS: dict[str, Any] = {
    "connection_limit": 500,
    "channel_timeout": 75,  # longer than proxies keep a connection: they close it, not we
    "max_request_header_size": 16 * 1024,
    "max_request_body_size": BODY_LIMIT,
    "asyncore_use_poll": True,
    "ident": None,
    "unix_socket_perms": "660",
}


class Server:
    """Listens from the start, answers while it runs; OSError or ValueError: no usable address.

    There are no threads beside the loop: each answer is bounded in time and mostly the CPU's, so
    threads would only take each other's turns. What has been read by then is looked up together. A
    disk may hang all the same; then a new loop takes over the sockets, and the old one has only
    the requests that it hangs in.
    """

    def __init__(self, app: Application, **where: str | int) -> None:
        self._app = app
        self._where = where
        self._sockets: dict[int, Any] = {}
        self._read: deque[Channel] = deque()
        self._loops = 0
        self._beat = time.monotonic()
        try:
            self._server = create_server(
                app, map=self._sockets, _dispatcher=self, **where, **_LIMITS
            )
        except BaseException:
            self._close()
            raise
        self._listeners = [one for one in self._sockets.values() if one.accepting]
        for listener in self._listeners:
            adapt(listener)

    @property
    def address(self) -> str:
        """Where it listens, as URLs."""
        if "unix_socket" in self._where:
            return f"unix:{self._where['unix_socket']}"
        server = self._server
        listens = getattr(server, "effective_listen", None)
        return ", ".join(
            f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            for host, port in listens or [(server.effective_host, server.effective_port)]
        )

    def add_task(self, task: Channel) -> None:
        """Waitress, whose dispatcher this is, has read a request."""
        self._read.append(task)

    def run(self, stopped: Callable[[float], bool]) -> None:
        """Serve until `stopped`, which waits so many seconds, says so; then finish and close."""
        try:
            thread = self._new_loop()
            while not stopped(_WATCH):
                if time.monotonic() - self._beat > _HANGS:
                    thread = self._new_loop()
            self._loops += 1
            thread.join(_HANGS)
            self._finish()
        finally:
            self._close()

    def _new_loop(self) -> Thread:
        self._loops += 1
        self._beat = time.monotonic()
        thread = Thread(target=self._loop, args=(self._loops,), name="policy", daemon=True)
        thread.start()
        return thread

    def _loop(self, number: int) -> None:
        while number == self._loops:
            self._turn(_HANGS / 3)
            while self._read and number == self._loops:
                self._serve(number)

    def _turn(self, patience: float) -> None:
        self._beat = time.monotonic()
        known = len(self._sockets)
        self._poll(patience)
        if len(self._sockets) > known:
            for listener in self._listeners:
                accept_more(listener, self._sockets)
            self._poll(0)  # who has connected has mostly sent the request, too

    def _poll(self, patience: float) -> None:
        wasyncore.loop(timeout=patience, use_poll=True, map=self._sockets, count=1)

    def _serve(self, number: int) -> None:
        self._beat = time.monotonic()
        batch = [self._read.popleft() for _ in range(min(len(self._read), self._app.together))]
        environs = [environ for one in batch if (environ := one.next_environ()) is not None]
        for environ in environs:
            environ[TOGETHER] = environs
        for channel in batch:
            self._beat = time.monotonic()
            channel.service()
            if number == self._loops:  # else the sockets are another loop's, which will send
                channel.flush()

    def _finish(self) -> None:
        """Accept what has connected already, nothing more, and answer it."""
        self._turn(0)
        for listener in self._listeners:
            wasyncore.dispatcher.close(listener)
        self._listeners = []
        end = time.monotonic() + _LAST_ANSWERS
        while time.monotonic() < end and self._is_busy():
            self._turn(0.05)
            while self._read:
                self._serve(self._loops)

    def _is_busy(self) -> bool:
        return any(
            one.requests or one.request or one.total_outbufs_len
            for one in self._sockets.values()
            if isinstance(one, Channel)
        )

    def _close(self) -> None:
        wasyncore.close_all(self._sockets, ignore_all=True)
