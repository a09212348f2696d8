"""Serve a WSGI application with waitress until told to stop, then finish the answers in hand."""

import logging
import resource
import time
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.server import create_server

from staffeln_cli.policy_endpoint.request import BODY_LIMIT
from staffeln_cli.policy_endpoint.unix_socket import UnixSocket

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

THREADS = 4
"""Threads that answer; there should be one database connection less (see `PolicyLookup`)."""
CONNECTION_LIMIT = 2000
_OTHER_FILES = 64
"""Open files beside the connections: listeners, database, log."""
_LAST_ANSWERS = 5.0
"""Seconds that requests in hand are given at the end."""
_LIMITS: dict[str, Any] = {
    "threads": THREADS,
    "channel_timeout": 75,  # longer than proxies keep a connection: they close it, not we
    "max_request_header_size": 16 * 1024,
    "max_request_body_size": BODY_LIMIT,
    "asyncore_use_poll": True,
    "ident": None,
}


class Server:
    """Listens from the start and answers while it runs; OSError, ValueError: no usable address."""

    def __init__(
        self, app: "WSGIApplication", *, host: str, port: int, unix_socket: Path | None = None
    ) -> None:
        self._dispatchers: dict[int, Any] = {}
        self._unix_socket = UnixSocket(unix_socket) if unix_socket else None
        where: dict[str, Any] = {"host": host, "port": port}
        if self._unix_socket:
            where = {"sockets": [self._unix_socket.socket]}
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a short queue is no news
        limits = _LIMITS | {"connection_limit": _connection_limit()}
        try:
            self._server = create_server(app, map=self._dispatchers, **where, **limits)
        except BaseException:
            self._close()
            raise
        self._listeners = [
            dispatcher for dispatcher in self._dispatchers.values() if dispatcher.accepting
        ]
        self.address = f"unix:{unix_socket}" if unix_socket else self._urls()

    def run(self, stop: Event) -> None:
        """Serve until `stop` is set; then finish the answers in hand and close everything."""
        Thread(target=self._end, args=(stop,), name="policy-end", daemon=True).start()
        try:
            self._server.run()
        finally:
            self._close()

    def _end(self, stop: Event) -> None:
        """Wait for `stop`, then let waitress' loop run empty."""
        stop.wait()
        self._call_in_loop(self._stop_listening)
        end = time.monotonic() + _LAST_ANSWERS
        time.sleep(0.1)  # requests of the newest connections are read now
        while time.monotonic() < end and self._has_requests():
            time.sleep(0.02)
        self._server.task_dispatcher.shutdown(timeout=1)
        self._call_in_loop(self._close)

    def _call_in_loop(self, function: Any) -> None:
        self._listeners[0].trigger.pull_trigger(function)

    def _stop_listening(self) -> None:
        """Accept the clients that have connected already, and no others."""
        self._remove_unix_socket()
        for listener in self._listeners:
            known = -1
            while known < len(self._dispatchers) and listener.readable():
                known = len(self._dispatchers)
                listener.handle_accept()
            listener.del_channel()
            listener.socket.close()

    def _has_requests(self) -> bool:
        return any(
            channel.requests or channel.request or channel.total_outbufs_len
            for listener in self._listeners
            for channel in list(listener.active_channels.values())
        )

    def _remove_unix_socket(self) -> None:
        if self._unix_socket:
            self._unix_socket.remove()
            self._unix_socket = None

    def _close(self) -> None:
        self._remove_unix_socket()
        wasyncore.close_all(self._dispatchers, ignore_all=True)

    def _urls(self) -> str:
        addresses = [(each.effective_host, each.effective_port) for each in self._listeners]
        return ", ".join(
            f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            for host, port in addresses
        )


def _connection_limit() -> int:
    """Return how many connections the limit of open files allows, raised as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTION_LIMIT + _OTHER_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(1, allowed - _OTHER_FILES)
