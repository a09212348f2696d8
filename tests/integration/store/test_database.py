"""The connection: files, transactions, fences, refusals."""

import os
import resource
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from staffeln_cli import migrations
from staffeln_cli.errors import LeadershipLost, StoreUnavailable
from staffeln_cli.store import Store
from staffeln_cli.tables import SCHEMA_REVISION
from tests.build import NOW, a_record, an_inventory_volume
from tests.conftest import migrate
from tests.integration.store.builders import planned


def test_a_new_database_file_is_its_owners_alone_and_its_folder_is_made(tmp_path: Path) -> None:
    file = tmp_path / "state" / "staffeln.db"
    old = os.umask(0)
    try:
        migrate(f"sqlite:///{file}")
    finally:
        os.umask(old)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_sqlite_keeps_a_write_ahead_log_so_that_readers_never_wait(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    with store.database.read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    with store.database.write() as connection:
        connection.execute(text("UPDATE leadership SET fence = 0"))
        assert Store(sqlite_url).records.count() == {}
    store.close()


def test_a_busy_sqlite_is_waited_for(sqlite_url: str) -> None:
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    store = Store(sqlite_url)
    other.execute("BEGIN IMMEDIATE")
    with store.database.read() as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 10_000
    other.execute("COMMIT")
    assert store.lifecycle.plan([a_record()])
    store.close()
    other.close()


def test_a_dry_runs_database_refuses_to_write(store: Store) -> None:
    with store.database.session(read_only=True), pytest.raises(RuntimeError, match="dry run"):
        store.lifecycle.plan([a_record()])
    assert store.records.count() == {}


def leading(store: Store, command: str) -> AbstractContextManager[None]:
    """A session of a leader, who has raised the fence just now."""
    return store.database.session(fence=store.database.raise_fence(command, "somebody"))


def test_a_leader_writes_until_another_takes_over_and_then_no_more(
    store: Store, database_url: str
) -> None:
    other = Store(database_url)
    with leading(store, "collect"):
        store.inventory.save([an_inventory_volume("v1")])
        with leading(other, "collect"):
            with pytest.raises(LeadershipLost):
                store.inventory.save([an_inventory_volume("v2")])
            with pytest.raises(LeadershipLost):
                store.lifecycle.plan([a_record("v2")])
            other.inventory.save([an_inventory_volume("v3")])
    other.close()
    assert {one.volume_id for one in store.inventory.all_volumes()} == {"v1", "v3"}


def test_the_lead_of_one_command_is_no_other_commands(store: Store) -> None:
    with leading(store, "collect"):
        store.database.raise_fence("retain", "second")
        store.inventory.save([an_inventory_volume("v1")])


def test_the_terms_of_a_session_end_with_it_also_when_it_fails(store: Store) -> None:
    with leading(store, "collect"):
        store.database.raise_fence("collect", "second")
        with store.database.session():  # the row of a run is its own, whoever leads now
            store.lifecycle.plan([a_record("v1")])
        with pytest.raises(LeadershipLost):
            store.lifecycle.plan([a_record("v2")])
    with pytest.raises(ZeroDivisionError), store.database.session(read_only=True):
        _ = 1 / 0
    assert store.lifecycle.plan([a_record("v3")])


def test_nothing_of_a_transaction_that_failed_is_kept(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.database.write() as connection:
        connection.execute(text("INSERT INTO leadership VALUES ('x', 1, 'y', '2026-01-01')"))
        _ = 1 / 0
    with store.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM leadership")).scalar() == 0


@pytest.mark.parametrize(
    ("asked", "name"), [("", "staffeln"), ("&application_name=nightly", "nightly")]
)
def test_a_connection_to_postgresql_is_patient_unless_its_url_says_otherwise(
    postgresql_url: str, asked: str, name: str
) -> None:
    store = Store(postgresql_url + asked)
    with store.database.read() as connection:
        shown = connection.execute(text("SHOW application_name")).scalar_one()
        driver = connection.connection.driver_connection
        assert driver is not None
        parameters = driver.info.get_parameters()
    store.close()
    assert shown == name
    assert parameters["connect_timeout"] == "5"
    assert parameters["tcp_user_timeout"] == "40000"


@pytest.mark.parametrize(("asked", "given"), [("3", "3"), ("60", "10"), ("0", "10"), ("-1", "10")])
def test_the_url_may_say_how_long_a_connection_may_take_but_not_for_ever(
    postgresql_url: str, asked: str, given: str
) -> None:
    store = Store(f"{postgresql_url}&connect_timeout={asked}")
    with store.database.read() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        parameters = driver.info.get_parameters()
    store.close()
    assert parameters["connect_timeout"] == given


def test_tables_and_migrations_do_not_drift_apart(store: Store) -> None:
    with store.database.write() as connection:
        migrations.drift(connection)


def test_the_code_wants_the_newest_migration() -> None:
    newest = max(file.name for file in (migrations.scripts() / "versions").glob("[0-9]*.py"))
    assert newest.partition("_")[0] == SCHEMA_REVISION


def test_an_upgrade_of_what_is_up_to_date_keeps_everything(
    store: Store, database_url: str
) -> None:
    planned(store, 3)
    migrate(database_url)
    assert sum(store.records.count().values()) == 3
    store.database.check_schema()


FILL = """
import resource, sys
from staffeln_cli.errors import StoreUnavailable
from staffeln_cli.store import Store
from tests.build import a_record
store = Store(sys.argv[1])
store.records.count()
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    for page in range(1000):
        store.lifecycle.plan([a_record(f"v{page}-{i}") for i in range(100)])
except StoreUnavailable as error:
    print(error)
"""


def test_a_disk_that_is_full_is_said_in_one_sentence_and_loses_nothing(sqlite_url: str) -> None:
    limit = str(300_000)
    said = subprocess.run(
        [sys.executable, "-c", FILL, sqlite_url, limit],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert said.stdout.startswith(f"database {sqlite_url}: ")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != int(limit)
    store = Store(sqlite_url)
    assert sum(store.records.count().values()) % 100 == 0
    store.close()


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(StoreUnavailable) as raised:
        act()
    return str(raised.value)


def test_a_read_only_sqlite_is_refused_in_one_sentence(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    with store.database.read() as connection:
        connection.execute(text("PRAGMA query_only = ON"))
    said = refused(lambda: store.lifecycle.plan([a_record()]))
    assert "readonly" in said
    assert len(said.splitlines()) == 1
    store.close()


def test_a_read_only_postgresql_is_refused_in_one_sentence(postgresql_url: str) -> None:
    name = make_url(postgresql_url).database
    engine = create_engine(postgresql_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    engine.dispose()
    store = Store(postgresql_url)
    assert "read-only" in refused(lambda: store.lifecycle.plan([a_record()]))
    store.close()


def test_a_postgresql_user_without_rights_is_refused_in_one_sentence(postgresql_url: str) -> None:
    engine = create_engine(postgresql_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP ROLE IF EXISTS nobody"))
        connection.execute(text("CREATE ROLE nobody LOGIN"))
    engine.dispose()
    store = Store(postgresql_url.replace("postgres:@", "nobody:@"))
    assert "permission denied" in refused(store.records.count)
    store.close()


def test_a_postgresql_that_ends_in_the_middle_is_a_refusal_and_the_next_call_goes_on(
    postgresql_url: str,
) -> None:
    store = Store(postgresql_url, clock=lambda: NOW)
    planned(store, 1)

    def shot() -> None:
        with store.database.write() as connection:
            connection.execute(text("DELETE FROM backups"))
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    assert len(refused(shot).splitlines()) == 1
    assert sum(store.records.count().values()) == 1
    store.close()
