"""Any number of processes share the work; what a dead or sleeping one had is taken over."""

import signal
import sqlite3
import time
from contextlib import closing

from sqlalchemy import text

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import State
from tests.build import MARKED
from tests.resilience.conftest import CLAIM, SETTLE_TIME
from tests.resilience.gates import PATIENCE, Gate, most_in_flight
from tests.resilience.hosts import Host, Running
from tests.resilience.process import Frozen
from tests.resilience.situations import (
    HealthyHost,
    a_healthy_host,
    good_days,
    two_projects,
    violations,
)


def some_volumes(cloud: SimCloud, number: int, project: str = "shop") -> None:
    cloud.people.add_project(project)
    cloud.things.add_server(f"{project}-server", project=project, metadata=MARKED)
    for place in range(number):
        cloud.things.add_volume(f"{project}-{place}", server=f"{project}-server")


def in_state(healthy: HealthyHost, *states: State) -> int:
    return sum(one.state in states for one in healthy.records())


def give_up_the_request(cloud: SimCloud, healthy: HealthyHost) -> None:
    """The claim on the backup in doubt ends, and Cinder lacks its name twice."""
    for pause in (CLAIM, SETTLE_TIME):
        cloud.advance(pause)
        healthy("check")


def held_up(cloud: SimCloud, host: Host, healthy: HealthyHost) -> tuple[Running, Gate]:
    """A run whose one request for a backup is on its way until the gate opens, and given up."""
    cloud.freeze()
    some_volumes(cloud, 1)
    healthy("collect")
    gate = Gate(cloud, "POST", "/backups")
    sleeper = host.under(clock=Frozen(cloud.now())).start("backup")
    gate.wait()
    give_up_the_request(cloud, healthy)
    return sleeper, gate


