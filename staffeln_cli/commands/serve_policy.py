"""Serve the policy endpoint under waitress until a signal asks for an end."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from staffeln_cli.config import Settings, find_file, load
from staffeln_cli.errors import ConfigError
from staffeln_cli.policy_endpoint import Application
from staffeln_cli.runtime import Runtime

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
    """Serve until `runtime.stop` is requested, then finish the answers in hand and return.

    An address given here replaces the configured one. `listening` is called with the address
    once connections are accepted. ConfigError: the address cannot be used.
    """
    policy = runtime.settings.policy
    if unix_socket is None and host is None and port is None:
        unix_socket = policy.unix_socket
    lookup = _lookup(runtime.settings)
    try:
        server = _server(
            Application(lookup.look_up, policy),
            policy.host if host is None else host,
            policy.port if port is None else port,
            unix_socket,
        )
        listening(server.address)
        server.run(runtime.stop.event)
    finally:
        lookup.close()


def configured() -> Application:
    """Return the application as the environment configures it, for other WSGI servers."""
    settings = load(find_file(None, os.environ)).settings
    return Application(_lookup(settings).look_up, settings.policy)


def _lookup(settings: Settings) -> "PolicyLookup":
    from staffeln_cli.policy_endpoint.server import THREADS
    from staffeln_cli.store import Database
    from staffeln_cli.store.policy_lookup import PolicyLookup

    return PolicyLookup.of(Database(settings.database.url), connections=THREADS - 1)


def _server(app: Application, host: str, port: int, unix_socket: Path | None) -> "Server":
    from staffeln_cli.policy_endpoint.server import Server

    try:
        return Server(app, host=host, port=port, unix_socket=unix_socket)
    except (OSError, ValueError) as error:
        shown = unix_socket or f"{host}:{port}"
        raise ConfigError([f"policy: cannot listen on {shown}: {error}"]) from error
