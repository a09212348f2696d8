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
from tests.resilience.replay import Replay
from tests.resilience.situations import (
    CYCLE,
    HealthyHost,
    a_healthy_host,
    good_days,
    settle,
    two_projects,
    violations,
)
from tests.services.postgres import a_postgres

OTHERS = "pid <> pg_backend_pid() AND datname = current_database()"
END_ALL = text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OTHERS}")
WAITING = text(
    f"SELECT count(*) FROM pg_stat_activity WHERE {OTHERS} AND wait_event_type = 'Lock'"
)


@pytest.fixture
def healthy_on_postgresql(cloud: SimCloud, host_on_postgresql: Host) -> Iterator[HealthyHost]:
    healthy = a_healthy_host(host_on_postgresql.environ, cloud.now)
    yield healthy
    healthy.runtime.close()


@pytest.mark.parametrize("command", CYCLE if IS_SOAK else ["check"])
def test_a_pass_whose_connections_are_cut_at_any_request_is_finished_by_the_next(
    cloud: SimCloud, host_on_postgresql: Host, healthy_on_postgresql: HealthyHost, command: str
) -> None:
    replay = Replay(cloud, host_on_postgresql, healthy_on_postgresql, command)
    url = host_on_postgresql.environ["STAFFELN_DATABASE_URL"]
    engine = create_engine(url, poolclass=NullPool)
    one_at_a_time = threading.Lock()

    def cut(_: Request) -> None:
        with one_at_a_time, engine.connect() as connection:
            connection.execute(END_ALL)

    def play() -> None:
        cloud.on_request = cut
        cut_off = replay.host.start("-v", command)
        assert cut_off.wait() in (0, 3, StoreUnavailable.exit_code), cut_off.stderr

    assert replay.end(play) == replay.undisturbed


@pytest.mark.parametrize("command", CYCLE if IS_SOAK else ["collect", "check"])
def test_a_connection_lost_within_a_transaction_ends_the_pass_and_keeps_nothing_of_it(
    cloud: SimCloud, host_on_postgresql: Host, healthy_on_postgresql: HealthyHost, command: str
) -> None:
    healthy = healthy_on_postgresql
    two_projects(cloud)
    good_days(cloud, healthy, 4)
    healthy("collect")
    engine = create_engine(host_on_postgresql.environ["STAFFELN_DATABASE_URL"])
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE backups, volumes IN ACCESS EXCLUSIVE MODE"))
        run = host_on_postgresql.under(clock=Frozen(cloud.now())).start(command)
        wait_until_one_waits(engine.connect(), run)
        connection.execute(END_ALL)
    engine.dispose()
    assert run.wait() == StoreUnavailable.exit_code
    assert "database" in run.stderr
    settle(cloud, healthy)
    assert violations(cloud, healthy) == []


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
        healthy = a_healthy_host(host.environ, cloud.now)
        two_projects(cloud)
        healthy("collect")
        gate = Gate(cloud, "POST", "/backups", number=3)
        run = host.under(clock=Frozen(cloud.now())).start("backup")
        gate.wait()
        server.stop()
        gate.open()
        assert run.wait() == StoreUnavailable.exit_code
        server.start()
        healthy.store.close()
        settle(cloud, healthy)
        assert violations(cloud, healthy) == []
        assert len(cloud.backups()) == 7
        healthy.runtime.close()


def test_transactions_that_cannot_be_serialised_end_a_pass_and_lose_nothing(
    cloud: SimCloud, host_on_postgresql: Host, healthy_on_postgresql: HealthyHost
) -> None:
    healthy = healthy_on_postgresql
    two_projects(cloud)
    url = make_url(host_on_postgresql.environ["STAFFELN_DATABASE_URL"])
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text(f"ALTER DATABASE {url.database} SET default_transaction_isolation = serializable")
        )
    engine.dispose()
    healthy.store.close()
    healthy("collect")
    host = host_on_postgresql.under(clock=Frozen(cloud.now()))
    for _ in range(2):
        runs = [host.start(one) for one in ("backup", "check", "backup", "check", "backup")]
        assert {one.wait() for one in runs} <= {0, 3, StoreUnavailable.exit_code}
        cloud.steering.finish_backups()
    settle(cloud, healthy)
    assert violations(cloud, healthy) == []
    assert len(cloud.backups()) == 7


@pytest.mark.parametrize("command", CYCLE if IS_SOAK else ["backup", "retain"])
def test_a_full_disk_ends_the_pass_and_the_next_one_goes_on(
    cloud: SimCloud, host: Host, healthy: HealthyHost, command: str
) -> None:
    replay = Replay(cloud, host, healthy, command)
    for kilobytes in range(4, 200, 8 if IS_SOAK else 48):
        tight = replay.host.under(largest_file=kilobytes * 1024)
        codes: list[int] = []
        assert replay.end(lambda: codes.append(tight.run(command).wait())) == replay.undisturbed  # noqa: B023
        assert codes[0] in (0, 3, StoreUnavailable.exit_code)
        if kilobytes == 4:
            assert codes[0] == StoreUnavailable.exit_code
