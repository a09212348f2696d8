"""The intervals between backups that were achieved."""

from datetime import timedelta

from staffeln_cli.planning.intervals import Gap, achieved
from tests.build import NOW, ago


def test_the_largest_gap_is_found_and_the_95th_percentile_of_those_that_have_ended() -> None:
    starts = [ago(days=days) for days in range(40, 0, -1) if days != 20]
    found = achieved(starts, ago(days=40), NOW)
    assert found.backups == 38
    assert found.largest == Gap(ago(days=21), ago(days=19))
    assert found.usual == timedelta(days=1)


def test_a_gap_that_has_not_ended_counts_as_the_largest_but_not_as_usual() -> None:
    found = achieved([ago(days=9), ago(days=8)], ago(days=9), NOW)
    assert found.largest == Gap(ago(days=8), NOW)
    assert found.usual == timedelta(days=1)


def test_the_first_gap_begins_with_the_last_backup_before_the_period() -> None:
    found = achieved([ago(days=20), ago(days=12), ago(days=5)], ago(days=10), NOW)
    assert (found.backups, found.largest) == (1, Gap(ago(days=12), ago(days=5)))


def test_without_an_earlier_backup_it_begins_when_backups_were_expected() -> None:
    found = achieved([ago(days=5)], ago(days=10), NOW)
    assert found.largest == Gap(ago(days=10), ago(days=5))


def test_a_volume_without_any_backup_has_one_gap_that_has_not_ended() -> None:
    found = achieved([], ago(days=10), NOW)
    assert (found.backups, found.usual) == (0, None)
    assert found.largest == Gap(ago(days=10), NOW)


def test_where_nothing_was_expected_there_is_no_gap() -> None:
    assert achieved([ago(days=1)], NOW, NOW).largest is None


def test_what_came_after_the_period_says_nothing_about_it() -> None:
    found = achieved([ago(days=9), ago(days=1)], ago(days=10), ago(days=5))
    assert (found.backups, found.largest) == (1, Gap(ago(days=9), ago(days=5)))
