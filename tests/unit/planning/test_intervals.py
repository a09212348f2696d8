"""The intervals between backups that were achieved."""

from datetime import timedelta

from staffeln_cli.model.durations import parse
from staffeln_cli.planning.intervals import Gap, achieved
from staffeln_cli.planning.protection.due import Schedule
from staffeln_cli.planning.protection.windows import parse as parse_window
from tests.build import NOW, ago

DAILY = Schedule(parse("1d"))


def test_the_largest_gap_is_found_and_the_95th_percentile_of_those_that_have_ended() -> None:
    starts = [ago(days=days) for days in range(40, 0, -1) if days != 20]
    found = achieved(starts, ago(days=40), NOW, DAILY)
    assert found.backups == 38
    assert found.largest == Gap(ago(days=21), ago(days=19))
    assert found.usual == timedelta(days=1)


def test_a_gap_that_has_not_ended_counts_as_the_largest_but_not_as_usual() -> None:
    found = achieved([ago(days=9), ago(days=8)], ago(days=9), NOW, DAILY)
    assert found.largest == Gap(ago(days=8), NOW)
    assert found.usual == timedelta(days=1)


def test_the_first_gap_begins_with_the_last_backup_before_the_period() -> None:
    found = achieved([ago(days=20), ago(days=12), ago(days=5)], ago(days=10), NOW, DAILY)
    assert (found.backups, found.largest) == (1, Gap(ago(days=12), ago(days=5)))


def test_without_an_earlier_backup_it_begins_when_backups_were_expected() -> None:
    found = achieved([ago(days=5)], ago(days=10), NOW, DAILY)
    assert found.largest == Gap(ago(days=10), ago(days=5))


def test_a_volume_without_any_backup_has_one_gap_that_has_not_ended() -> None:
    found = achieved([], ago(days=10), NOW, DAILY)
    assert (found.backups, found.usual) == (0, None)
    assert found.largest == Gap(ago(days=10), NOW)


def test_where_nothing_was_expected_there_is_no_gap() -> None:
    assert achieved([ago(days=1)], NOW, NOW, DAILY).largest is None


def test_what_came_after_the_period_says_nothing_about_it() -> None:
    found = achieved([ago(days=9), ago(days=1)], ago(days=10), ago(days=5), DAILY)
    assert (found.backups, found.largest) == (1, Gap(ago(days=9), ago(days=5)))


def test_a_gap_of_more_than_twice_the_interval_makes_a_volume_overdue() -> None:
    starts = [ago(days=days) for days in (10, 9, 7, 4.9, 4, 2)]
    assert achieved(starts, ago(days=10), NOW, DAILY).late == 1
    assert achieved(starts, ago(days=10), NOW + timedelta(hours=1), DAILY).late == 2


def test_what_only_waited_for_the_window_was_not_overdue() -> None:
    hourly = Schedule(parse("1h"), parse_window("21:00-22:00"))
    starts = [ago(days=days, hours=1) for days in (3, 2, 1, 0)]
    assert achieved(starts, starts[0], NOW, hourly).late == 0
    assert achieved(starts, starts[0], NOW, hourly._replace(window=None)).late == 3