def stop_between_transactions(sleeper: Running, host: Host) -> None:
    """Stopped within one, it would lock SQLite's file for everybody."""
    file = host.environ["STAFFELN_DATABASE_URL"].removeprefix("sqlite:///")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        sleeper.signal(signal.SIGSTOP)
        with closing(sqlite3.connect(file, timeout=0.1, isolation_level=None)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                sleeper.signal(signal.SIGCONT)
                time.sleep(0.05)
            else:
                return
    raise AssertionError("it never leaves SQLite's file alone")


def test_a_request_that_arrives_after_all_others_is_found_by_name_and_its_backup_removed(
    cloud: SimCloud, host: Host, healthy: HealthyHost
) -> None:
    sleeper, gate = held_up(cloud, host, healthy)
    healthy("backup")
    cloud.steering.finish_backups()
    (good,) = cloud.backups()
    cloud.advance(seconds=5)
    healthy("check")

    gate.open()
    assert sleeper.wait() == 3
    assert "another run has taken it over" in sleeper.stderr
    assert len(cloud.backups()) == 2, "Cinder made another one"
    healthy("check")
    assert len(cloud.backups()) == 2, "what is still being created is left alone"
    cloud.steering.finish_backups()
    for _ in range(3):
        cloud.advance(hours=1)
        healthy("check")
    assert [one["id"] for one in cloud.backups()] == [good["id"]]
    assert violations(cloud, healthy) == []
    assert healthy("collect")[0].counts["planned"] == 0


def test_a_late_duplicate_that_others_depend_on_is_kept_as_a_backup_of_its_own(
    cloud: SimCloud, host: Host, healthy: HealthyHost
) -> None:
    cloud.freeze()
    some_volumes(cloud, 1)
    good_days(cloud, healthy, 1)
    (made,) = cloud.backups()
    with healthy.store.database.write() as connection:  # it has been asked for twice
        connection.execute(text("UPDATE backups SET attempt = 2"))
    cloud.things.add_backup(
        made["volume_id"], incremental=True, name=made["name"], metadata=made["metadata"]
    )
    cloud.advance(seconds=5)
    cloud.things.add_backup(made["volume_id"], incremental=True)
    cloud.advance(hours=2)
    healthy("check", "check")
    assert len(cloud.backups()) == 3
    assert in_state(healthy, State.AVAILABLE) == 2
    assert healthy.store.records.open_work() == []


def test_a_late_request_is_found_before_it_is_sent_once_more(
    cloud: SimCloud, host: Host, healthy: HealthyHost
) -> None:
    sleeper, gate = held_up(cloud, host, healthy)
    gate.open()
    sleeper.wait()
    cloud.steering.finish_backups()
    healthy("backup", "check")
    assert len(cloud.backups()) == 1
    assert in_state(healthy, State.AVAILABLE) == 1
    assert violations(cloud, healthy) == []


def test_a_backup_that_came_of_a_cancelled_plan_is_tracked_after_all(
    cloud: SimCloud, host: Host, healthy: HealthyHost
) -> None:
    sleeper, gate = held_up(cloud, host, healthy)
    cloud.things.set_metadata("shop-server", {})
    healthy("collect")
    gate.open()
    sleeper.wait()
    cloud.steering.finish_backups()
    cloud.advance(hours=1)
    healthy("check")
    assert in_state(healthy, State.AVAILABLE) == 1
    assert in_state(healthy, State.CANCELLED) == 1


def test_a_process_stopped_beyond_its_claim_sends_nothing_more(
    cloud: SimCloud, host: Host, healthy: HealthyHost
) -> None:
    cloud.freeze()
    some_volumes(cloud, 4)
    healthy("collect")
    one_by_one = host.set(CLOUD_WORKERS="1").under(clock=Frozen(cloud.now()))
    gate = Gate(cloud, "POST", "/backups")
    sleeper = one_by_one.set(CLOUD_WORKERS="3").start("backup")
    gate.wait()
    deadline = time.monotonic() + PATIENCE
    while in_state(healthy, State.CREATING) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    stop_between_transactions(sleeper, host)
    gate.open()
    give_up_the_request(cloud, healthy)
    for _ in range(2):
        healthy("check", "backup")
        cloud.steering.finish_backups()
    healthy("check")
    sleeper.signal(signal.SIGCONT)
    sleeper.wait()
    cloud.steering.finish_backups()
    for _ in range(3):
        cloud.advance(hours=1)
        healthy("check")
    assert len(cloud.backups()) == 4
    assert violations(cloud, healthy) == []


def test_the_share_of_a_check_that_died_is_taken_over_after_its_claim(
    cloud: SimCloud, host_on_postgresql: Host
) -> None:
    healthy = a_healthy_host(host_on_postgresql.environ, cloud.now)
    cloud.freeze()
    two_projects(cloud)
    healthy("collect", "backup")
    cloud.steering.finish_backups()
    gate = Gate(cloud, "GET", "/backups/detail")
    dying = host_on_postgresql.under(clock=Frozen(cloud.now())).start("check")
    gate.wait()
    assert healthy("check")[0].counts["available"] == 0, "another process is at it"
    dying.kill()
    gate.open()
    cloud.advance(CLAIM)
    assert healthy("check")[0].counts["available"] == 7
    assert violations(cloud, healthy) == []
    healthy.runtime.close()


def test_eight_processes_at_once_keep_to_the_caps_and_start_nothing_twice(
    cloud: SimCloud, host_on_postgresql: Host
) -> None:
    healthy = a_healthy_host(host_on_postgresql.environ, None)
    for project in ("shop", "bank", "farm"):
        some_volumes(cloud, 9, project)
    healthy("collect")
    host = host_on_postgresql.set(
        BACKUP_MAX_IN_FLIGHT="10", BACKUP_MAX_IN_FLIGHT_PER_PROJECT="4", CLOUD_WORKERS="4"
    )
    with most_in_flight(cloud) as most:
        for _ in range(4):
            racers = [host.start("backup", "-f", "json") for _ in range(8)]
            assert {one.wait() for one in racers} == {0}
            assert sum(one.json["counts"]["started"] for one in racers) <= 10
            cloud.steering.finish_backups()
            healthy("check")
        assert most() == (10, 4)
    assert len(cloud.backups(status="available")) == 27
    assert violations(cloud, healthy) == []
    healthy.runtime.close()
