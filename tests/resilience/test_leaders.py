"""A leader that slept, or whose lock service forgot it, writes nothing more once another leads."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import LeadershipLost
from tests.resilience.gates import Gate
from tests.resilience.hosts import Host, Running
from tests.resilience.process import Frozen
from tests.resilience.situations import (
    HealthyHost,
    a_healthy_host,
    good_days,
    settle,
    two_projects,
    violations,
)
from tests.services.redis import url_of
from tests.services.sentinel import Watched, watched
from tests.services.server import Server


@dataclass
class Stage:
    """Two hosts that share PostgreSQL and Redis."""

    cloud: SimCloud
    host: Host
    healthy: HealthyHost

    def sees(self) -> list[tuple[object, ...]]:
        """All rows but those of runs and leaders."""
        engine = create_engine(self.healthy.store.database.url)
        with engine.connect() as connection:
            rows = [
                tuple(row)
                for table in ("backups", "volumes", "projects", "cloud")
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1"))
            ]
        engine.dispose()
        return rows

    def paused(self, command: str, path: str) -> tuple[Running, Gate]:
        """A leader in the middle of its pass."""
        gate = Gate(self.cloud, "GET", path)
        run = self.host.under(clock=Frozen(self.cloud.now())).start(command)
        gate.wait()
        return run, gate


@pytest.fixture(params=["redis", "database"])
def any_stage(
    request: pytest.FixtureRequest, cloud: SimCloud, host_on_postgresql: Host
) -> Iterator[Stage]:
    """Every kind of lock that two hosts can share here."""
    url = "database" if request.param == "database" else url_of(request.getfixturevalue("redis"))
    with set_up(cloud, host_on_postgresql.set(LOCK_URL=url, LOCK_LEASE="1s")) as stage:
        yield stage


@pytest.fixture
def stage(cloud: SimCloud, host_on_postgresql: Host, redis: Server) -> Iterator[Stage]:
    with set_up(cloud, host_on_postgresql.set(LOCK_URL=url_of(redis), LOCK_LEASE="1s")) as stage:
        yield stage


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path) as servers:
        yield servers


@pytest.fixture
def watched_stage(
    cloud: SimCloud, host_on_postgresql: Host, sentinels: Watched
) -> Iterator[Stage]:
    """A fail-over is shorter than the lease."""
    host = host_on_postgresql.set(LOCK_URL=sentinels.url, LOCK_LEASE="15s")
    with set_up(cloud, host) as stage:
        yield stage


@contextmanager
def set_up(cloud: SimCloud, host: Host) -> Iterator[Stage]:
    """Four days have gone well."""
    healthy = a_healthy_host(host.environ, cloud.now)
    two_projects(cloud)
    good_days(cloud, healthy, 4)
    yield Stage(cloud, host, healthy)
    healthy.runtime.close()


@pytest.mark.parametrize(
    ("command", "path"), [("collect", "/volumes/detail"), ("retain", "/backups/detail")]
)
def test_a_leader_stopped_past_its_lease_writes_nothing_more_and_says_so(
    any_stage: Stage, command: str, path: str
) -> None:
    stage = any_stage
    run, gate = stage.paused(command, path)
    run.signal(signal.SIGSTOP)
    gate.open()
    wait_for_the_lock(stage, command)
    seen, requests = stage.sees(), len(stage.cloud.requests)
    run.signal(signal.SIGCONT)
    assert run.wait() == LeadershipLost.exit_code
    assert f"another {command} has taken over" in run.stderr
    assert stage.sees() == seen
    asked = [one for one in stage.cloud.requests[requests:] if one.method == "DELETE"]
    assert asked == []
    stage.cloud.requests.clear()
    settle(stage.cloud, stage.healthy)
    assert violations(stage.cloud, stage.healthy) == []


def wait_for_the_lock(stage: Stage, command: str) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        outcome = stage.healthy.try_pass(command)
        if outcome.outcome == "ok":
            return
        assert outcome.outcome == "skipped", outcome
        time.sleep(0.1)
    raise TimeoutError("the lease never ends")


def test_a_redis_that_restarts_and_forgets_lets_no_two_passes_write(
    stage: Stage, redis: Server
) -> None:
    run, gate = stage.paused("collect", "/volumes/detail")
    redis.restart()
    (outcome,) = stage.healthy("collect")
    assert outcome.counts["planned"] == 7
    seen = stage.sees()
    gate.open()
    assert run.wait() == LeadershipLost.exit_code
    assert stage.sees() == seen
    settle(stage.cloud, stage.healthy)
    assert violations(stage.cloud, stage.healthy) == []


def test_a_fail_over_that_loses_a_lock_lets_no_two_passes_write(
    watched_stage: Stage, sentinels: Watched
) -> None:
    sentinels.part()
    run, gate = watched_stage.paused("collect", "/volumes/detail")
    sentinels.fail_over()
    (outcome,) = watched_stage.healthy("collect")
    assert outcome.counts["planned"] == 7
    seen = watched_stage.sees()
    gate.open()
    assert run.wait() == LeadershipLost.exit_code
    assert watched_stage.sees() == seen
    settle(watched_stage.cloud, watched_stage.healthy)
    assert violations(watched_stage.cloud, watched_stage.healthy) == []


def test_a_fail_over_that_keeps_a_lock_costs_its_pass_nothing(
    watched_stage: Stage, sentinels: Watched
) -> None:
    run, gate = watched_stage.paused("collect", "/volumes/detail")
    sentinels.in_step()
    sentinels.fail_over()
    outcome = watched_stage.healthy.try_pass("collect")
    assert outcome.outcome == "skipped", outcome
    gate.open()
    assert run.wait() == 0
    assert watched_stage.healthy("collect")[0].counts["planned"] == 0, "the first one planned all"
    settle(watched_stage.cloud, watched_stage.healthy)
    assert violations(watched_stage.cloud, watched_stage.healthy) == []


def test_a_database_that_forgot_a_lock_and_its_fence_lets_no_two_passes_write(
    cloud: SimCloud, host_on_postgresql: Host
) -> None:
    host = host_on_postgresql.set(LOCK_URL="database", LOCK_LEASE="60s")
    with set_up(cloud, host) as stage:
        before = numbers(stage)
        run, gate = stage.paused("collect", "/volumes/detail")
        forget(stage, before)  # as after a fail-over to a server that lagged behind
        (outcome,) = stage.healthy("collect")
        assert outcome.counts["planned"] == 7
        assert numbers(stage)["collect"] == before["collect"] + 1, "the number is given again"
        seen = stage.sees()
        gate.open()
        assert run.wait() == LeadershipLost.exit_code
        assert stage.sees() == seen
        settle(stage.cloud, stage.healthy)
        assert violations(stage.cloud, stage.healthy) == []


def numbers(stage: Stage) -> dict[str, int]:
    """The fence of each command."""
    with stage.healthy.store.database.read() as connection:
        rows = connection.execute(text("SELECT name, fence FROM leadership"))
        return {row.name: row.fence for row in rows}


def forget(stage: Stage, fences: dict[str, int]) -> None:
    """Take back what was committed to leases and fences since."""
    with stage.healthy.store.database.write() as connection:
        connection.execute(text("DELETE FROM leases"))
        for name, fence in fences.items():
            back = text("UPDATE leadership SET fence = :fence WHERE name = :name")
            connection.execute(back, {"fence": fence, "name": name})


def test_a_redis_that_is_down_stops_a_pass_before_it_does_anything(
    stage: Stage, redis: Server
) -> None:
    seen = stage.sees()
    stage.cloud.requests.clear()
    redis.stop()
    host: Callable[..., Running] = stage.host.under(clock=Frozen(stage.cloud.now())).run
    for command in ("collect", "retain"):
        run = host(command)
        assert run.wait() == 69
        assert "Redis" in run.stderr
    assert stage.sees() == seen
    assert stage.cloud.requests == []
