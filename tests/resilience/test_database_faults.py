"""A database that goes away, refuses or is full ends a pass with 69; the next one goes on."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.demo.simcloud.calls import Request
from staffeln_cli.errors import StoreUnavailable
from tests.conftest import migrate
from tests.resilience.conftest import IS_SOAK, host_on
from tests.resilience.gates import Gate
from tests.resilience.hosts import Host, Running
from tests.resilience.process import Frozen
from tests.resilience.scenes import Scene
from tests.resilience.worlds import CYCLE, Keeper, broken_promises, found, keeper, live, settle
from tests.services.postgres import a_postgres

OTHERS = "pid <> pg_backend_pid() AND datname = current_database()"
END_ALL = text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OTHERS}")
WAITING = text(
    f"SELECT count(*) FROM pg_stat_activity WHERE {OTHERS} AND wait_event_type = 'Lock'"
)


@pytest.fixture
def keep_on_postgresql(cloud: SimCloud, host_on_postgresql: Host) -> Iterator[Keeper]:
    keep = keeper(host_on_postgresql.environ, cloud.now)
    yield keep
    keep.runtime.close()


@pytest.mark.parametrize("command", CYCLE if IS_SOAK else ["check"])
def test_a_pass_whose_connections_are_cut_at_any_request_is_finished_by_the_next(
    cloud: SimCloud, host_on_postgresql: Host, keep_on_postgresql: Keeper, command: str
) -> None:
    scene = Scene(cloud, host_on_postgresql, keep_on_postgresql, command)
    url = host_on_postgresql.environ["STAFFELN_DATABASE_URL"]
    engine = create_engine(url, poolclass=NullPool)
    one_at_a_time = threading.Lock()

    def cut(_: Request) -> None:
        with one_at_a_time, engine.connect() as connection:
            connection.execute(END_ALL)

    def play() -> None:
        cloud.on_request = cut
        code = scene.host.run(command).wait()
        assert code in (0, 3, StoreUnavailable.exit_code)

    assert scene.end(play) == scene.goes_well


@pytest.mark.parametrize("command", CYCLE if IS_SOAK else ["collect", "check"])
def test_a_connection_lost_within_a_transaction_ends_the_pass_and_keeps_nothing_of_it(
    cloud: SimCloud, host_on_postgresql: Host, keep_on_postgresql: Keeper, command: str
) -> None:
    keep = keep_on_postgresql
    found(cloud)
    live(cloud, keep, 4)
    keep("collect")
    engine = create_engine(host_on_postgresql.environ["STAFFELN_DATABASE_URL"])
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE backups, volumes IN ACCESS EXCLUSIVE MODE"))
        run = host_on_postgresql.suffering(clock=Frozen(cloud.now())).start(command)
        wait_until_one_waits(engine.connect(), run)
        connection.execute(END_ALL)
    engine.dispose()
    assert run.wait() == StoreUnavailable.exit_code
    assert "database" in run.stderr
    settle(cloud, keep)
    assert broken_promises(cloud, keep) == []


def wait_until_one_waits(connection: Connection, run: Running) -> None:
    with connection:
        while run.poll() is None:
            if connection.execute(WAITING).scalar_one():
                return
            connection.rollback()
            time.sleep(0.05)
    raise AssertionError(f"it did not wait: {run.stderr}")


def test_a_database_server_that_restarts_under_a_pass_costs_that_pass_at_most(
    cloud: SimCloud, tmp_path: Path
) -> None:
    with a_postgres() as server:
        migrate(server.url)
        host = host_on(server.url, tmp_path)
        keep = keeper(host.environ, cloud.now)
        found(cloud)
        keep("collect")
        gate = Gate(cloud, "POST", "/backups", number=3)
        run = host.suffering(clock=Frozen(cloud.now())).start("backup")
        gate.wait()
        server.stop()
        gate.open()
        assert run.wait() == StoreUnavailable.exit_code
        server.start()
        keep.store.close()
        settle(cloud, keep)
        assert broken_promises(cloud, keep) == []
        assert len(cloud.backups()) == 7
        keep.runtime.close()


def test_transactions_that_cannot_be_serialised_end_a_pass_and_lose_nothing(
    cloud: SimCloud, host_on_postgresql: Host, keep_on_postgresql: Keeper
) -> None:
    keep = keep_on_postgresql
    found(cloud)
    url = make_url(host_on_postgresql.environ["STAFFELN_DATABASE_URL"])
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text(f"ALTER DATABASE {url.database} SET default_transaction_isolation = serializable")
        )
    engine.dispose()
    keep.store.close()
    keep("collect")
    host = host_on_postgresql.suffering(clock=Frozen(cloud.now()))
    for _ in range(2):
        runs = [host.start(one) for one in ("backup", "check", "backup", "check", "backup")]
        assert {one.wait() for one in runs} <= {0, 3, StoreUnavailable.exit_code}
        cloud.finish_backups()
    settle(cloud, keep)
    assert broken_promises(cloud, keep) == []
    assert len(cloud.backups()) == 7


@pytest.mark.parametrize("command", CYCLE if IS_SOAK else ["backup", "retain"])
def test_a_full_disk_ends_the_pass_and_the_next_one_goes_on(
    cloud: SimCloud, host: Host, keep: Keeper, command: str
) -> None:
    scene = Scene(cloud, host, keep, command)
    for kilobytes in range(4, 200, 8 if IS_SOAK else 48):
        tight = scene.host.suffering(largest_file=kilobytes * 1024)
        codes: list[int] = []
        assert scene.end(lambda: codes.append(tight.run(command).wait())) == scene.goes_well  # noqa: B023
        assert codes[0] in (0, 3, StoreUnavailable.exit_code)
        if kilobytes == 4:
            assert codes[0] == StoreUnavailable.exit_code
