"""Until the grace is over, the longer retention holds beside the shorter one."""

from datetime import datetime, timedelta

import pytest

from staffeln_cli.model import InventoryVolume
from staffeln_cli.model.durations import parse
from staffeln_cli.planning.retention.policy import Policy, covers
from staffeln_cli.planning.retention.shortening import (
    Grace,
    gone_grace_ends_at,
    grace_ends_at,
    noted,
    retention_held,
    shortening_ends_at,
)
from tests.build import NOW, ago, an_inventory_volume

DAY = parse("1d")
GRACE = Grace(DAY, {"gfs": Policy(daily=7, monthly=12)}, parse("17d"))


def changed(
    *texts: str | None, hours: float = 1, known: InventoryVolume | None = None
) -> InventoryVolume:
    """A volume whose retention was each of these in turn, seen so many hours apart, until now."""
    row = known or an_inventory_volume(retention=texts[0])
    for index, text in enumerate(texts[1:], 2):
        now = NOW - timedelta(hours=hours) * (len(texts) - index)
        row = noted(row._replace(retention=text), row, GRACE, now)
    return row


def shortened(before: str | None, at: datetime | None) -> InventoryVolume:
    return an_inventory_volume(retention="1s", retention_before=before, retention_shortened_at=at)


def test_a_shorter_retention_is_noted_with_the_longer_one() -> None:
    row = changed("30d", "1s")
    assert (row.retention_before, row.retention_shortened_at) == ("30d", NOW)
    assert retention_held(row, DAY, NOW) == "30d"
    assert shortening_ends_at(row, DAY, NOW) == DAY.after(NOW)


@pytest.mark.parametrize("after", ["30d", "31d", "1y", "unknown", None])
def test_a_retention_that_covers_the_one_before_holds_at_once(after: str | None) -> None:
    row = changed("10d", after)
    assert (row.retention_before, row.retention_shortened_at) == (None, None)
    assert retention_held(row, DAY, NOW) == after


def test_a_volume_seen_for_the_first_time_has_nothing_to_hold() -> None:
    row = an_inventory_volume(retention="1s")
    assert noted(row, None, GRACE, NOW) == row


def test_an_unchanged_retention_lets_the_grace_go_on_and_end() -> None:
    row = changed("30d", "1s", "1s", "1s", hours=8)
    assert row.retention_shortened_at == ago(hours=16)
    row = changed("30d", "1s", "1s", "1s", hours=13)
    assert row.retention_shortened_at is None


def test_a_further_shortening_begins_the_grace_anew_with_the_longest() -> None:
    row = changed("30d", "7d", "1s")
    assert (row.retention_before, row.retention_shortened_at) == ("30d", NOW)


def test_a_policy_that_reaches_further_and_keeps_less_takes_no_held_ones_place() -> None:
    row = changed("30d", "gfs", "1s")
    assert (row.retention_before, row.retention_shortened_at) == ("30d", NOW)
    assert retention_held(row, DAY, NOW) == "30d"
    assert changed("gfs", "30d", "1s").retention_before == "gfs"


def test_a_retention_that_is_longer_but_not_as_long_as_before_leaves_the_grace_as_it_is() -> None:
    row = changed("30d", "1s", "7d")
    assert (row.retention_before, row.retention_shortened_at) == ("30d", ago(hours=1))


def test_the_default_may_be_what_was_shortened() -> None:
    row = changed(None, "1s")
    assert row.retention_shortened_at == NOW
    assert retention_held(row, DAY, NOW) is None


def test_a_policy_of_another_shape_is_no_longer_one() -> None:
    assert changed("gfs", "90d").retention_before == "gfs"
    assert changed("90d", "gfs").retention_before == "90d"


def test_a_shortening_noted_in_the_future_holds_for_a_whole_grace() -> None:
    assert grace_ends_at(shortened("30d", ago(days=-30)), DAY, NOW) == DAY.after(NOW)


def test_a_grace_that_is_over_holds_nothing() -> None:
    row = shortened("30d", ago(days=1))
    assert grace_ends_at(row, DAY, NOW) is None
    assert retention_held(row, DAY, NOW) == "1s"
    assert shortening_ends_at(row, DAY, NOW) is None


def test_a_volume_that_is_gone_counts_as_there_for_the_grace() -> None:
    assert gone_grace_ends_at(an_inventory_volume(), DAY, NOW) is None
    gone = an_inventory_volume(gone_at=ago(hours=1))
    assert gone_grace_ends_at(gone, DAY, NOW) == ago(hours=-23)
    assert gone_grace_ends_at(an_inventory_volume(gone_at=ago(days=1)), DAY, NOW) is None


def test_what_takes_effect_first_is_told() -> None:
    row = shortened("30d", ago(hours=2))._replace(gone_at=ago(hours=5))
    assert shortening_ends_at(row, DAY, NOW) == ago(hours=-19)


@pytest.mark.parametrize(
    ("policy", "other", "is_covered"),
    [
        (Policy(daily=7), Policy(daily=7), True),
        (Policy(daily=8, time=DAY), Policy(daily=7), True),
        (Policy(daily=7), Policy(daily=7, time=DAY), False),
        (Policy(weekly=7), Policy(daily=7), False),
        (None, Policy(daily=7), True),
        (None, None, True),
        (Policy(yearly=99), None, False),
    ],
)
def test_a_policy_covers_another_if_no_rule_of_it_keeps_less(
    policy: Policy | None, other: Policy | None, is_covered: bool
) -> None:
    assert covers(policy, other) is is_covered


def test_a_volume_whose_retention_stays_as_it_is_begins_no_grace() -> None:
    row = an_inventory_volume(retention="30d")
    assert noted(row, row, GRACE, NOW) == row
