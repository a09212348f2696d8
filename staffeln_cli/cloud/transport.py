"""The HTTP underneath: requests counted and bounded, and the time that services state."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from keystoneauth1.session import TCPKeepAliveAdapter
from requests import PreparedRequest, Response

from staffeln_cli.cloud.clocks import Clocks
from staffeln_cli.cloud.watched import POOLS, bounded
from staffeln_cli.deadlines import Deadlines
from staffeln_cli.errors import CloudUnavailable, ConfigError

_AT_ONCE = 4 << 20
"""Bytes of an answer that are asked for at once; a page of a thousand rows has a MiB or so."""


class Transport(TCPKeepAliveAdapter):
    """Counts each request, bounds it as a whole, and notes the time that each service states."""

    def __init__(self, connections: int, deadlines: Deadlines, clocks: Clocks) -> None:
        self.count = 0
        self.clocks = clocks
        self._deadlines = deadlines
        self._lock = threading.Lock()
        self._discovery = threading.local()
        super().__init__(pool_connections=connections, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make connections that can be cut off."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Make such connections to proxies, too."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def close(self) -> None:
        """Close all connections."""
        self._deadlines.close()
        super().close()

    @contextmanager
    def logging_in(self) -> Iterator[None]:
        """A login by this thread, during which no token can be asked for."""
        self._discovery.under_way = True
        try:
            yield
        finally:
            self._discovery.under_way = False

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send one request and read the whole answer; redirects and repeats count again."""
        with self._lock:
            self.count += 1
        sent_at = time.monotonic()
        with bounded(self._deadlines) as pending:
            try:
                kwargs["stream"] = True
                response = super().send(request, *args, **kwargs)
                _read(response)
            except OSError as error:  # every error of requests is one, too
                if pending.was_cut:
                    raise _too_slow(request, sent_at) from error
                if isinstance(error, requests.RequestException):
                    raise
                # requests:src/requests/adapters.py:cert_verify checks the files that are named.
                raise ConfigError([f"clouds.yaml, cacert, cert or key: {error}"]) from error
        if pending.was_cut:  # an answer that ends with its connection only seems to be complete
            raise _too_slow(request, sent_at)
        self.clocks.note(str(request.url), response.headers.get("Date"))
        self._see_login(request, response)
        return response

    def _see_login(self, request: PreparedRequest, response: Response) -> None:
        """Stop keystoneauth where it would wait for itself.

        Its generic plugins ask for the version document while they hold their lock. After a 401
        they ask for a token to repeat it with, and wait for that lock for ever
        (keystoneauth1/discover.py:get_version_data, identity/base.py:get_access).
        """
        under_way = getattr(self._discovery, "under_way", False)
        if under_way and response.status_code == 401 and request.method == "GET":
            raise CloudUnavailable(
                f"GET {request.url}: Keystone's version document was refused with HTTP 401, which"
                " needs no login; check auth_url, and what stands between this host and Keystone"
            )


def _read(response: Response) -> None:
    """Read the whole body in few steps: after each, this thread waits for those that compute.

    `requests` would take it by 10 KiB (requests:src/requests/models.py, CONTENT_CHUNK_SIZE).
    """
    response._content = b"".join(response.iter_content(_AT_ONCE))


def _too_slow(request: PreparedRequest, sent_at: float) -> requests.ReadTimeout:
    seconds = round(time.monotonic() - sent_at)
    return requests.ReadTimeout(f"{request.url}: no complete answer after {seconds} s")
