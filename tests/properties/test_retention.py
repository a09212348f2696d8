import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta, timezone
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.chains.members import Member
from staffeln_cli.planning.retention.keep_rules import RetentionTerms
from staffeln_cli.planning.retention.policy import Policy
from staffeln_cli.planning.retention.verdicts import judge, waves
from tests.build import NOW
from tests.properties.histories import DURATIONS, POLICIES, histories

PROMISES = st.builds(
    RetentionTerms,
    policy=st.none() | POLICIES,
    volume_exists=st.booleans(),
    keep_last=st.integers(0, 4),
)


def removed(members: list[Member], terms: RetentionTerms) -> set[str]:
    return {v.member.backup.id for v in judge(members, terms, NOW) if not v.keep}


def without(members: list[Member], gone: set[str]) -> list[Member]:
    return [member for member in members if member.backup.id not in gone]


@given(histories(), PROMISES, st.randoms(use_true_random=False))
def test_the_order_of_the_listing_does_not_matter_nor_do_duplicates(
    members: list[Member], terms: RetentionTerms, chance: Random
) -> None:
    shuffled = members + members[:3]
    chance.shuffle(shuffled)
    assert judge(shuffled, terms, NOW) == judge(members, terms, NOW)


@given(histories(), PROMISES)
def test_retention_twice_is_retention_once(members: list[Member], terms: RetentionTerms) -> None:
    rest = without(members, removed(members, terms))
    assert removed(rest, terms) == set()


@given(histories(), PROMISES, st.integers(0, 5))
def test_retention_that_died_goes_on_to_the_same_end(
    members: list[Member], terms: RetentionTerms, done: int
) -> None:
    wanted = removed(members, terms)
    order = waves(judge(members, terms, NOW))
    gone = {str(member.backup.id) for wave in order[:done] for member in wave}
    assert gone | removed(without(members, gone), terms) == wanted


@given(histories(), PROMISES)
def test_waves_hold_each_removal_once_and_nothing_else(
    members: list[Member], terms: RetentionTerms
) -> None:
    verdicts = judge(members, terms, NOW)
    names = [member.backup.id for wave in waves(verdicts) for member in wave]
    assert len(names) == len(set(names))
    assert set(names) == removed(members, terms)


@given(histories(), PROMISES)
def test_a_wave_waits_for_all_that_may_depend_on_it(
    members: list[Member], terms: RetentionTerms
) -> None:
    verdicts = judge(members, terms, NOW)
    wave_of = {m.backup.id: number for number, w in enumerate(waves(verdicts)) for m in w}
    for verdict in verdicts:
        for child in verdict.dependents:
            name = verdict.member.backup.id
            if name in wave_of and child in wave_of:
                assert wave_of[child] < wave_of[name] or verdict.confirm


@given(histories(), PROMISES, st.integers(-14, 14))
def test_the_zone_of_the_moments_does_not_matter(
    members: list[Member], terms: RetentionTerms, hours: int
) -> None:
    zone = timezone(timedelta(hours=hours))

    def abroad(member: Member) -> Member:
        backup, record = member.backup, member.record
        return Member(
            backup._replace(
                created_at=backup.created_at.astimezone(zone),
                data_timestamp=backup.data_timestamp.astimezone(zone),
            ),
            record and record._replace(started_at=backup.created_at.astimezone(zone)),
        )

    with on_a_host_in("Pacific/Kiritimati"):
        there = judge([abroad(member) for member in members], terms, NOW)
    here = judge(members, terms, NOW)
    assert [(v.member.backup.id, v.rule) for v in there] == [
        (v.member.backup.id, v.rule) for v in here
    ]


@contextmanager
def on_a_host_in(zone: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


@given(histories(), PROMISES)
def test_the_zone_of_the_host_does_not_matter(
    members: list[Member], terms: RetentionTerms
) -> None:
    here = judge(members, terms, NOW)
    for zone in ("Europe/Berlin", "Pacific/Kiritimati", "America/St_Johns"):
        with on_a_host_in(zone):
            assert judge(members, terms, NOW) == here


def with_more(rule: str) -> Callable[[Policy], Policy]:
    return lambda policy: replace(policy, **{rule: getattr(policy, rule) + 1})


# Weeks cross the ends of months. A rule of months or years may find more of them covered by one
# more week, as in Proxmox Backup Server; so one is compared where the other is not in the game.
NESTED = st.builds(replace, POLICIES, weekly=st.just(0)) | st.builds(
    replace, POLICIES, monthly=st.just(0), yearly=st.just(0)
)


@given(histories(), NESTED, PROMISES, st.data())
def test_a_looser_count_never_removes_more(
    members: list[Member], policy: Policy, terms: RetentionTerms, data: st.DataObject
) -> None:
    rules = ["last", "hourly", "daily"]
    rules += ["monthly", "yearly"] if policy.weekly == 0 else ["weekly"]
    looser = with_more(data.draw(st.sampled_from(rules)))(policy)
    # A policy that asks for nothing at all is no tight one, but one not understood.
    policy = replace(policy, time=policy.time or Duration())
    looser = replace(looser, time=policy.time)
    tight = removed(members, replace(terms, policy=policy))
    assert removed(members, replace(terms, policy=looser)) <= tight


@given(histories(), POLICIES, DURATIONS, PROMISES)
def test_a_longer_time_never_removes_more(
    members: list[Member], policy: Policy, more: Duration, terms: RetentionTerms
) -> None:
    time = policy.time or Duration()
    longer = Duration(time.months + more.months, time.exact + more.exact)
    tight = replace(terms, policy=replace(policy, time=time))
    loose = replace(terms, policy=replace(policy, time=longer))
    assert removed(members, loose) <= removed(members, tight)


@given(histories(), PROMISES)
def test_a_higher_floor_never_removes_more(members: list[Member], terms: RetentionTerms) -> None:
    higher = replace(terms, keep_last=terms.keep_last + 1, volume_exists=True)
    assert removed(members, higher) <= removed(members, terms)


@given(histories(), PROMISES, st.data())
def test_a_pin_never_removes_more(
    members: list[Member], terms: RetentionTerms, data: st.DataObject
) -> None:
    pinned = [
        Member(m.backup, m.record and m.record._replace(pinned=m.record.pinned or more))
        for m in members
        for more in [data.draw(st.booleans())]
    ]
    assert removed(pinned, terms) <= removed(members, terms)


@given(histories(), PROMISES)
def test_nothing_goes_that_is_not_ours_or_is_pinned(
    members: list[Member], terms: RetentionTerms
) -> None:
    gone = removed(members, terms)
    for member in members:
        if member.record is None or member.record.pinned:
            assert member.backup.id not in gone


@given(histories(), PROMISES)
def test_nothing_goes_before_the_moment_that_was_told(
    members: list[Member], terms: RetentionTerms
) -> None:
    for verdict in judge(members, terms, NOW):
        if verdict.earliest is not None and verdict.earliest > NOW:
            before = verdict.earliest - timedelta(seconds=1)
            later = judge(members, terms, before)
            kept = {v.member.backup.id for v in later if v.keep}
            assert verdict.member.backup.id in kept
