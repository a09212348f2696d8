"""Hosts, and how far the long variants go."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.resilience.hosts import Host
from tests.resilience.situations import SETTINGS, HealthyHost, a_healthy_host
from tests.services.redis import a_redis
from tests.services.server import Server

CLAIM = timedelta(seconds=31)
"""As SETTINGS have it, a claim is over after this."""
SETTLE_TIME = timedelta(minutes=10)
"""By default, how long an absence lasts before it is believed."""
IS_SOAK = bool(os.environ.get("STAFFELN_TEST_SOAK"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the long variant, all tests of this folder count as soak."""
    for item in items:
        if IS_SOAK and Path(__file__).parent in item.path.parents:
            item.add_marker("soak")


@pytest.fixture
def host(cloud: SimCloud, sqlite_url: str, tmp_path: Path) -> Host:
    """A host on SQLite."""
    return host_on(sqlite_url, tmp_path)


@pytest.fixture
def host_on_postgresql(cloud: SimCloud, postgresql_url: str, tmp_path: Path) -> Host:
    """A host on PostgreSQL."""
    return host_on(postgresql_url, tmp_path)


def host_on(url: str, folder: Path) -> Host:
    """A host on a database of the caller's choice."""
    environ = {
        **os.environ,
        **SETTINGS,
        "STAFFELN_DATABASE_URL": url,
        "STAFFELN_LOCK_URL": f"file://{folder / 'locks'}",
    }
    return Host(environ, folder)


@pytest.fixture
def healthy(cloud: SimCloud, host: Host) -> Iterator[HealthyHost]:
    """Another host on the same SQLite file, on which nothing goes wrong."""
    healthy = a_healthy_host(host.environ, cloud.now)
    yield healthy
    healthy.runtime.close()


@pytest.fixture
def redis() -> Iterator[Server]:
    """A Redis of this test's own."""
    server = a_redis()
    yield server
    server.stop()
