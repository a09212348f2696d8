"""Which rules keep a backup: its age, a policy, a pin, the newest of its volume."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from staffeln_cli.model.durations import parse
from staffeln_cli.planning.chains.members import Member
from staffeln_cli.planning.retention.keep_rules import FormerTerms, RetentionTerms
from staffeln_cli.planning.retention.policy import Policy
from staffeln_cli.planning.retention.verdicts import judge
from tests.build import NOW, a_backup, a_brief, ago
from tests.unit.planning.retention.builders import (
    a_chain,
    foreign,
    kept,
    ours,
    some_terms,
    verdict_on,
)


class TestByAge:
    def test_what_is_younger_stays_and_what_is_older_goes(self) -> None:
        members = [ours(a_backup("old", days_old=8)), ours(a_backup("young", days_old=6))]
        assert kept(members, some_terms("7d")) == {"young"}

    def test_says_until_when(self) -> None:
        verdict = verdict_on("b", [ours(a_backup("b", days_old=6))], some_terms("7d"))
        assert (verdict.keep, verdict.rule, verdict.earliest) == (True, "time", ago(days=-1))
        assert verdict.reason == "young enough until 2026-11-23 22:00 UTC"

    def test_goes_at_the_moment_that_was_told(self) -> None:
        member = ours(a_backup("b", days_old=6))
        until = verdict_on("b", [member], some_terms("7d")).earliest
        assert until is not None
        assert kept([member], some_terms("7d"), until - timedelta(seconds=1))
        assert not kept([member], some_terms("7d"), until)

    def test_counts_calendar_months(self) -> None:
        member = ours(a_backup("b", days_old=31))
        assert kept([member], some_terms("1mon")) == set()
        assert kept([member], some_terms("1mon1d")) == {"b"}

    def test_counts_from_the_later_of_our_start_and_cinders_creation(self) -> None:
        young, old = a_backup("b", days_old=6), a_backup("b", days_old=8)
        assert kept([ours(young, started_at=ago(days=8))], some_terms("7d")) == {"b"}
        assert kept([ours(old, started_at=ago(days=6))], some_terms("7d")) == {"b"}
        assert not kept([ours(old, started_at=ago(days=9))], some_terms("7d"))

    def test_counts_from_creation_where_no_start_is_known(self) -> None:
        member = ours(a_backup("b", days_old=6))
        assert member.record is not None
        unknown = Member(member.backup, member.record._replace(started_at=None))
        assert kept([unknown], some_terms("7d")) == {"b"}

    def test_tells_the_age_of_what_goes(self) -> None:
        verdict = verdict_on("b", [ours(a_backup("b", days_old=8))], some_terms("7d"))
        assert (verdict.keep, verdict.rule, verdict.earliest) == (False, "expired", None)
        assert (
            verdict.reason == "expired: no retention rule keeps it (started 2026-11-14 22:00 UTC)"
        )

    def test_a_backup_of_the_future_stays(self) -> None:
        assert kept([ours(a_backup("b", days_old=-3))], some_terms("0s")) == {"b"}


class TestAPolicy:
    def test_keeps_what_any_rule_asks_for_and_says_which(self) -> None:
        members = [ours(a_backup(f"d{age}", days_old=age)) for age in range(1, 6)]
        terms = some_terms("36h", last=1, daily=3)
        rules = {v.member.backup.id: (v.rule, v.earliest) for v in judge(members, terms, NOW)}
        assert rules == {
            "d1": ("time", ago(hours=-12)),
            "d2": ("daily", None),
            "d3": ("daily", None),
            "d4": ("daily", None),
            "d5": ("expired", None),
        }

    def test_that_is_known_no_more_keeps_everything(self) -> None:
        member = ours(a_backup("b", days_old=999))
        unknown = RetentionTerms(policy=None, volume_exists=False, keep_last=0)
        verdict = verdict_on("b", [member], unknown)
        assert (verdict.keep, verdict.rule) == (True, "in_doubt")

    def test_without_a_rule_keeps_everything(self) -> None:
        assert verdict_on("b", [ours(a_backup("b"))], some_terms(None)).rule == "in_doubt"

    def test_gives_the_place_of_a_broken_backup_to_one_that_can_be_restored(self) -> None:
        members = [
            ours(a_backup("f", days_old=3.2)),
            ours(a_backup("broken", days_old=3.1, status="error")),
        ]
        assert kept(members, some_terms(None, daily=1)) == {"f", "broken"}

    def test_does_not_count_what_depends_on_something_gone(self) -> None:
        members = [
            ours(a_backup("f", days_old=9)),
            Member((i := a_backup("i", days_old=3, incremental=True)), a_brief(i), is_broken=True),
        ]
        assert kept(members, some_terms("7d", keep_last=1, volume_exists=True)) == {"f", "i"}
        assert verdict_on("f", members, some_terms("0s", keep_last=1)).rule == "keep_last"


class TestPins:
    def test_a_pin_keeps_a_backup_and_what_it_depends_on(self) -> None:
        chain = a_chain(20, 4)
        chain[2] = ours(chain[2].backup, pinned=True, pin_note="before the upgrade")
        assert kept(chain, some_terms("7d")) == {"f0", "i1", "i2"}
        verdict = verdict_on("i2", chain, some_terms("7d"))
        assert (verdict.rule, verdict.reason) == ("pinned", "pinned: before the upgrade")

    def test_a_pin_without_a_note_is_a_pin(self) -> None:
        members = [ours(a_backup("b", days_old=20), pinned=True)]
        assert verdict_on("b", members, some_terms("7d")).reason == "pinned"

    def test_a_pin_that_somebody_deletes_still_holds_what_it_depends_on(self) -> None:
        chain = a_chain(20, 2)
        chain[1] = ours(chain[1].backup._replace(status="deleting"), pinned=True)
        assert kept(chain, some_terms("7d")) == {"f0", "i1"}


class TestTheFloor:
    def test_the_newest_restorable_backups_stay_however_old(self) -> None:
        members = [ours(a_backup(f"b{age}", days_old=age)) for age in (20, 30, 40)]
        assert kept(members, some_terms("7d", keep_last=2)) == {"b20", "b30"}
        assert verdict_on("b30", members, some_terms("7d", keep_last=2)).rule == "keep_last"

    def test_nought_allows_none(self) -> None:
        assert kept([ours(a_backup("b", days_old=20))], some_terms("7d", keep_last=0)) == set()

    def test_it_does_not_hold_for_a_volume_that_is_gone(self) -> None:
        gone = some_terms("7d", keep_last=1, volume_exists=False)
        assert kept([ours(a_backup("b", days_old=20))], gone) == set()

    def test_a_backup_in_error_does_not_count(self) -> None:
        members = [
            ours(a_backup("good", days_old=30)),
            ours(a_backup("bad", days_old=20, status="error")),
        ]
        assert kept(members, some_terms("7d", keep_last=1)) == {"good"}

    def test_a_backup_on_a_broken_chain_does_not_count(self) -> None:
        members = [
            ours(a_backup("good", days_old=30)),
            ours(a_backup("f", days_old=20, status="error")),
            ours(a_backup("i", days_old=19, incremental=True)),
        ]
        assert "good" in kept(members, some_terms("7d", keep_last=1))

    def test_a_backup_of_somebody_else_does_not_count(self) -> None:
        members = [ours(a_backup("b", days_old=20)), foreign(a_backup("x", days_old=2))]
        assert kept(members, some_terms("7d", keep_last=1)) == {"b", "x"}

    def test_where_nothing_can_surely_be_restored_the_newest_hope_stays(self) -> None:
        orphan = ours(a_backup("i", days_old=20, incremental=True))
        assert kept([orphan], some_terms("7d", keep_last=1)) == {"i"}


class TestInGrace:
    """What was shortened holds on for a while, beside what holds now."""

    OVER = ago(days=-1)

    def terms(self, before: Policy | None, **more: Any) -> RetentionTerms:
        """Terms that keep nothing, and the longer ones that they replace."""
        former = FormerTerms(before, volume_exists=True, until=self.OVER)
        return replace(some_terms("1s"), earlier=(former,), **more)

    def test_what_is_young_by_the_longer_time_stays_until_it_is_old_or_the_grace_over(
        self,
    ) -> None:
        terms = self.terms(Policy(time=parse("7d")))
        young, nearly = ours(a_backup("b", days_old=3)), ours(a_backup("b", days_old=6.5))
        for member, until in ((young, self.OVER), (nearly, ago(days=-0.5))):
            verdict = verdict_on("b", [member], terms)
            assert (verdict.rule, verdict.earliest) == ("grace", until)
        assert not kept([ours(a_backup("b", days_old=8))], terms)

    def test_what_the_longer_policy_counts_stays(self) -> None:
        verdict = verdict_on("b", [ours(a_backup("b", days_old=99))], self.terms(Policy(last=1)))
        assert (verdict.rule, verdict.earliest) == ("grace", self.OVER)
        assert "shortened" in verdict.reason

    def test_a_longer_policy_that_is_not_known_keeps_everything(self) -> None:
        verdict = verdict_on("b", [ours(a_backup("b", days_old=99))], self.terms(None))
        assert (verdict.rule, verdict.earliest) == ("grace", self.OVER)

    def test_the_newest_stays_while_the_volume_counts_as_there(self) -> None:
        terms = self.terms(Policy(time=parse("1s")), keep_last=1, volume_exists=False)
        backups = [ours(a_backup("b1", days_old=9)), ours(a_backup("b2", days_old=8))]
        assert kept(backups, terms) == {"b2"}
        assert kept(backups, replace(terms, earlier=())) == set()

    def test_the_terms_that_hold_now_are_the_longest(self) -> None:
        terms = self.terms(Policy(time=parse("7d")), volume_exists=False)
        held = terms.held
        assert (held.policy, held.volume_exists) == (Policy(time=parse("7d")), True)
        assert held.earlier == ()


def test_nothing_goes_that_is_younger_than_the_minimum() -> None:
    terms = replace(some_terms("1s"), minimum=parse("7d"))
    verdict = verdict_on("b", [ours(a_backup("b", days_old=6))], terms)
    assert (verdict.rule, verdict.earliest) == ("minimum", ago(days=-1))
    assert not kept([ours(a_backup("b", days_old=7))], terms)
    counted = replace(terms, policy=Policy(last=1))
    assert verdict_on("b", [ours(a_backup("b", days_old=7))], counted).rule == "last"
