"""Locks in the database itself: its clock, and a database that is silent or gone."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from staffeln_cli import migrations
from staffeln_cli.commands import db
from staffeln_cli.config import load
from staffeln_cli.errors import LockHeld, LockServiceUnavailable, SchemaOutdated
from staffeln_cli.locks import held
from staffeln_cli.runtime import Runtime
from staffeln_cli.store import Leases
from staffeln_cli.tables import SCHEMA_REVISION
from tests.conftest import migrate
from tests.services.postgres import Postgres, a_postgres

LEASE = timedelta(seconds=1.5)


@pytest.fixture
def leases(postgresql_url: str) -> Iterator[Leases]:
    leases = Leases(postgresql_url)
    yield leases
    leases.close()


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    """A server that the test may stop."""
    with a_postgres() as server:
        migrate(server.url)
        yield server


def run_sql(url: str, statement: str) -> int:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        count = connection.execute(text(statement)).rowcount
    engine.dispose()
    return count


def test_the_clock_of_the_database_decides_whether_a_lock_has_expired(
    leases: Leases, postgresql_url: str
) -> None:
    leases.take("collect", owner="dead host", token="1", duration=timedelta(hours=1))
    lease = timedelta(minutes=1)
    with pytest.raises(LockHeld), held(leases, "collect", owner="me", lease=lease):
        pass
    expired = "UPDATE leases SET expires_at = clock_timestamp() - interval '1 ms'"
    assert run_sql(postgresql_url, expired) == 1
    with held(leases, "collect", owner="me", lease=lease) as lock:
        assert lock.still_held()


def test_a_lock_that_somebody_removed_is_lost_and_its_next_holder_is_not_disturbed(
    leases: Leases, postgresql_url: str
) -> None:
    with held(leases, "collect", owner="first", lease=LEASE) as lock:
        assert run_sql(postgresql_url, "DELETE FROM leases") == 1
        with held(leases, "collect", owner="second", lease=LEASE) as other:
            until = time.monotonic() + 5
            while lock.still_held() and time.monotonic() < until:
                time.sleep(0.02)
            assert not lock.still_held()
            assert other.still_held()


def test_a_database_that_stops_ends_the_lock_in_time_and_the_pass_is_not_hung(
    own_server: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    leases = Leases(own_server.url)
    with held(leases, "collect", owner="me", lease=timedelta(seconds=5)) as lock:
        assert lock.still_held()
        own_server.stop()
        began = time.monotonic()
        while lock.still_held():
            time.sleep(0.02)
        assert time.monotonic() - began < 5.1
    assert "could not be renewed" in caplog.text
    with pytest.raises(LockServiceUnavailable), held(leases, "x", owner="me", lease=LEASE):
        pass
    leases.close()
    own_server.start()


def runtime_on(url: str, **lock: str) -> Runtime:
    environ = {"STAFFELN_DATABASE_URL": url, **lock}
    return Runtime(load(None, environ).settings)


def test_postgresql_keeps_its_locks_in_itself_unless_told_otherwise(postgresql_url: str) -> None:
    first, second = runtime_on(postgresql_url), runtime_on(postgresql_url)
    assert first.lock_url == "database"
    with first.lock("collect"):
        with pytest.raises(LockHeld, match="the lock collect in the database"):
            second.lock("collect").__enter__()
        with second.lock("retain"):
            pass
    with second.lock("collect"):
        pass
    first.close()
    second.close()


def test_sqlite_keeps_its_locks_in_a_folder_unless_told_otherwise(sqlite_url: str) -> None:
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent / "locks"
    assert runtime_on(sqlite_url).lock_url == f"file://{folder}"
    in_itself = runtime_on(sqlite_url, STAFFELN_LOCK_URL="database")
    with in_itself.lock("collect"):
        assert not folder.exists()
    in_itself.close()


def test_installations_that_share_a_lock_service_do_not_block_each_other(
    sqlite_url: str, postgresql_url: str, tmp_path: Path
) -> None:
    lock = {"STAFFELN_LOCK_URL": f"file://{tmp_path / 'shared'}"}
    runtimes = [runtime_on(url, **lock) for url in (sqlite_url, postgresql_url, postgresql_url)]
    staging, production, same = runtimes
    for number, url in enumerate((sqlite_url, postgresql_url)):
        columns = "id, identity, region, auth_url, name, installation_id"
        row = f"1, 'c', 'r', 'u', 'n', 'installation-{number}'"
        assert run_sql(url, f"INSERT INTO cloud ({columns}) VALUES ({row})") == 1
    with staging.lock("collect"), production.lock("collect"), pytest.raises(LockHeld):
        same.lock("collect").__enter__()
    for runtime in runtimes:
        runtime.close()


def test_one_upgrade_of_a_schema_works_at_a_time(postgresql_url: str) -> None:
    first, second = runtime_on(postgresql_url), runtime_on(postgresql_url)
    with first.unchecked_store.database.write() as connection:
        migrations.upgrade(connection)
        with pytest.raises(LockHeld, match="another db upgrade"):
            db.upgrade(second)
    assert db.upgrade(second) == (SCHEMA_REVISION, SCHEMA_REVISION)
    first.close()
    second.close()


def test_a_lock_needs_the_schema_and_says_so(postgresql_server: str) -> None:
    runtime = runtime_on(postgresql_server)
    with pytest.raises(SchemaOutdated, match="staffeln db upgrade"):
        runtime.lock("collect").__enter__()
    runtime.close()
