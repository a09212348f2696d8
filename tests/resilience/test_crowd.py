"""Eight processes at a time, 10 % of requests failing, half of the processes killed."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from staffeln_cli.demo import simcloud
from staffeln_cli.demo.simcloud import SimCloud
from tests.build import MARKED
from tests.resilience.conftest import IS_SOAK, host_on
from tests.resilience.crowd import COMMANDS, Crowd
from tests.resilience.gates import most_in_flight
from tests.resilience.hosts import KILLED
from tests.resilience.process import Fast
from tests.resilience.situations import (
    BEGIN,
    HealthyHost,
    a_healthy_host,
    is_ours,
    left_of_drills,
    violations,
)
from tests.services.redis import url_of
from tests.services.server import Server

SPEED = 30
"""A minute of the cloud's takes two seconds, and a claim six."""
SECONDS, RUNS = (90, 400) if IS_SOAK else (6, 40)
"""How long it goes on at least, and how many runs end."""
TOTAL, PER_PROJECT = 8, 4
A_CROWD = 10
"""It started backups at least twice."""
INTERVAL = timedelta(minutes=2)
LEASE_SECONDS = 1
SETTINGS = {
    "BACKUP_MIN_INTERVAL": "2min",
    "BACKUP_FULL_BACKUP_DEPTH": "2",
    "BACKUP_MAX_IN_FLIGHT": str(TOTAL),
    "BACKUP_MAX_IN_FLIGHT_PER_PROJECT": str(PER_PROJECT),
    "RETENTION_TIME": "6min",
    "REPORT_PERIOD": "1min",
    "CLOUD_REQUEST_TIMEOUT": "60s",
    "CLOUD_RETRY_TIMEOUT": "10s",
    "LOCK_LEASE": f"{LEASE_SECONDS}s",
    "VERIFY_COUNT": "2",
    "VERIFY_TIME_BUDGET": "1min",
    "VERIFY_BOOT": "tiny",
}


@pytest.fixture
def fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[SimCloud, Fast]]:
    """A cloud whose time flies, with four projects of five volumes."""
    clock = Fast(datetime.now(UTC), SPEED)
    with simcloud.serving(clock=clock) as cloud:
        cloud.settings.finish_after = timedelta(seconds=20)
        cloud.settings.delete_after = timedelta(seconds=10)
        cloud.settings.restore_pace = timedelta(seconds=15)
        for project in ("shop", "bank", "farm", "ship"):
            cloud.people.add_project(project)
            cloud.things.add_server(f"{project}-server", project=project, metadata=MARKED)
            for place in range(5):
                cloud.things.add_volume(
                    f"{project}-{place}", server=f"{project}-server", bootable=True
                )
        (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml())
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
        monkeypatch.setenv("OS_CLOUD", "sim")
        yield cloud, clock


def test_a_crowd_that_dies_and_fails_loses_nothing_and_makes_nothing_twice(
    fast: tuple[SimCloud, Fast], postgresql_url: str, redis: Server, tmp_path: Path
) -> None:
    cloud, clock = fast
    host = host_on(postgresql_url, tmp_path).set(LOCK_URL=url_of(redis), **SETTINGS)
    healthy = a_healthy_host(host.environ, cloud.now)
    crowd = Crowd(host.under(clock=clock), commands=(*COMMANDS, "verify"))
    crowd.host.run("collect")
    cloud.faults.chaos(0.1)
    with most_in_flight(cloud) as most:
        crowd.rage(SECONDS, RUNS, lambda: len(cloud.backups()) >= A_CROWD)
        assert crowd.trouble == []
        assert crowd.ends[KILLED] > crowd.ends.total() / 5
        assert crowd.ends[0] > 0
        assert most()[0] <= TOTAL
        assert most()[1] <= PER_PROJECT
    assert len(cloud.backups()) >= A_CROWD, "it was no crowd"
    cloud.faults.chaos(0)
    assert broken_rules(cloud) == []
    cloud.freeze()
    time.sleep(2 * LEASE_SECONDS)  # what the dead have locked is free again after its lease
    calm(cloud, healthy)
    assert violations(cloud, healthy) + left_of_drills(cloud, healthy) == []
    newest = {one["volume_id"]: one["created_at"] for one in cloud.backups()}
    assert len(newest) == 20, "every due volume has one"
    assert min(newest.values()) >= cloud.now() - timedelta(minutes=10), "and a fresh one"
    healthy.runtime.close()


def calm(cloud: SimCloud, healthy: HealthyHost) -> None:
    """Cron goes on, and nothing goes wrong any more: pauses end, and what is planned is made."""
    for minutes in (20, 20, 5, 1):
        cloud.advance(minutes=minutes)
        for _ in range(2 if minutes > 1 else 4):
            healthy("collect", "backup")
            cloud.steering.finish_backups()
            healthy("check", "retain")
            cloud.steering.finish_deletions()
            healthy("check")


def broken_rules(cloud: SimCloud) -> list[str]:
    """Chains that lost their ground, and backups that came too soon after one another."""
    there = {one["id"]: one for one in cloud.backups()}
    wrong = [
        f"{one['name']} lost what it stands on"
        for one in there.values()
        if one["parent_id"] and one["parent_id"] not in there
    ]
    last: dict[str, datetime] = {}
    for one in there.values():
        before = last.get(one["volume_id"])
        is_early = before is not None and one["created_at"] - before < INTERVAL * 0.9
        if is_ours(one) and one["status"] == "available" and is_early:
            wrong.append(f"{one['name']} came {one['created_at'] - (before or BEGIN)} after")
        if one["status"] == "available":
            last[one["volume_id"]] = one["created_at"]
    return wrong
