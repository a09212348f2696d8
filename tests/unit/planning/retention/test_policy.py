from datetime import timedelta

import pytest

from staffeln_cli.model.durations import parse
from staffeln_cli.planning.retention.policy import Policy, in_force, named, reach

POLICIES = {"gold": Policy(daily=7, monthly=12), "1d": Policy(last=3)}
DEFAULT = parse("17d")


def test_a_text_may_name_a_policy_or_be_a_duration() -> None:
    assert named("gold", POLICIES) == POLICIES["gold"]
    assert named("2w", POLICIES) == Policy(time=parse("2w"))


def test_the_name_of_a_policy_goes_before_a_duration() -> None:
    assert named("1d", POLICIES) == Policy(last=3)


@pytest.mark.parametrize(("policies", "known"), [(POLICIES, "1d, gold"), ({}, "none configured")])
def test_a_text_that_is_neither_is_refused_with_the_names_there_are(
    policies: dict[str, Policy], known: str
) -> None:
    with pytest.raises(ValueError, match=f"'silver' is not a duration .*{known}"):
        named("silver", policies)


def test_in_force_is_the_default_where_nothing_is_remembered() -> None:
    assert in_force(None, POLICIES, DEFAULT) == Policy(time=DEFAULT)
    assert in_force("gold", POLICIES, DEFAULT) == POLICIES["gold"]


def test_a_policy_that_left_the_configuration_is_unknown() -> None:
    assert in_force("silver", POLICIES, DEFAULT) is None


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        (Policy(time=parse("30d")), Policy(time=parse("31d"))),
        (Policy(time=parse("1mon")), Policy(time=parse("5w"))),
        (Policy(daily=30), Policy(daily=7, monthly=2)),
        (Policy(last=3, hourly=24), Policy(time=parse("4d"))),
        (Policy(yearly=9), Policy(yearly=9, time=parse("10y"))),
        (Policy(time=parse("99y")), None),
    ],
)
def test_a_policy_is_longer_when_its_furthest_rule_reaches_further(
    shorter: Policy, longer: Policy | None
) -> None:
    assert reach(shorter) < reach(longer)


def test_a_policy_without_rules_reaches_nowhere() -> None:
    assert reach(Policy()) == timedelta()


def test_a_policy_is_written_with_the_rules_that_keep_something() -> None:
    assert Policy(daily=7, time=parse("1y")).text == "daily=7 time=1y"
    assert Policy().text == ""
