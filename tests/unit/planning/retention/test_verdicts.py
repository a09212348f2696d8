"""What retention decides for whole chains, and in which order it deletes."""

from itertools import permutations

import pytest

from staffeln_cli.model import State
from staffeln_cli.planning.retention.verdicts import judge, waves
from tests.build import NOW, a_backup, ago
from tests.unit.planning.retention.builders import (
    a_chain,
    foreign,
    kept,
    ours,
    some_terms,
    verdict_on,
)


class TestChains:
    def test_a_full_is_kept_while_an_incremental_needs_it(self) -> None:
        chain = a_chain(9, 4)
        assert kept(chain, some_terms("7d")) == {"f0", "i1", "i2", "i3"}
        verdict = verdict_on("f0", chain, some_terms("7d"))
        assert (verdict.rule, verdict.dependents) == ("depended_on", ("i1",))

    def test_a_full_may_go_when_the_last_that_needs_it_may(self) -> None:
        assert verdict_on("f0", a_chain(9, 4), some_terms("7d")).earliest == ago(days=-1)

    def test_what_is_being_restored_is_kept_with_all_that_it_depends_on(self) -> None:
        chain = a_chain(9, 4)
        restored = ours(a_backup("r", days_old=5, incremental=True, status="restoring"))
        assert verdict_on("r", [*chain, restored], some_terms("1d")).rule == "unfinished"
        assert kept([*chain, restored], some_terms("1d")) >= {"f0", "r"}

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
