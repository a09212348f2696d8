"""How long backups take, and when the present work is done."""

from datetime import timedelta
from typing import Any

import pytest

from staffeln_cli.model import Kind, Origin, ProjectId, State, VolumeId
from staffeln_cli.planning.estimates import (
    Limits,
    Rates,
    UnfinishedBackup,
    Work,
    allowed,
    expected,
    learned,
    work_of,
)
from staffeln_cli.planning.protection.windows import Opening
from tests.build import NOW, ago

LIMITS = Limits(total=4, per_project=2)
AN_HOUR = timedelta(hours=1)


def a_waiting_backup(minutes: float | None = 60, **more: Any) -> UnfinishedBackup:
    backup = UnfinishedBackup(
        volume_id=VolumeId("v1"),
        volume_name="data",
        server_name="web",
        project_id=ProjectId("p1"),
        kind=Kind.FULL,
        state=State.PLANNED,
        started_at=None,
        size_gib=10,
        volume_type="ssd",
        usual_full_s=None if minutes is None else round(60 * minutes),
        usual_incremental_s=None,
    )
    return backup._replace(**more)


def a_running_backup(minutes: float | None = 60, *, since: float, **more: Any) -> UnfinishedBackup:
    started_at = ago(minutes=since)
    return a_waiting_backup(minutes, state=State.CREATING, started_at=started_at, **more)


def test_the_first_backup_is_the_usual_one() -> None:
    assert learned(None, 600) == 600


def test_a_change_of_speed_is_learned_step_by_step() -> None:
    usual = 600
    for _ in range(12):
        usual = learned(usual, 1000)
    assert 980 < usual <= 1000


def test_one_very_long_backup_hardly_changes_what_is_usual() -> None:
    assert learned(600, 10 * 3600) == round(0.7 * 600 + 0.3 * 1800)


def test_a_backup_takes_as_long_as_others_of_its_volume_and_kind() -> None:
    full = a_waiting_backup(60, usual_incremental_s=120)
    assert expected(full, {}) == AN_HOUR
    assert expected(full._replace(kind=Kind.INCREMENTAL), {}) == timedelta(minutes=2)


def test_a_new_volume_takes_as_long_per_gib_as_others_of_its_type() -> None:
    rates: Rates = {("ssd", Kind.FULL): 30.0, ("hdd", Kind.FULL): 300.0}
    assert expected(a_waiting_backup(None), rates) == timedelta(minutes=5)
    assert expected(a_waiting_backup(None, volume_type="tape"), rates) is None
    assert expected(a_waiting_backup(None, kind=Kind.INCREMENTAL), rates) is None


@pytest.mark.parametrize(
    ("usual", "hours"), [(None, 12), (timedelta(hours=2), 12), (timedelta(hours=5), 20)]
)
def test_the_time_out_is_never_less_than_the_configured_one(
    usual: timedelta | None, hours: int
) -> None:
    assert allowed(timedelta(hours=12), usual) == timedelta(hours=hours)


def test_without_work_there_is_no_end() -> None:
    assert work_of([], {}, NOW, LIMITS) == Work()


def test_the_work_ends_with_its_longest_backup() -> None:
    work = work_of([a_running_backup(since=20), a_running_backup(since=50)], {}, NOW, LIMITS)
    assert work.running_done_at == work.done_at == NOW + timedelta(minutes=40)
    assert [one.done_at for one in work.running] == [
        NOW + timedelta(minutes=40),
        NOW + timedelta(minutes=10),
    ]


def test_a_backup_that_takes_longer_than_usual_may_end_at_any_moment() -> None:
    work = work_of([a_running_backup(since=90)], {}, NOW, LIMITS)
    assert (work.done_at, work.running[0].done_at) == (NOW, NOW - timedelta(minutes=30))


def test_waiting_backups_share_the_limits_of_their_project() -> None:
    work = work_of([a_waiting_backup() for _ in range(8)], {}, NOW, LIMITS)
    assert (work.waiting, work.done_at) == (8, NOW + 4 * AN_HOUR)


def test_the_projects_share_the_limit_of_all() -> None:
    projects = [ProjectId(f"p{number}") for number in range(8)]
    work = work_of([a_waiting_backup(project_id=one) for one in projects], {}, NOW, LIMITS)
    assert work.done_at == NOW + 2 * AN_HOUR


