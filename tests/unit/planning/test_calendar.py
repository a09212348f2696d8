"""The mark of each day, and the order of volumes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from staffeln_cli.model import Kind, ProjectId, ServerId, State, VolumeId
from staffeln_cli.planning.calendar import (
    DatedBackup,
    Mark,
    ProtectedVolume,
    daily_marks,
    days_until,
    grouped,
    mark_of,
    marks_of,
    worst_first,
)
from tests.build import NOW, ago

V1 = VolumeId("v1")


def a_dated_backup(state: State = State.AVAILABLE, **more: Any) -> DatedBackup:
    succeeded_at = NOW if state in (State.AVAILABLE, State.MISSING) else None
    backup = DatedBackup(V1, Kind.INCREMENTAL, state, succeeded_at, NOW)
    return backup._replace(**more)


def a_protected_volume(name: str = "v1", **more: Any) -> ProtectedVolume:
    volume = ProtectedVolume(
        volume_id=VolumeId(name),
        volume_name=name,
        server_id=ServerId("s1"),
        server_name="web",
        project_id=ProjectId("p1"),
        project_name="alpha",
        first_seen_at=ago(days=3),
        protected_since=ago(days=3),
        last_success_at=ago(hours=1),
        failures=0,
    )
    return volume._replace(**more)


@pytest.mark.parametrize(
    ("state", "succeeded", "mark"),
    [
        (State.PLANNED, False, None),
        (State.CANCELLED, False, None),
        (State.STARTING, False, Mark.RUNNING),
        (State.CREATING, False, Mark.RUNNING),
        (State.AVAILABLE, True, Mark.FULL),
        (State.MISSING, True, Mark.LOST),
        (State.FAILED, False, Mark.FAILED),
        (State.DELETING, True, Mark.REMOVED),
        (State.DELETED, True, Mark.REMOVED),
        (State.DELETED, False, Mark.FAILED),
    ],
)
def test_each_state_has_its_mark(state: State, succeeded: bool, mark: Mark | None) -> None:
    assert mark_of(Kind.FULL, state, succeeded=succeeded) is mark


def test_an_incremental_looks_different_from_a_full() -> None:
    assert mark_of(Kind.INCREMENTAL, State.AVAILABLE, succeeded=True) is Mark.INCREMENTAL


@pytest.mark.parametrize(
    ("states", "mark"),
    [
        ((State.FAILED, State.AVAILABLE), Mark.INCREMENTAL),
        ((State.AVAILABLE, State.FAILED), Mark.INCREMENTAL),
        ((State.FAILED, State.CREATING), Mark.RUNNING),
        ((State.FAILED, State.MISSING), Mark.LOST),
    ],
)
def test_a_day_shows_what_can_be_restored_before_what_cannot(
    states: tuple[State, ...], mark: Mark
) -> None:
    found = daily_marks(map(a_dated_backup, states), UTC)
    assert found == {V1: {NOW.date(): mark}}


def test_a_planned_backup_leaves_no_mark() -> None:
    assert daily_marks([a_dated_backup(State.PLANNED)], UTC) == {}


def test_a_day_is_one_of_the_zone() -> None:
    late = a_dated_backup(started_at=datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    berlin = ZoneInfo("Europe/Berlin")
    assert list(daily_marks([late], berlin)[V1]) == [date(2026, 11, 23)]
    assert days_until(late.started_at, 2, berlin) == [date(2026, 11, 22), date(2026, 11, 23)]


def test_a_day_without_a_backup_is_empty_only_since_the_volume_is_protected() -> None:
    days = days_until(NOW, 5, UTC)
    found = {NOW.date() - timedelta(days=1): Mark.FULL}
    marks = marks_of(a_protected_volume(), found, days, UTC)
    assert marks == [Mark.BEFORE, Mark.NONE, Mark.NONE, Mark.FULL, Mark.NONE]


def test_a_backup_from_before_the_protection_is_shown() -> None:
    days = days_until(NOW, 5, UTC)
    marks = marks_of(a_protected_volume(), {days[0]: Mark.FULL}, days, UTC)
    assert marks[0] is Mark.FULL


def test_the_longest_without_a_backup_comes_first_then_the_failing_then_the_others() -> None:
    volumes = [
        a_protected_volume("b"),
        a_protected_volume("a"),
        a_protected_volume("failing", failures=1),
        a_protected_volume("often failing", failures=3),
        a_protected_volume("late", last_success_at=ago(days=4)),
        a_protected_volume("later", last_success_at=ago(days=9)),
        a_protected_volume("never", last_success_at=None, protected_since=ago(days=7)),
    ]
    overdue = {VolumeId("late"), VolumeId("later"), VolumeId("never")}
    names = [one.volume_name for one in worst_first(volumes, overdue)]
    assert names == ["later", "never", "late", "often failing", "failing", "a", "b"]


def test_a_project_and_a_server_stand_where_their_worst_volume_stands() -> None:
    volumes = [
        a_protected_volume("1", project_id=ProjectId("b"), server_id=ServerId("db")),
        a_protected_volume("2", project_id=ProjectId("a")),
        a_protected_volume("3", project_id=ProjectId("b"), server_id=ServerId("web")),
        a_protected_volume("4", project_id=ProjectId("b"), server_id=ServerId("db")),
    ]
    assert [one.volume_name for one in grouped(volumes)] == ["1", "4", "3", "2"]
