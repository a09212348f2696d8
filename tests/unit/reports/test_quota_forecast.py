from datetime import timedelta

import pytest

from staffeln_cli.cloud.lookups import Quota, Quotas
from staffeln_cli.reports.quota_forecast import WINDOW, Gauge, QuotaForecast, forecast
from staffeln_cli.store.reports import Charge, Growth
from tests.build import NOW

NONE = Charge(0, 0)


@pytest.mark.parametrize(
    ("limit", "used", "percent", "colour"),
    [
        (1000, 0, 0, "green"),
        (1000, 499, 49, "green"),
        (1000, 500, 50, "yellow"),
        (1000, 800, 80, "yellow"),
        (1000, 801, 80, "red"),
        (1000, 1200, 120, "red"),
        (0, 0, 100, "red"),
        (0, 5, 100, "red"),
        (3, 1, 33, "green"),
    ],
)
def test_a_bar_is_green_below_half_yellow_to_eighty_percent_red_above(
    limit: int, used: int, percent: int, colour: str
) -> None:
    gauge = Gauge(limit, used)
    assert (gauge.percent, gauge.colour, gauge.is_unlimited) == (percent, colour, False)


def test_what_is_unlimited_is_never_full() -> None:
    gauge = Gauge(-1, 10**6)
    assert gauge.is_unlimited
    assert gauge.colour == "green"


def days_left(limit: int, used: int, growth: Growth) -> int | None:
    quotas = Quotas(backups=Quota(-1, 0), gigabytes=Quota(limit, used))
    return forecast(quotas, growth, NOW).gigabytes.days_left


def test_a_quota_lasts_for_its_room_at_the_rate_of_the_last_fortnight() -> None:
    growth = Growth(Charge(20, 200), Charge(6, 60), NOW - timedelta(days=100))
    assert days_left(1000, 900, growth) == 10


def test_a_short_history_is_not_stretched_to_a_fortnight() -> None:
    growth = Growth(Charge(2, 20), NONE, NOW - timedelta(days=2))
    assert days_left(1000, 900, growth) == 10
    growth = Growth(Charge(1, 10), NONE, NOW - timedelta(minutes=5))
    assert days_left(1000, 900, growth) == 10


@pytest.mark.parametrize(
    ("limit", "used", "made"),
    [(1000, 900, 0), (-1, 900, 100), (0, 0, 100), (1000, 1000, 100), (1000, 0, 1)],
)
def test_no_day_is_named_where_none_is_in_sight(limit: int, used: int, made: int) -> None:
    growth = Growth(Charge(made, made), NONE, NOW - WINDOW)
    assert days_left(limit, used, growth) is None


def test_what_shrinks_is_never_full() -> None:
    assert days_left(1000, 900, Growth(NONE, Charge(5, 50), NOW - WINDOW)) is None


def a_gauge(days: float | None = None, *, used: int = 3) -> Gauge:
    return Gauge(10, used, None if days is None else timedelta(days=days))


@pytest.mark.parametrize(
    ("gigabytes", "backups", "days"),
    [
        (a_gauge(9.5), a_gauge(3.5), 3),
        (a_gauge(), a_gauge(20.5), 20),
        (a_gauge(), a_gauge(), None),
        (a_gauge(used=10), a_gauge(3.5), 0),
        (Gauge(-1, 500), a_gauge(), None),
        (Gauge(0, 0), a_gauge(), 0),
    ],
)
def test_the_quota_that_is_full_first_counts(
    gigabytes: Gauge, backups: Gauge, days: int | None
) -> None:
    assert QuotaForecast(gigabytes, backups).seen(NOW).days_left(NOW) == days


def test_days_pass_after_a_quota_was_seen() -> None:
    quota = QuotaForecast(a_gauge(9.5), a_gauge()).seen(NOW)
    assert quota.days_left(NOW + timedelta(days=4)) == 5
    assert quota.days_left(NOW + timedelta(days=40)) == 0
