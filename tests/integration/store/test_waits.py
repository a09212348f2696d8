"""Every wait for the database ends: for locks, for hosts that are stopped, for a silent server."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import create_engine, text

from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.errors import Stopped, StoreUnavailable
from staffeln_cli.store import Store
from tests.acceptance.builders import some_volumes
from tests.acceptance.processes import started
from tests.build import a_record
from tests.conftest import Staffeln, staffeln_on
from tests.services.postgres import frozen

ENDS_WITHIN = 15.0
"""Seconds from a signal to the end of any command."""
ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from sqlalchemy import text
from staffeln_cli.store import Store
with Store(sys.argv[1]).database.write() as connection:
    connection.execute(text("LOCK TABLE backups IN EXCLUSIVE MODE"))
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(url: str, statement: str) -> Iterator[None]:
    """A transaction of somebody else that stays open."""
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text(statement))
        yield
        connection.rollback()
    engine.dispose()


def test_a_lock_of_somebody_else_is_waited_for_but_not_for_ever(postgresql_url: str) -> None:
    with (
        closing(Store(postgresql_url)) as store,
        held(postgresql_url, "LOCK TABLE backups IN EXCLUSIVE MODE"),
    ):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            store.lifecycle.plan([a_record()])
        assert 5 < time.monotonic() - began < ENDS_WITHIN


def test_a_host_that_is_stopped_in_a_transaction_holds_the_others_up_for_seconds_only(
    postgresql_url: str,
) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, postgresql_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environ,
        cwd=ROOT,
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == b"held\n"
        host.send_signal(signal.SIGSTOP)
        try:
            with closing(Store(postgresql_url)) as store:
                with pytest.raises(StoreUnavailable):
                    store.lifecycle.plan([a_record()])
                assert store.lifecycle.plan([a_record()])
        finally:
            host.kill()


def test_the_waits_are_set_for_one_transaction_only(postgresql_url: str) -> None:
    with closing(Store(postgresql_url)) as store:
        for transaction in (store.database.read, store.database.write):
            with transaction() as connection:
                assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "10s"
                assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "5min"
                driver = connection.connection.driver_connection
            assert driver is not None
            assert driver.execute("SHOW lock_timeout").fetchone() == ("0",)
            driver.rollback()


def ended(process: subprocess.Popen[str]) -> int:
    """The exit code of a command after a signal; TimeoutExpired if it goes on."""
    process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode


@contextmanager
def reached(cloud: SimCloud, path: str) -> Iterator[Event]:
    """Set once a request has come that has this in its path."""
    event = Event()

    def note(request: Request) -> None:
        if path in request.path:
            event.set()

    cloud.on_request = note
    yield event
    cloud.on_request = None


def test_a_signal_ends_a_command_that_waits_for_the_file_of_another(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 2)
    file = staffeln.environ["STAFFELN_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        process = started(staffeln, "collect")
        time.sleep(2)
        assert process.poll() is None
        assert ended(process) == Stopped(signal.SIGTERM).exit_code
        other.execute("ROLLBACK")


def test_a_signal_ends_a_command_that_waits_for_a_lock(
    cloud: SimCloud, postgresql_url: str, tmp_path: Path
) -> None:
    some_volumes(cloud, 2)
    staffeln = staffeln_on(postgresql_url, cloud, tmp_path)
    with (
        held(postgresql_url, "LOCK TABLE volumes IN EXCLUSIVE MODE"),
        reached(cloud, "/volumes/detail") as event,
    ):
        process = started(staffeln, "collect")
        assert event.wait(30)
        time.sleep(0.5)
        assert ended(process) == Stopped(signal.SIGTERM).exit_code


def test_a_signal_ends_a_command_whose_database_server_is_silent(
    cloud: SimCloud, postgresql_url: str, tmp_path: Path
) -> None:
    some_volumes(cloud, 2)
    staffeln = staffeln_on(postgresql_url, cloud, tmp_path)
    engine = create_engine(postgresql_url)
    backends = text(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()"
    )
    with reached(cloud, "/volumes/detail") as event, engine.connect() as connection:
        cloud.faults.delay_next("GET", "/volumes/detail", 1.5)
        process = started(staffeln, "collect")
        assert event.wait(30)
        pids = connection.execute(backends).scalars().all()
        assert pids
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(2)  # by now it waits for an answer of the server
            code = ended(process)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
    engine.dispose()
    assert code == Stopped(signal.SIGTERM).exit_code


def test_a_new_connection_to_a_silent_server_is_given_up_in_seconds(postgresql_url: str) -> None:
    with closing(Store(postgresql_url)) as store, frozen(postgresql_url):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.records.count()
        assert 4 < time.monotonic() - began < 10


def test_after_a_stop_a_silent_server_is_given_up_sooner(postgresql_url: str) -> None:
    stopping = Event()
    stopping.set()
    with closing(Store(postgresql_url, stopping=stopping)) as store, frozen(postgresql_url):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.records.count()
        assert time.monotonic() - began < 4


@pytest.mark.parametrize("command", ["collect", "backup"])
def test_a_signal_ends_a_command_that_connects_to_a_silent_server(
    cloud: SimCloud, postgresql_url: str, tmp_path: Path, command: str
) -> None:
    staffeln = staffeln_on(f"{postgresql_url}&connect_timeout=600", cloud, tmp_path)
    with frozen(postgresql_url):
        process = started(staffeln, command)
        time.sleep(3)
        assert process.poll() is None
        assert ended(process) == Stopped(signal.SIGTERM).exit_code
