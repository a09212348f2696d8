"""Which retention metadata ask for, and what holds where nobody understands them."""

import pytest

from staffeln_cli.model import DecidedBy, ServerId
from staffeln_cli.planning.retention.policy import Policy
from tests.build import a_volume, an_inventory_volume
from tests.unit.planning.protection.builders import MARKED, judged


def test_the_retention_is_the_default_without_a_wish() -> None:
    assert judged(a_volume("s1")).retention is None


@pytest.mark.parametrize("last", ["1y", "1d"])
def test_the_retention_follows_an_explicit_change_longer_or_shorter(last: str | None) -> None:
    tags = {"s1": MARKED | {"retention": " 30d "}}
    found = judged(
        a_volume("s1"), last=an_inventory_volume(protected=True, retention=last), tags=tags
    )
    assert (found.retention, found.bad_retention) == ("30d", None)


def test_the_retention_returns_to_the_default_when_the_wish_is_withdrawn() -> None:
    found = judged(a_volume("s1"), last=an_inventory_volume(protected=True, retention="1y"))
    assert found.retention is None


def test_the_retention_may_be_the_name_of_a_policy() -> None:
    tags = {"s1": MARKED | {"retention": "gold"}}
    assert judged(a_volume("s1"), tags=tags, gold=Policy(daily=7)).retention == "gold"


@pytest.mark.parametrize(
    ("last", "holds"), [("30d", "30d"), ("5d", None), (None, None), ("17d", "17d")]
)
def test_the_retention_of_a_typo_is_the_longer_of_the_default_and_the_last_valid_one(
    last: str | None, holds: str | None
) -> None:
    tags = {"s1": MARKED | {"retention": "3 weeks"}}
    found = judged(
        a_volume("s1"), last=an_inventory_volume(protected=True, retention=last), tags=tags
    )
    assert (found.retention, found.bad_retention) == (holds, "'3 weeks'")


def test_the_retention_of_a_typo_at_first_sight_is_the_default() -> None:
    found = judged(a_volume("s1"), tags={"s1": MARKED | {"retention": ""}})
    assert (found.retention, found.bad_retention) == (None, "''")


def test_a_bad_value_is_shown_short_and_harmless() -> None:
    found = judged(a_volume("s1"), tags={"s1": {"retention": "\x1b[31m" + "x" * 300}})
    assert found.bad_retention is not None
    assert len(found.bad_retention) < 80
    assert "\x1b" not in found.bad_retention


def test_the_retention_of_a_policy_that_left_the_configuration_stays() -> None:
    tags = {"s1": MARKED | {"retention": "gold"}}
    last = an_inventory_volume(protected=True, retention="gold")
    found = judged(a_volume("s1"), last=last, tags=tags)
    assert (found.retention, found.bad_retention) == ("gold", "'gold'")


def test_the_retention_of_a_detached_volume_is_the_last_one_it_had() -> None:
    last = an_inventory_volume(protected=True, server_id=ServerId("s1"), retention="1y")
    found = judged(a_volume(), last=last)
    assert (found.protected, found.retention, found.server_id) == (False, "1y", "s1")


def test_the_retention_of_an_unmarked_server_still_follows_its_wish() -> None:
    assert judged(a_volume("s1"), tags={"s1": {"retention": "1y"}}).retention == "1y"


@pytest.mark.parametrize(
    ("one", "other", "longest"),
    [
        ("30d", "1y", "1y"),
        ("1y", "30d", "1y"),
        ("5d", None, None),
        ("20d", None, "20d"),
        ("1mon", "31d", "31d"),
        ("gold", "8w", "gold"),
        ("gold", "40w", "40w"),
    ],
)
def test_the_retention_of_several_servers_is_the_longest(
    one: str | None, other: str | None, longest: str | None
) -> None:
    tags = {
        "s1": MARKED if one is None else MARKED | {"retention": one},
        "s2": MARKED if other is None else MARKED | {"retention": other},
    }
    gold = Policy(daily=7, monthly=6)
    assert judged(a_volume("s1", "s2"), tags=tags, gold=gold).retention == longest
    assert judged(a_volume("s2", "s1"), tags=tags, gold=gold).retention == longest


def test_the_retention_that_the_volume_asks_for_wins_over_its_servers_even_if_shorter() -> None:
    volume = a_volume("s1", metadata={"retention": " 5d "})
    found = judged(volume, tags={"s1": MARKED | {"retention": "1y"}})
    assert (found.retention, found.retention_decided_by) == ("5d", DecidedBy.VOLUME)


@pytest.mark.parametrize(("last", "holds"), [("1y", "1y"), ("5d", None), (None, None)])
def test_the_retention_of_a_volumes_own_typo_is_never_shorter_than_the_last_or_the_default(
    last: str | None, holds: str | None
) -> None:
    volume = a_volume("s1", metadata={"retention": "3 weeks"})
    found = judged(volume, last=an_inventory_volume(retention=last))
    assert (found.retention, found.bad_retention) == (holds, "'3 weeks'")


def test_the_retention_that_a_volume_asks_for_no_longer_is_no_word_of_a_server_it_had() -> None:
    own = an_inventory_volume(retention="1y", retention_decided_by=DecidedBy.VOLUME)
    assert judged(a_volume(), last=own).retention is None
    assert judged(a_volume("s9"), last=own).retention is None


def test_the_retention_of_a_known_server_does_not_cut_what_an_unknown_one_wanted() -> None:
    tags = {"s1": MARKED | {"retention": "5d"}}
    last = an_inventory_volume(protected=True, retention="1y")
    assert judged(a_volume("s1", "s9"), last=last, tags=tags).retention == "1y"
