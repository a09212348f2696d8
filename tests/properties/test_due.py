import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.protection.due import (
    History,
    is_due,
    is_overdue,
    is_problem_due,
    next_due_at,
)

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
    now, history, starts = BEGIN, History(), list[datetime]()
    for pause, _ in steps:
        now += pause
        if is_due(history, now, interval):
            starts.append(now)
            history = History(last_started_at=now, last_success_at=now)
    for before, after in itertools.pairwise(starts):
        assert after >= interval.after(before) - GRACE


@given(INTERVALS, STEPS)
def test_failures_are_retried_ever_more_slowly_and_within_the_interval(
    interval: Duration, steps: list[tuple[timedelta, bool]]
) -> None:
    now, history = BEGIN, History()
    for pause, succeeds in steps:
        now += pause
        if not is_due(history, now, interval):
            continue
        if history.failures and history.last_failed_at:
            waited = now - history.last_failed_at
            slowly = timedelta(minutes=15) * 2 ** min(history.failures - 1, 20)
            whole = interval.after(history.last_failed_at) - GRACE
            assert waited >= min(slowly, (whole - history.last_failed_at))
        history = (
            History(last_started_at=now, last_success_at=now)
            if succeeds
            else history._replace(
                last_started_at=now,
                last_failed_at=now,
                failures=history.failures + 1,
            )
        )
        due_at = next_due_at(history, min_interval=interval, first_seen_at=BEGIN)
        assert now < due_at <= interval.after(now)


@given(INTERVALS, STEPS)
def test_is_due_and_next_due_at_agree(
    interval: Duration, steps: list[tuple[timedelta, bool]]
) -> None:
    now = BEGIN
    for pause, failed in steps:
        now += pause
        history = History(
            last_started_at=BEGIN,
            failures=int(failed),
            last_failed_at=BEGIN + pause if failed else None,
        )
        due_at = next_due_at(history, min_interval=interval, first_seen_at=BEGIN)
        assert is_due(history, now, interval) == (due_at <= now)


@given(INTERVALS, STEPS)
def test_a_problem_is_recorded_at_most_once_in_an_interval(
    interval: Duration, steps: list[tuple[timedelta, bool]]
) -> None:
    now, history, recorded = BEGIN, History(), list[datetime]()
    for pause, _ in steps:
        now += pause
        if is_problem_due(history, now, interval):
            recorded.append(now)
            history = History(failures=1, last_failed_at=now)
    for before, after in itertools.pairwise(recorded):
        assert after >= interval.after(before) - GRACE


@given(INTERVALS)
def test_a_volume_backed_up_whenever_due_is_never_overdue(interval: Duration) -> None:
    history = History(last_started_at=BEGIN, last_success_at=BEGIN)
    due_at = next_due_at(history, min_interval=interval, first_seen_at=BEGIN)
    assert not is_overdue(history, due_at, interval, BEGIN)
