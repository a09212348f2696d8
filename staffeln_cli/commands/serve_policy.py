"""Serve the policy endpoint under waitress until a signal asks for an end."""

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from staffeln_cli import policy_endpoint
from staffeln_cli.config import Settings, find_file, load
from staffeln_cli.errors import ConfigError
from staffeln_cli.runtime import Runtime, Stop

if TYPE_CHECKING:
    from staffeln_cli.policy_endpoint.server import Server
    from staffeln_cli.store.policy_lookup import PolicyLookup

log = logging.getLogger(__name__)


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
    where: dict[str, str | int] = {
        "host": host or policy.host,
        "port": policy.port if port is None else port,
    }
    if unix_socket is None and host is None and port is None:
        unix_socket = policy.unix_socket
    if unix_socket is not None:
        where = {"unix_socket": str(unix_socket)}
    lookup = _lookup(runtime.settings)
    try:
        server = _server(policy_endpoint.create_app(lookup, policy), where)
        listening(server.address)
        server.run(partial(_stopped, runtime.stop))
    finally:
        lookup.close()
        if unix_socket is not None:
            unix_socket.unlink(missing_ok=True)


def configured() -> policy_endpoint.Application:
    """The application by the configuration that the environment names, for other WSGI servers."""
    settings = load(find_file(None, os.environ)).settings
    return policy_endpoint.create_app(_lookup(settings), settings.policy)


def _lookup(settings: Settings) -> "PolicyLookup":
    from staffeln_cli.store import Database
    from staffeln_cli.store.policy_lookup import PolicyLookup

    return PolicyLookup(Database(settings.database.url))


def _server(app: policy_endpoint.Application, where: dict[str, str | int]) -> "Server":
    from staffeln_cli.policy_endpoint.server import Server

    try:
        return Server(app, **where)
    except (OSError, ValueError) as error:
        shown = where.get("unix_socket") or f"{where['host']}:{where['port']}"
        raise ConfigError([f"policy: cannot listen on {shown}: {error}"]) from error


def _stopped(stop: Stop, seconds: float) -> bool:
    stop.sleep(seconds)
    return stop.is_requested
