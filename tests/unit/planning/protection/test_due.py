from datetime import datetime, timedelta
from typing import Any

import pytest

from staffeln_cli.model import InventoryVolume
from staffeln_cli.model.durations import Duration, parse
from staffeln_cli.planning.protection import windows
from staffeln_cli.planning.protection.due import (
    Schedule,
    has_future_moment,
    is_due,
    is_overdue,
    is_problem_due,
    next_due_at,
    plan_until,
)
from tests.build import NOW, ago, an_inventory_volume

DAY = parse("1d")
DAILY = Schedule(DAY)


def succeeded(at: datetime) -> InventoryVolume:
    return an_inventory_volume(first_seen_at=ago(days=90), last_started_at=at, last_success_at=at)


def failed(started: datetime, at: datetime, times: int = 1) -> InventoryVolume:
    return an_inventory_volume(last_started_at=started, failures=times, last_failed_at=at)


def test_a_volume_never_backed_up_is_due_since_it_was_first_seen() -> None:
    assert is_due(an_inventory_volume(), NOW, DAY)
    assert next_due_at(an_inventory_volume(first_seen_at=ago(hours=1)), DAY, NOW) == ago(hours=1)
    protected_later = an_inventory_volume(first_seen_at=ago(days=9), protected_since=ago(days=1))
    assert next_due_at(protected_later, DAY, NOW) == ago(days=1)


@pytest.mark.parametrize(
    ("interval", "grace"),
    [
        ("1d", timedelta(minutes=15)),
        ("1h", timedelta(minutes=3)),
        ("1mon", timedelta(minutes=15)),
        ("0s", timedelta()),
    ],
)
def test_the_grace_is_a_twentieth_and_at_most_a_quarter_of_an_hour(
    interval: str, grace: timedelta
) -> None:
    term = parse(interval)
    due_at = term.after(ago(days=90)) - grace
    volume = succeeded(ago(days=90))
    assert next_due_at(volume, term, NOW) == due_at
    assert is_due(volume, due_at, term)
    assert not is_due(volume, due_at - timedelta(seconds=1), term)


def test_a_monthly_interval_follows_the_calendar() -> None:
    start = NOW.replace(month=1, day=31)
    due_at = next_due_at(succeeded(start), parse("1mon"), NOW)
    assert due_at == NOW.replace(month=3, day=1) - timedelta(minutes=15)


@pytest.mark.parametrize(
    ("times", "pause"),
    [(1, "15min"), (2, "30min"), (3, "1h"), (7, "16h"), (8, "23h45min"), (400, "23h45min")],
)
def test_a_failed_backup_is_retried_after_a_growing_pause(times: int, pause: str) -> None:
    volume = failed(NOW, NOW, times)
    expected = parse(pause).after(NOW)
    assert next_due_at(volume, DAY, NOW) == expected


def test_a_failed_backup_is_retried_no_later_than_a_successful_one_would_be_repeated() -> None:
    volume = failed(ago(hours=20), ago(hours=2), times=9)
    assert next_due_at(volume, DAY, NOW) == ago(hours=-3.75)


def test_what_failed_after_its_interval_still_earns_its_pause() -> None:
    volume = failed(ago(hours=30), ago(minutes=1))
    assert not is_due(volume, NOW, DAY)
    assert is_due(volume, NOW + timedelta(minutes=15), DAY)


def test_what_failed_before_it_started_earns_its_pause() -> None:
    volume = an_inventory_volume(failures=1, last_failed_at=ago(minutes=1))
    assert not is_due(volume, NOW, DAY)
    assert is_due(volume, NOW + timedelta(minutes=15), DAY)


def test_a_failure_whose_time_nobody_knows_delays_nothing() -> None:
    assert is_due(an_inventory_volume(failures=1, last_started_at=ago(days=1)), NOW, DAY)


def test_every_collect_means_every_collect_failures_too() -> None:
    assert is_due(succeeded(NOW), NOW, Duration())
    assert is_due(failed(NOW, NOW, times=5), NOW, Duration())


def test_a_problem_is_recorded_once_per_interval() -> None:
    assert is_problem_due(an_inventory_volume(), NOW, DAY)
    assert not is_problem_due(failed(ago(days=3), ago(hours=23)), NOW, DAY)
    assert is_problem_due(failed(ago(days=3), ago(hours=24)), NOW, DAY)
    assert not is_problem_due(succeeded(ago(hours=1)), NOW, DAY)


