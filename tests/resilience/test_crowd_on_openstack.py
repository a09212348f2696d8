"""The same crowd on a real OpenStack, whose cinder-backup dies and comes back in the middle.

STAFFELN_TEST_CLOUD names the clouds.yaml entry of the operator, who needs the role member in the
projects of marked servers. STAFFELN_TEST_CRASH and STAFFELN_TEST_REVIVE are commands that kill and
start cinder-backup. All backups that the crowd makes are removed at the end.
"""

import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import update

from staffeln_cli.model import Backup, BackupRecord, Kind, State
from staffeln_cli.store import Store
from staffeln_cli.tables import backup_table, cloud_table
from tests.resilience.conftest import host_on
from tests.resilience.crowd import Crowd
from tests.resilience.hosts import KILLED
from tests.resilience.situations import HealthyHost, a_healthy_host, stale_claims
from tests.services.redis import url_of
from tests.services.server import Server

SECONDS, RUNS = 180, 100
PAUSE = 4
"""Seconds; what copies may run on the same machine."""
SETTINGS = {
    "BACKUP_MIN_INTERVAL": "20s",
    "BACKUP_FULL_BACKUP_DEPTH": "1",
    "BACKUP_MAX_IN_FLIGHT": "6",
    "BACKUP_MAX_IN_FLIGHT_PER_PROJECT": "3",
    "RETENTION_TIME": "30s",
    "RETENTION_METADATA_KEY": "crowd-test-retention",
    "RETENTION_BRAKE": "1",
    "RETENTION_TIME_BUDGET": "10s",
    "CLOUD_REQUEST_TIMEOUT": "4s",
    "CLOUD_RETRY_TIMEOUT": "30s",
    "CLOUD_SETTLE_TIME": "20s",
    "LOCK_LEASE": "2s",
}


@pytest.mark.soak
@pytest.mark.skipif(
    not os.environ.get("STAFFELN_TEST_CLOUD"), reason="STAFFELN_TEST_CLOUD names no cloud"
)
def test_a_crowd_on_a_real_cloud_whose_backup_service_dies_loses_nothing(
    postgresql_url: str, redis: Server, tmp_path: Path
) -> None:
    host = host_on(postgresql_url, tmp_path)
    environ = {**host.environ, "OS_CLOUD": os.environ["STAFFELN_TEST_CLOUD"]}
    host = type(host)(environ, tmp_path).set(LOCK_URL=url_of(redis), **SETTINGS)
    host = host.set(CLOUD_NAME=os.environ["STAFFELN_TEST_CLOUD"])
    healthy = a_healthy_host(host.environ, None)
    crowd = Crowd(host, longest_pause=PAUSE)
    host.run("collect")
    fate = threading.Thread(target=kill_and_revive, args=(healthy.store,))
    fate.start()
    try:
        crowd.rage(SECONDS, RUNS, lambda: min(what_happened(healthy.records()).values()) > 0)
        fate.join()
        assert crowd.trouble == []
        assert crowd.ends[KILLED] > crowd.ends.total() / 5
        come_to_rest(healthy)
        assert wrong(healthy) == []
        seen = what_happened(healthy.records())
        print(f"{crowd.ends}, {seen}")  # noqa: T201 - shown by pytest -s
        assert min(seen.values()) > 0, f"it was no crowd: {seen}, {crowd.ends}"
    finally:
        clean_up(host.environ)
        healthy.runtime.close()


def kill_and_revive(store: Store) -> None:
    """Kill cinder-backup while it has something in hand, and start it again."""
    time.sleep(SECONDS / 3)
    until = time.monotonic() + SECONDS
    while not store.records.count().get(State.CREATING) and time.monotonic() < until:
        time.sleep(0.2)
    for name in ("STAFFELN_TEST_CRASH", "STAFFELN_TEST_REVIVE"):
        if command := os.environ.get(name):
            subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
            time.sleep(15)


def come_to_rest(healthy: HealthyHost) -> None:
    """No new plans; what is under way ends, and pauses are over sooner."""
    until = time.monotonic() + 240
    while time.monotonic() < until:
        end_pauses(healthy.store)
        healthy("check", "backup")
        states = healthy.store.records.count()
        unfinished = {
            State.PLANNED,
            State.STARTING,
            State.CREATING,
            State.DELETING,
        } & states.keys()
        if not unfinished and not healthy.store.records.open_work():
            break
        time.sleep(3)
    for _ in range(2):
        end_pauses(healthy.store)
        healthy("check")
        time.sleep(10)
    end_pauses(healthy.store)
    healthy("check")


def end_pauses(store: Store) -> None:
    """No clock may run ahead of the cloud's, so the moments are changed that are waited for."""
    with store.database.write() as connection:
        connection.execute(update(backup_table).values(next_try_at=None, not_before=None))
        connection.execute(update(cloud_table).values(backups_listed_at=None))


def ours(healthy: HealthyHost) -> list[Backup]:
    names = {one.name for one in healthy.records()}
    pages = healthy.runtime.cloud.listings.backups()
    return [one for page in pages for one in page if one.name in names]


def wrong(healthy: HealthyHost) -> list[str]:
    records = healthy.records()
    tracked = {one.backup_id for one in records if one.state is State.AVAILABLE}
    there = ours(healthy)
    found = [f"{one.name} is not tracked: {one.status}" for one in there if one.id not in tracked]
    found += [f"{one} is gone" for one in tracked - {one.id for one in there}]
    found += [f"{one.name} is {one.state}" for one in healthy.store.records.open_work()]
    names = Counter(one.name for one in there)
    found += [f"{number} are called {name}" for name, number in names.items() if number > 1]
    refused = [one for one in records if "Incremental" in (one.delete_reason or "")]
    return (
        found + [f"Cinder refused to delete {one.name}" for one in refused] + stale_claims(healthy)
    )


def what_happened(records: list[BackupRecord]) -> dict[str, int]:
    """Without all of this, a crowd proves little."""
    made = [one for one in records if one.backup_id]
    good = [one for one in made if not one.reason]
    gone = [one for one in good if one.state is State.DELETED]
    return {
        "full": sum(one.kind is Kind.FULL for one in good),
        "incremental": sum(one.kind is Kind.INCREMENTAL for one in good),
        "failed": len(made) - len(good),
        "expired": len(gone),
    }


def clean_up(environ: Mapping[str, str]) -> None:
    """Remove all that the crowd made."""
    settings = {"STAFFELN_RETENTION_TIME": "1s", "STAFFELN_RETENTION_KEEP_LAST": "0"}
    healthy = a_healthy_host({**environ, **settings}, None)
    until = time.monotonic() + 240
    while time.monotonic() < until and healthy.store.records.count().get(State.AVAILABLE):
        healthy("retain", "check")
    healthy.runtime.close()
