from datetime import timedelta
from itertools import permutations

import pytest

from staffeln_cli.model import State
from staffeln_cli.planning.chains.members import Member
from staffeln_cli.planning.retention.keep_rules import RetentionTerms
from staffeln_cli.planning.retention.verdicts import brake, judge, waves
from tests.build import NOW, a_backup, a_brief, ago
from tests.unit.planning.retention.builders import foreign, kept, ours, some_terms, verdict_on


def a_chain(oldest: int, length: int, prefix: str = "") -> list[Member]:
    """Ours, one a day: a full `oldest` days old, then incrementals, each finished in an hour."""
    return [
        ours(
            a_backup(
                f"{prefix}{'i' if index else 'f'}{index}",
                days_old=oldest - index,
                incremental=index > 0,
                updated_days_old=oldest - index - 0.04,
            )
        )
        for index in range(length)
    ]


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

    def test_counts_from_the_start_our_record_knows(self) -> None:
        backup = a_backup("b", days_old=6)
        assert not kept([ours(backup, started_at=ago(days=8))], some_terms("7d"))

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


class TestChains:
    def test_a_full_is_kept_while_an_incremental_needs_it(self) -> None:
        chain = a_chain(9, 4)
        assert kept(chain, some_terms("7d")) == {"f0", "i1", "i2", "i3"}
        verdict = verdict_on("f0", chain, some_terms("7d"))
        assert (verdict.rule, verdict.dependents) == ("depended_on", ("i1",))

    def test_a_full_may_go_when_the_last_that_needs_it_may(self) -> None:
        assert verdict_on("f0", a_chain(9, 4), some_terms("7d")).earliest == ago(days=-1)

    def test_a_young_full_may_not_go_before_what_depends_on_it(self) -> None:
        assert verdict_on("f0", a_chain(5, 3), some_terms("7d")).earliest == ago(days=-4)

    def test_when_it_may_go_is_unknown_where_something_foreign_depends_on_it(self) -> None:
        members = [*a_chain(9, 2), foreign(a_backup("x", days_old=4, incremental=True))]
        assert verdict_on("f0", members, some_terms("7d")).earliest is None

    def test_when_it_may_go_is_unknown_where_only_something_leaving_is_between(self) -> None:
        members = [
            *a_chain(20, 1),
            ours(
                a_backup("i", days_old=19, incremental=True, status="deleting"),
                state=State.DELETING,
            ),
            ours(a_backup("j", days_old=2, incremental=True, snapshot_days_old=30)),
        ]
        verdict = verdict_on("f0", members, some_terms("7d"))
        assert (verdict.keep, verdict.earliest) == (True, None)

    def test_a_chain_goes_as_a_whole_when_all_of_it_is_too_old(self) -> None:
        members = a_chain(20, 4, "old-") + a_chain(9, 4)
        assert kept(members, some_terms("7d")) == {"f0", "i1", "i2", "i3"}

    def test_a_foreign_incremental_keeps_what_it_depends_on(self) -> None:
        members = [*a_chain(20, 3), foreign(a_backup("x", days_old=17.5, incremental=True))]
        verdicts = {str(v.member.backup.id): v for v in judge(members, some_terms("7d"), NOW)}
        assert {name for name, v in verdicts.items() if v.keep} == {"f0", "i1", "i2", "x"}
        assert verdicts["x"].rule == "foreign"

    def test_a_foreign_full_ends_our_chain(self) -> None:
        members = [
            *a_chain(20, 3),
            foreign(a_backup("x", days_old=17.5)),
            foreign(a_backup("y", days_old=17.2, incremental=True)),
        ]
        assert kept(members, some_terms("7d")) == {"x", "y"}

    def test_a_foreign_backup_is_never_removed(self) -> None:
        assert kept([foreign(a_backup("x", days_old=999))], some_terms("0s")) == {"x"}

    def test_verdicts_come_newest_first_in_whatever_order_the_listing_was(self) -> None:
        chain = a_chain(9, 4)
        expected = judge(chain, some_terms("7d"), NOW)
        assert [v.member.backup.id for v in expected] == ["i3", "i2", "i1", "f0"]
        for order in permutations(chain):
            assert judge(order, some_terms("7d"), NOW) == expected

    def test_duplicates_count_once_and_our_record_is_not_lost_on_them(self) -> None:
        chain = a_chain(9, 4)
        doubled = [*chain, *(foreign(member.backup) for member in chain)]
        for order in (doubled, doubled[::-1]):
            assert judge(order, some_terms("7d"), NOW) == judge(chain, some_terms("7d"), NOW)


