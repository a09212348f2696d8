from datetime import timedelta

import pytest

from staffeln_cli.model.durations import Duration, parse
from staffeln_cli.reports.delivery import is_over
from tests.build import NOW


@pytest.mark.parametrize(
    ("period", "since", "over"),
    [
        ("1d", timedelta(hours=23, minutes=45), True),
        ("1d", timedelta(hours=23, minutes=44), False),
        ("1h", timedelta(minutes=57), True),
        ("1h", timedelta(minutes=56), False),
        ("0s", timedelta(), True),
    ],
)
def test_a_period_ends_a_little_early_so_that_a_crontab_does_not_slip(
    period: str, since: timedelta, over: bool
) -> None:
    assert is_over(NOW - since, parse(period), NOW) is over


def test_who_was_never_told_is_told_now() -> None:
    assert is_over(None, Duration(months=1), NOW)
