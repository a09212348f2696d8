"""Processes that are asked to end, or die: nothing is lost, nothing made twice."""

import json
import signal
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.runtime.runtime import utc_now
from tests.acceptance.builders import rounds, sent, some_volumes, states
from tests.acceptance.processes import reached, run, started
from tests.conftest import Staffeln, staffeln_on

MANY = 12


@pytest.fixture
def planned(cloud: SimCloud, staffeln_on_each: Staffeln) -> Staffeln:
    """Many planned backups, a slow cloud, and the machine's own clock for everybody."""
    staffeln = staffeln_on_each
    staffeln.clock = utc_now
    staffeln.set(
        CLOUD_WORKERS="2", BACKUP_MAX_IN_FLIGHT="99", BACKUP_MAX_IN_FLIGHT_PER_PROJECT="99"
    )
    some_volumes(cloud, MANY)
    staffeln("collect")
    cloud.settings.latency = 0.1
    return staffeln


def _later(lead: timedelta) -> datetime:
    return utc_now() + lead


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)],
)
def test_a_signal_ends_backup_after_the_items_in_hand(
    cloud: SimCloud, planned: Staffeln, number: int, code: int
) -> None:
    at_work = reached(cloud, "POST", "/backups", 3)
    process = started(planned, "backup", "-f", "json")
    assert at_work.wait(30)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == code, stderr
    found = json.loads(stdout)
    assert found["failures"] == [
        {"kind": "pass", "id": "backup", "reason": f"stopped by signal {int(number)}"}
    ]
    count = Counter(states(planned))
    assert set(count) == {"creating", "planned"}
    assert count["creating"] == len(cloud.backups()) == found["counts"]["started"] < MANY
    cloud.settings.latency = 0
    assert planned("backup", "-f", "json").counts["started"] == MANY - count["creating"]


def test_a_process_that_is_killed_leaves_nothing_lost_and_nothing_twice(
    cloud: SimCloud, planned: Staffeln
) -> None:
    at_work = reached(cloud, "POST", "/backups", 4)
    process = started(planned, "backup")
    assert at_work.wait(30)
    process.kill()
    process.communicate()
    cloud.settings.latency = 0
    planned.set(CLOUD_SETTLE_TIME="30s")
    for minutes in (1, 2):  # what Cinder never heard of is planned again at the second look
        planned.clock = partial(_later, timedelta(minutes=minutes))
        planned.cycle("check", "backup")
    assert states(planned) == ["creating"] * MANY
    assert len({one["volume_id"] for one in cloud.backups()}) == len(cloud.backups()) == MANY


def test_two_backups_at_once_start_each_planned_one_once(
    cloud: SimCloud, planned: Staffeln
) -> None:
    cloud.settings.latency = 0.02
    processes = [started(planned, "backup", "-f", "json") for _ in range(2)]
    counts = [json.loads(process.communicate(timeout=60)[0])["counts"] for process in processes]
    assert sum(one["started"] for one in counts) == len(sent(cloud, "POST", "/backups")) == MANY
    assert states(planned) == ["creating"] * MANY


def test_a_signal_ends_retain_between_two_waves(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(RETENTION_KEEP_LAST="0", RETENTION_TIME="0s", BACKUP_MIN_INTERVAL="0s")
    some_volumes(cloud, 2)
    staffeln.clock = utc_now
    rounds(staffeln, cloud, 2, days=0)
    cloud.advance(utc_now() - cloud.now())
    cloud.settings.delete_after = None
    waiting = reached(cloud, "GET", "/backups/detail", 2)
    process = started(staffeln, "retain", "-f", "json")
    assert waiting.wait(30)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
    assert sorted(states(staffeln)) == ["available"] * 2 + ["deleting"] * 2


def test_a_bug_is_one_line_with_the_run_and_one_json_object(
    cloud: SimCloud, postgresql_url: str, tmp_path: Path
) -> None:
    staffeln = staffeln_on(postgresql_url, cloud, tmp_path)
    engine = create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE projects"))  # nothing that anybody foresaw
    engine.dispose()
    answer = run(staffeln, "collect", "-f", "json")
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()[:1]
    assert "a bug, please report it" in line
    assert json.loads(answer.stdout)["outcome"] == "failed"
    assert "Traceback" not in answer.stderr