@pytest.mark.parametrize(
    ("volume", "overdue"),
    [
        (an_inventory_volume(first_seen_at=ago(hours=47)), False),
        (an_inventory_volume(first_seen_at=ago(hours=49)), True),
        (an_inventory_volume(first_seen_at=ago(days=90), protected_since=ago(hours=47)), False),
        (succeeded(ago(hours=47)), False),
        (succeeded(ago(hours=49)), True),
        (
            an_inventory_volume(
                last_success_at=ago(hours=49),
                last_started_at=ago(hours=1),
                failures=1,
                last_failed_at=NOW,
            ),
            True,
        ),
    ],
)
def test_a_volume_is_overdue_after_twice_the_interval_without_success(
    volume: InventoryVolume, overdue: bool
) -> None:
    assert is_overdue(volume, NOW, DAILY) is overdue


def test_with_every_collect_a_volume_is_overdue_after_two_days() -> None:
    assert not is_overdue(succeeded(ago(hours=47)), NOW, Schedule(Duration()))
    assert is_overdue(succeeded(ago(hours=49)), NOW, Schedule(Duration()))


def test_overdue_counts_calendar_months() -> None:
    start, monthly = NOW.replace(month=9), Schedule(parse("1mon"))
    assert not is_overdue(succeeded(start), NOW, monthly)
    assert is_overdue(succeeded(start), NOW + timedelta(seconds=1), monthly)


def test_after_a_failed_restore_drill_a_backup_is_due_at_once_and_then_as_usual() -> None:
    volume = succeeded(ago(hours=2))
    assert not is_due(volume, NOW, DAY)
    failed_since = volume._replace(proof_failed_at=ago(hours=1))
    assert is_due(failed_since, NOW, DAY)
    assert next_due_at(failed_since, DAY, NOW) == ago(hours=1)
    assert not is_due(volume._replace(proof_failed_at=ago(hours=3)), NOW, DAY)
    assert is_due(an_inventory_volume(proof_failed_at=ago(hours=3)), NOW, DAY)
    again = failed_since._replace(failures=1, last_failed_at=ago(minutes=1))
    assert not is_due(again, NOW, DAY), "a failed backup is retried after its pause"


@pytest.mark.parametrize("column", ["last_started_at", "last_success_at", "last_failed_at"])
def test_a_moment_that_is_still_to_come_is_not_believed(column: str) -> None:
    history: dict[str, Any] = {column: ago(days=-30)}
    volume = an_inventory_volume(failures=1, first_seen_at=ago(days=9), **history)
    assert is_due(volume, NOW, DAY)
    assert is_problem_due(volume, NOW, DAY)
    assert is_overdue(volume, NOW, DAILY)
    assert next_due_at(volume, DAY, NOW) <= NOW


def test_what_becomes_due_by_a_later_moment_can_be_planned_before() -> None:
    volume = succeeded(ago(hours=20))
    assert not is_due(volume, NOW, DAY)
    assert not is_due(volume, NOW, DAY, by=NOW + timedelta(hours=3))
    assert is_due(volume, NOW, DAY, by=NOW + timedelta(hours=4))


@pytest.mark.parametrize(
    ("interval", "since", "overdue"),
    [
        # NOW is 22:00, when the window opens.
        ("1d", ago(hours=49), True),  # it had the window of last night
        ("12h", ago(hours=25), False),  # due since 10:00: tonight's is its first chance
        ("12h", ago(hours=35), False),  # due at 22:45 yesterday, too late for that window
        ("12h", ago(hours=37), True),  # due at 20:45 yesterday
        ("12h", ago(hours=23), False),
    ],
)
def test_what_only_waits_for_the_window_is_not_overdue(
    interval: str, since: datetime, overdue: bool
) -> None:
    schedule = Schedule(parse(interval), windows.parse("22:00-23:00"))
    assert is_overdue(succeeded(since), NOW, schedule) is overdue
    lost = succeeded(since)._replace(unrestorable_since=ago(hours=1))
    assert is_overdue(lost, NOW, schedule), "without any backup left it is an alarm at once"


def test_what_is_due_when_the_window_opens_is_planned_before_it_does() -> None:
    later = Schedule(DAY, windows.parse("23:30-05:00"))
    assert plan_until(later, NOW) == NOW.replace(hour=23, minute=30)
    assert plan_until(Schedule(DAY, windows.parse("21:00-05:00")), NOW) == NOW
    assert plan_until(DAILY, NOW) == NOW


def test_a_history_with_a_moment_in_the_future_was_written_by_a_wrong_clock() -> None:
    assert has_future_moment(succeeded(NOW + timedelta(days=1)), NOW)
    assert not has_future_moment(succeeded(ago(days=1)), NOW)