class TestWhatIsNotRetentionsToRemove:
    @pytest.mark.parametrize("state", [State.PLANNED, State.STARTING, State.CREATING])
    def test_an_unfinished_backup_stays_with_what_it_depends_on(self, state: State) -> None:
        growing = a_backup("i", days_old=19, incremental=True, status="creating")
        members = [*a_chain(20, 1), ours(growing, state=state)]
        assert kept(members, some_terms("7d")) == {"f0", "i"}
        assert verdict_on("i", members, some_terms("7d")).rule == "unfinished"

    @pytest.mark.parametrize("status", ["creating", "restoring", "error_deleting"])
    def test_what_cinder_is_not_done_with_stays(self, status: str) -> None:
        members = [ours(a_backup("b", days_old=20, status=status))]
        assert verdict_on("b", members, some_terms("7d")).rule == "unfinished"

    def test_the_remains_of_a_failed_backup_hold_what_they_depend_on(self) -> None:
        remains = a_backup("i", days_old=19, incremental=True, status="error")
        members = [*a_chain(20, 1), ours(remains, state=State.FAILED)]
        assert kept(members, some_terms("7d")) == {"f0", "i"}
        assert verdict_on("i", members, some_terms("7d")).rule == "not_ours"

    def test_a_deletion_that_is_stuck_holds_what_it_depends_on(self) -> None:
        stuck = a_backup("i", days_old=19, incremental=True, status="error_deleting")
        members = [*a_chain(20, 1), ours(stuck, state=State.DELETING)]
        assert kept(members, some_terms("7d")) == {"f0", "i"}

    def test_a_deletion_under_way_delays_what_it_depends_on_and_no_more(self) -> None:
        being_deleted = a_backup("i", days_old=19, incremental=True, status="deleting")
        members = [*a_chain(20, 1), ours(being_deleted, state=State.DELETING)]
        verdicts = judge(members, some_terms("7d"), NOW)
        assert kept(members, some_terms("7d")) == {"i"}
        assert [[m.backup.id for m in wave] for wave in waves(verdicts)] == [[], ["f0"]]

    def test_an_expired_backup_in_error_may_go(self) -> None:
        assert kept([ours(a_backup("b", days_old=20, status="error"))], some_terms("7d")) == set()


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


class TestDoubt:
    def test_a_plain_removal_needs_no_confirmation(self) -> None:
        assert not any(v.confirm for v in judge(a_chain(20, 3), some_terms("7d"), NOW))

    def test_a_dependent_that_only_cinder_knows_asks_for_confirmation(self) -> None:
        members = [ours(a_backup("b", days_old=20, has_dependents=True))]
        assert verdict_on("b", members, some_terms("7d")).confirm

    def test_a_restore_meanwhile_asks_for_confirmation_of_the_chain_before(self) -> None:
        old, new = a_chain(20, 2, "old-"), a_chain(9, 4)
        new[0] = ours(new[0].backup._replace(updated_at=ago(days=2)))
        verdicts = {str(v.member.backup.id): v for v in judge(old + new, some_terms("7d"), NOW)}
        assert verdicts["old-i1"].confirm
        assert not verdicts["old-f0"].confirm

    def test_two_of_one_second_wait_for_neither_but_for_confirmation(self) -> None:
        members = [
            ours(a_backup("f", days_old=30)),
            ours(a_backup("i1", days_old=20, incremental=True)),
            ours(a_backup("i2", days_old=20, incremental=True)),
        ]
        verdicts = judge(members, some_terms("7d"), NOW)
        assert [v.confirm for v in verdicts] == [True, True, False]
        assert [[m.backup.id for m in wave] for wave in waves(verdicts)] == [["i2", "i1"], ["f"]]


class TestWaves:
    def test_go_newest_first_inside_a_chain_and_chains_side_by_side(self) -> None:
        verdicts = judge(a_chain(20, 3, "a-") + a_chain(15, 2, "b-"), some_terms("7d"), NOW)
        assert [{m.backup.id for m in wave} for wave in waves(verdicts)] == [
            {"a-i2", "b-i1"},
            {"a-i1", "b-f0"},
            {"a-f0"},
        ]

    def test_are_none_where_nothing_goes(self) -> None:
        assert waves(judge(a_chain(3, 3), some_terms("7d"), NOW)) == []


class TestTheBrake:
    @pytest.mark.parametrize(("removals", "available"), [(50, 50), (500, 1000), (0, 0), (51, 102)])
    def test_lets_few_and_a_small_share_pass(self, removals: int, available: int) -> None:
        assert brake(removals, available, 0.5) is None

    def test_stops_many_of_a_large_share_and_says_why(self) -> None:
        why = "would remove 51 of 101 available backups, more than 50%"
        assert brake(51, 101, 0.5) == why

    def test_at_one_is_off(self) -> None:
        assert brake(1000, 1000, 1) is None
