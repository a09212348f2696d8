import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.protection.due import (
    Schedule,
    is_due,
    is_overdue,
    is_problem_due,
    next_due_at,
)
from tests.build import an_inventory_volume

BEGIN = datetime(2024, 1, 30, 22, tzinfo=UTC)
INTERVALS = st.builds(Duration, st.integers(0, 2), st.integers(1, 90).map(timedelta)) | st.builds(
    Duration, st.just(0), st.integers(1, 48).map(lambda hours: timedelta(hours=hours))
)
STEPS = st.lists(
    st.tuples(st.integers(1, 3000).map(lambda m: timedelta(minutes=m)), st.booleans()),
    max_size=40,
)
GRACE = timedelta(minutes=15)


@given(INTERVALS, STEPS)
def test_a_backup_is_never_due_twice_in_one_interval(
    interval: Duration, steps: list[tuple[timedelta, bool]]
) -> None:
    """Passes come at any time; what is due starts at once, and succeeds."""
    now, volume, starts = BEGIN, an_inventory_volume(), list[datetime]()
    for pause, _ in steps:
        now += pause
        if is_due(volume, now, interval):
            starts.append(now)
            volume = an_inventory_volume(last_started_at=now, last_success_at=now)
    for before, after in itertools.pairwise(starts):
        assert after >= interval.after(before) - GRACE


@given(INTERVALS, STEPS)
def test_failures_are_retried_ever_more_slowly_and_within_the_interval(
    interval: Duration, steps: list[tuple[timedelta, bool]]
) -> None:
    now, volume = BEGIN, an_inventory_volume()
    for pause, succeeds in steps:
        now += pause
        if not is_due(volume, now, interval):
            continue
        if volume.failures and volume.last_failed_at:
            waited = now - volume.last_failed_at
            slowly = timedelta(minutes=15) * 2 ** min(volume.failures - 1, 20)
            whole = interval.after(volume.last_failed_at) - GRACE
            assert waited >= min(slowly, (whole - volume.last_failed_at))
        volume = (
            an_inventory_volume(last_started_at=now, last_success_at=now)
            if succeeds
            else volume._replace(
                last_started_at=now,
                last_failed_at=now,
                failures=volume.failures + 1,
            )
        )
        due_at = next_due_at(volume, interval, now)
        assert now < due_at <= interval.after(now)


@given(INTERVALS, STEPS)
def test_is_due_and_next_due_at_agree(
    interval: Duration, steps: list[tuple[timedelta, bool]]
) -> None:
    now = BEGIN
    for pause, failed in steps:
        now += pause
        volume = an_inventory_volume(
            last_started_at=BEGIN,
            failures=int(failed),
            last_failed_at=BEGIN + pause if failed else None,
        )
        due_at = next_due_at(volume, interval, now)
        assert is_due(volume, now, interval) == (due_at <= now)


@given(INTERVALS, STEPS)
def test_a_problem_is_recorded_at_most_once_in_an_interval(
    interval: Duration, steps: list[tuple[timedelta, bool]]
) -> None:
    now, volume, recorded = BEGIN, an_inventory_volume(), list[datetime]()
    for pause, _ in steps:
        now += pause
        if is_problem_due(volume, now, interval):
            recorded.append(now)
            volume = an_inventory_volume(failures=1, last_failed_at=now)
    for before, after in itertools.pairwise(recorded):
        assert after >= interval.after(before) - GRACE


@given(INTERVALS)
def test_a_volume_backed_up_whenever_due_is_never_overdue(interval: Duration) -> None:
    volume = an_inventory_volume(last_started_at=BEGIN, last_success_at=BEGIN)
    due_at = next_due_at(volume, interval, BEGIN)
    assert not is_overdue(volume, due_at, Schedule(interval))
