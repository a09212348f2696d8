"""What many tests stand on: a simulated cloud, real databases, and the command line."""

import gc
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from coverage import Coverage
from sqlalchemy import create_engine, text

from staffeln_cli.cli import staffeln as command_line
from staffeln_cli.cli.session import Session
from staffeln_cli.commands import db
from staffeln_cli.config import load
from staffeln_cli.demo import simcloud
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.runtime import Runtime
from tests.services.postgres import a_postgres
from tests.services.spare_databases import SpareDatabases
from tests.services.statements import compile_once

compile_once()

_WHOLE_PASSES = ("acceptance", "packaging", "properties", "resilience")
"""Folders of tests that are not traced for coverage: it would double their time, and it is the
focused tests that have to cover the code."""


def pytest_collection_finish() -> None:
    """Spare the garbage collection the five thousand tests: a tenth of the processor time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run tests of whole passes, with all that their fixtures do, without tracing."""
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    if folder not in _WHOLE_PASSES:
        return (yield)
    stopped = []
    while (coverage := Coverage.current()) is not None:  # a worker of xdist has two
        coverage.stop()
        stopped.append(coverage)
    try:
        return (yield)
    finally:
        for coverage in reversed(stopped):
            coverage.start()


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.stdout)

    @property
    def counts(self) -> dict[str, int]:
        """The figures of a cycle command."""
        counts: dict[str, int] = self.json["counts"]
        return counts


@pytest.fixture(scope="session")
def cloud_server() -> Iterator[SimCloud]:
    with simcloud.serving() as cloud:
        yield cloud


@pytest.fixture
def cloud(
    cloud_server: SimCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SimCloud]:
    """An empty simulated cloud, which OS_CLOUD leads to."""
    cloud_server.reset()
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(cloud_server.clouds_yaml())
    for name in [name for name in os.environ if name.startswith(("OS_", "STAFFELN_"))]:
        if not name.startswith("STAFFELN_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    monkeypatch.setenv("OS_CLOUD", "sim")
    yield cloud_server
    cloud_server.reset()
    cloud_server.accept_connections()


@pytest.fixture
def restores_take_no_time(cloud: SimCloud) -> None:
    """Restores are complete as soon as they are asked for."""
    cloud.settings.restore_pace = timedelta(0)


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(empty_sqlite: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of this test's own."""
    shutil.copy(empty_sqlite, tmp_path / "staffeln.db")
    return f"sqlite:///{tmp_path / 'staffeln.db'}"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL on a private socket, with a migrated database `migrated` to copy."""
    with a_postgres() as server:
        _sql(server.url, "CREATE DATABASE migrated")
        migrate(server.url.replace("/postgres?", "/migrated?"))
        yield server.url


@pytest.fixture(scope="session")
def spare_databases(postgresql_server: str) -> SpareDatabases:
    """Migrated PostgreSQL databases; each is some test's own for as long as it runs."""
    return SpareDatabases(postgresql_server)


@pytest.fixture
def postgresql_url(spare_databases: SpareDatabases) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    with spare_databases.borrowed() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The same test on both databases."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@dataclass
class Staffeln:
    """The command line, in this process, with its own configuration and clock."""

    environ: dict[str, str]
    clock: Callable[[], datetime] | None

    def __call__(self, *arguments: str) -> Answer:
        session = Session(environ=dict(self.environ), clock=self.clock)
        result = CliRunner().invoke(command_line, arguments, obj=session)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    def set(self, **settings: str) -> None:
        """Configure: `set(BACKUP_MIN_INTERVAL="0s")`."""
        self.environ.update({f"STAFFELN_{key}": value for key, value in settings.items()})

    def cycle(self, *commands: str) -> list[Answer]:
        """Run cycle commands one after the other, with JSON outcomes."""
        return [self(command, "-f", "json") for command in commands]


@pytest.fixture
def staffeln(cloud: SimCloud, sqlite_url: str, tmp_path: Path) -> Staffeln:
    """The command line against the simulated cloud, with its clock, on SQLite."""
    return staffeln_on(sqlite_url, cloud, tmp_path)


@pytest.fixture
def staffeln_on_each(cloud: SimCloud, database_url: str, tmp_path: Path) -> Staffeln:
    """The same on SQLite and on PostgreSQL."""
    return staffeln_on(database_url, cloud, tmp_path)


def staffeln_on(url: str, cloud: SimCloud, folder: Path) -> Staffeln:
    """The command line on a database of the caller's choice."""
    environ = {
        "STAFFELN_DATABASE_URL": url,
        "STAFFELN_LOCK_URL": f"file://{folder / 'locks'}",
        "STAFFELN_CLOUD_RETRY_TIMEOUT": "2s",
        "STAFFELN_CLOUD_REQUEST_TIMEOUT": "5s",
    }
    return Staffeln(environ, cloud.now)


def migrate(url: str) -> None:
    """Bring a database's schema up to date."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {"STAFFELN_DATABASE_URL": url, "STAFFELN_LOCK_URL": f"file://{folder}"}
        runtime = Runtime(load(None, environ).settings)
        db.upgrade(runtime)
        runtime.close()


def _sql(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
