"""The connection to a cloud: what openstacksdk reads from clouds.yaml, and the HTTP underneath."""

import logging
import os
import threading
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from typing import Any
from urllib.request import getproxies

import openstack
import requests
from keystoneauth1 import exceptions as ksa
from keystoneauth1.session import TCPKeepAliveAdapter
from openstack import exceptions as sdk
from openstack.connection import Connection

from staffeln_cli.config.settings import CloudSettings
from staffeln_cli.errors import ConfigError
from staffeln_cli.model.text import first_line

log = logging.getLogger(__name__)
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Transport(TCPKeepAliveAdapter):
    """Counts every request that leaves, and notes the time that the services tell."""

    def __init__(self, connections: int) -> None:
        self.count = 0
        self.told: tuple[datetime, float] | None = None
        self._lock = threading.Lock()
        super().__init__(pool_connections=connections, pool_maxsize=connections)

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send one request; redirects and repeats count again."""
        with self._lock:
            self.count += 1
        response = super().send(*args, **kwargs)
        if date := response.headers.get("Date"):
            try:
                self.told = (parsedate_to_datetime(date), time.monotonic())
            except ValueError:
                log.debug("a service sent the date %r", date)
        return response


def needs_environment() -> bool:
    """Whether proxies or certificates are set by the environment.

    If not, `requests` need not look for them, and for a .netrc, at every single request, which
    takes as long as all else that it does (requests:src/requests/sessions.py).
    """
    return bool(getproxies()) or any(os.environ.get(name) for name in _CERTIFICATES)


def connected(settings: CloudSettings) -> Connection:
    """A connection that has not asked anything yet; ConfigError for an unknown cloud."""
    try:
        return openstack.connect(
            cloud=settings.name,
            region_name=settings.region,
            app_name="staffeln",
            app_version=metadata.version("staffeln"),
            api_timeout=settings.request_timeout.total_seconds(),
        )
    except (sdk.ConfigException, ksa.MissingRequiredOptions, ksa.NoMatchingPlugin) as error:
        raise ConfigError(
            [f"cloud {settings.name or 'from the environment'}: {first_line(error)}"]
        ) from error