def test_the_running_ones_are_done_before_the_waiting_ones() -> None:
    work = work_of(
        [a_running_backup(since=0), *(a_waiting_backup() for _ in range(3))], {}, NOW, LIMITS
    )
    assert (work.running_done_at, work.done_at) == (NOW + AN_HOUR, NOW + 2 * AN_HOUR)


def test_a_backup_of_unknown_duration_counts_as_the_mean_of_the_others() -> None:
    backups = [a_waiting_backup(30), a_waiting_backup(90), *(a_waiting_backup(None),) * 2]
    assert work_of(backups, {}, NOW, LIMITS).done_at == NOW + 2 * AN_HOUR


def test_where_no_duration_is_known_nothing_is_promised() -> None:
    work = work_of([a_running_backup(None, since=5), a_waiting_backup(None)], {}, NOW, LIMITS)
    assert (work.done_at, work.running_done_at) == (None, None)
    assert (len(work.running), work.waiting) == (1, 1)


def test_running_backups_of_unknown_duration_come_last() -> None:
    known, unknown = a_running_backup(since=5), a_running_backup(None, since=5)
    work = work_of([unknown, known], {}, NOW, LIMITS)
    assert [one.backup for one in work.running] == [known, unknown]


def test_without_a_window_nothing_is_said_about_one() -> None:
    work = work_of([a_waiting_backup()], {}, NOW, LIMITS)
    assert (work.opening, work.window_suffices) == (None, None)


def test_what_waits_starts_when_the_window_opens() -> None:
    opening = Opening(NOW + 2 * AN_HOUR, NOW + 5 * AN_HOUR)
    work = work_of([a_waiting_backup() for _ in range(4)], {}, NOW, LIMITS, opening)
    assert work.done_at == opening.opens_at + 2 * AN_HOUR
    assert work.last_start_at == opening.opens_at + AN_HOUR
    assert (work.opening, work.window_suffices) == (opening, True)


def test_what_runs_is_nearer_to_its_end_when_the_window_opens() -> None:
    opening = Opening(NOW + AN_HOUR / 2, NOW + 5 * AN_HOUR)
    backups = [a_running_backup(120, since=0), a_waiting_backup(), a_waiting_backup()]
    work = work_of(backups, {}, NOW, LIMITS, opening)
    assert work.running_done_at == NOW + 2 * AN_HOUR
    assert work.done_at == opening.opens_at + 1.75 * AN_HOUR


def test_a_window_that_closes_before_the_last_can_start_does_not_suffice() -> None:
    opening = Opening(NOW - AN_HOUR, NOW + AN_HOUR)
    work = work_of([a_waiting_backup() for _ in range(8)], {}, NOW, LIMITS, opening)
    assert (work.last_start_at, work.window_suffices) == (NOW + 3 * AN_HOUR, False)


def test_one_long_backup_may_end_after_the_window() -> None:
    opening = Opening(NOW, NOW + AN_HOUR)
    work = work_of([a_waiting_backup(600)], {}, NOW, LIMITS, opening)
    assert (work.last_start_at, work.window_suffices) == (NOW, True)


def test_whether_the_window_suffices_is_not_known_without_durations() -> None:
    opening = Opening(NOW + AN_HOUR, NOW + 2 * AN_HOUR)
    backups = [a_running_backup(None, since=5), a_waiting_backup(None)]
    work = work_of(backups, {}, NOW, LIMITS, opening)
    assert (work.opening, work.last_start_at, work.window_suffices) == (opening, None, None)


def test_what_people_asked_for_does_not_wait_for_the_window() -> None:
    opening = Opening(NOW + AN_HOUR, NOW + 2 * AN_HOUR)
    work = work_of([a_waiting_backup(origin=Origin.ADHOC)], {}, NOW, LIMITS, opening)
    assert (work.opening, work.done_at) == (None, NOW + AN_HOUR)


def test_a_claimed_backup_that_has_no_start_yet_has_no_end() -> None:
    starting = a_waiting_backup(state=State.STARTING)
    assert work_of([starting], {}, NOW, LIMITS).running[0].done_at is None
