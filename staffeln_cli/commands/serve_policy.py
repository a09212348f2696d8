"""Serve the policy endpoint under waitress until a signal asks for an end."""

import logging
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from staffeln_cli import policy_app
from staffeln_cli.config import Settings, find_file, load
from staffeln_cli.errors import ConfigError
from staffeln_cli.runtime import Runtime

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from staffeln_cli.store.guarded import Guarded

log = logging.getLogger(__name__)
_LAST_ANSWERS = 5.0
"""Seconds that requests in hand are given at the end."""
_LIMITS: dict[str, Any] = {
    "connection_limit": 500,
    "channel_timeout": 75,  # longer than proxies keep a connection: they close it, not we
    "max_request_header_size": 16 * 1024,
    "max_request_body_size": policy_app.BODY_LIMIT,
    "asyncore_use_poll": True,
    "ident": None,
    "unix_socket_perms": "660",
}


def run(
    runtime: Runtime,
    *,
    host: str | None = None,
    port: int | None = None,
    unix_socket: Path | None = None,
    listening: Callable[[str], None] = log.info,
) -> None:
    """Serve until `runtime.stop` is requested, then answer what is in hand and return.

    What is not given comes from the configuration; an address given beats a configured socket.
    `listening` is told the address, once connections are accepted. ConfigError: it cannot be used.
    """
    policy = runtime.settings.policy
    if unix_socket is None and host is None and port is None:
        unix_socket = policy.unix_socket
    where: dict[str, Any] = {
        "host": host or policy.host,
        "port": policy.port if port is None else port,
    }
    lookup = _lookup(runtime.settings)
    try:
        app = policy_app.create_app(lookup, policy)
        _serve(
            app, runtime, {"unix_socket": str(unix_socket)} if unix_socket else where, listening
        )
    finally:
        lookup.close()
        if unix_socket:
            unix_socket.unlink(missing_ok=True)


def configured() -> "WSGIApplication":
    """The application by the configuration that the environment names, for other WSGI servers."""
    settings = load(find_file(None, os.environ)).settings
    return policy_app.create_app(_lookup(settings), settings.policy)


def _lookup(settings: Settings) -> "Guarded":
    from staffeln_cli.store import Database
    from staffeln_cli.store.guarded import Guarded

    return Guarded(Database(settings.database.url))


class _InTurn:
    """Waitress's dispatcher of requests, without threads: the loop below answers one by one.

    Every answer is bounded in time, and after a slow one the next are quick, so that nobody gains
    from threads, which would only take each other's turns.
    """

    def __init__(self) -> None:
        self._waiting: deque[Any] = deque()

    def add_task(self, task: Any) -> None:
        """Waitress has read a request."""
        self._waiting.append(task)

    def work(self) -> None:
        """Answer what has been read."""
        while self._waiting:
            self._waiting.popleft().service()


def _serve(
    app: "WSGIApplication",
    runtime: Runtime,
    where: dict[str, Any],
    listening: Callable[[str], None],
) -> None:
    from waitress import create_server, wasyncore  # type: ignore[import-untyped]

    sockets: dict[int, Any] = {}
    requests = _InTurn()

    def turn(patience: float) -> None:
        wasyncore.loop(timeout=patience, use_poll=True, map=sockets, count=1)
        requests.work()

    try:
        server = create_server(app, map=sockets, _dispatcher=requests, **where, **_LIMITS)
        listening(_address(server, where))
        while not runtime.stop.is_requested:
            turn(0.25)
        _finish(sockets, lambda: turn(0.05))
    except (OSError, ValueError) as error:
        raise ConfigError([f"policy: cannot listen on {_shown(where)}: {error}"]) from error
    finally:
        wasyncore.close_all(sockets, ignore_all=True)


def _finish(sockets: dict[int, Any], turn: Callable[[], None]) -> None:
    """Accept what has connected already, nothing more, and answer it."""
    from waitress import wasyncore
    from waitress.channel import HTTPChannel  # type: ignore[import-untyped]

    turn()
    for listener in [one for one in sockets.values() if one.accepting]:
        wasyncore.dispatcher.close(listener)
    end = time.monotonic() + _LAST_ANSWERS
    while time.monotonic() < end and any(
        one.requests or one.request or one.total_outbufs_len
        for one in sockets.values()
        if isinstance(one, HTTPChannel)
    ):
        turn()


def _address(server: Any, where: dict[str, Any]) -> str:
    listen = getattr(server, "effective_listen", None) or [
        (server.effective_host, server.effective_port)
    ]
    if "unix_socket" in where:
        return f"unix:{where['unix_socket']}"
    return ", ".join(f"http://{_bracketed(host)}:{port}" for host, port in listen)


def _shown(where: dict[str, Any]) -> str:
    return where.get("unix_socket") or f"{where['host']}:{where['port']}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
