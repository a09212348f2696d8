"""No clock and no time zone makes two backups of one, or deletes anything early."""

from datetime import UTC, datetime, timedelta

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import ClockWrong
from staffeln_cli.model import State
from tests.resilience.conftest import IS_SOAK
from tests.resilience.hosts import Host
from tests.resilience.process import Frozen
from tests.resilience.situations import HealthyHost, a_healthy_host, two_projects, violations

TEN_MINUTES = timedelta(minutes=10)
FOUR_MINUTES = timedelta(minutes=4)
"""Less than what stops a pass, and longer than a claim lasts here."""


@pytest.mark.parametrize("off", [TEN_MINUTES, -TEN_MINUTES], ids=["ahead", "behind"])
def test_a_host_whose_clock_is_ten_minutes_off_plans_nothing_twice_and_deletes_nothing(
    cloud: SimCloud, host: Host, healthy: HealthyHost, off: timedelta
) -> None:
    wrong = a_healthy_host(host.environ, lambda: cloud.now() + off)
    two_projects(cloud)
    for _ in range(2 * 8):
        assert wrong.try_pass("collect").exit_code == ClockWrong.exit_code
        healthy("collect")
        assert wrong.try_pass("backup").exit_code == ClockWrong.exit_code
        healthy("backup")
        cloud.steering.finish_backups()
        assert wrong.try_pass("check").exit_code == ClockWrong.exit_code
        healthy("check")
        cloud.advance(hours=3)
    assert len(cloud.backups()) == 7 * 2
    cloud.advance(days=30)
    retain = wrong.try_pass("retain")
    assert (retain.outcome, retain.exit_code) == ("failed", ClockWrong.exit_code)
    assert "clock" in (retain.note or "")
    assert len(cloud.backups()) == 7 * 2
    assert violations(cloud, healthy) == []
    wrong.runtime.close()


def test_a_host_whose_clock_is_four_minutes_ahead_takes_no_live_claim_from_others(
    cloud: SimCloud, host_on_postgresql: Host
) -> None:
    healthy = a_healthy_host(host_on_postgresql.environ, None)
    two_projects(cloud)
    cloud.freeze(datetime.now(UTC))
    cloud.thaw()
    healthy("collect")
    cloud.faults.lose_reply_next("POST", "/backups$", acting=False)
    healthy("backup")
    ahead = host_on_postgresql.under(
        clock=Frozen(datetime.now(UTC) + FOUR_MINUTES), right_database_clock=True
    )
    assert ahead.run("check").wait() == 0
    assert healthy.store.records.count()[State.STARTING] == 1, (
        "its claim stands by the server's clock"
    )
    healthy.runtime.close()


CHANGES = {
    "autumn": datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
    "spring": datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
}


@pytest.mark.parametrize("season", CHANGES if IS_SOAK else ["autumn"])
def test_hours_that_come_twice_or_never_change_no_plan_and_no_deletion(
    cloud: SimCloud, host_on_postgresql: Host, season: str
) -> None:
    host = host_on_postgresql.set(
        BACKUP_MIN_INTERVAL="1h", RETENTION_TIME="2h", BACKUP_FULL_BACKUP_DEPTH="0"
    )
    in_la = {"TZ": "America/Los_Angeles", "PGTZ": "America/Los_Angeles"}
    there = Host({**host.environ, **in_la}, host.folder)
    healthy = a_healthy_host(host.environ, cloud.now)
    two_projects(cloud)
    cloud.freeze(CHANGES[season])
    for hour in range(6):
        now = there.under(clock=Frozen(cloud.now()))
        for command in ("collect", "backup"):
            assert now.run(command).wait() == 0
        cloud.steering.finish_backups()
        for command in ("check", "retain"):
            assert now.run(command).wait() == 0
        made = {one["created_at"] for one in cloud.backups()}
        first = CHANGES[season] + timedelta(hours=max(0, hour - 1))
        assert min(made) == first, "two hours, whatever they are called"
        assert len(cloud.backups()) == 7 * min(hour + 1, 2)
        healthy("collect")
        assert healthy.store.records.count().get(State.PLANNED, 0) == 0, "nothing is due twice"
        cloud.advance(hours=1)
    assert violations(cloud, healthy) == []
    healthy.runtime.close()
