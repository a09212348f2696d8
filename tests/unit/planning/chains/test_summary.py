from itertools import permutations

import pytest

from staffeln_cli.model import Backup
from staffeln_cli.planning.chains.summary import chains_of, may_depend_on, summary_of
from tests.build import a_backup

FULL = a_backup("f1", days_old=9)
CHAIN = [
    FULL,
    a_backup("i1", days_old=8, incremental=True),
    a_backup("i2", days_old=7, incremental=True),
]


class TestAChainSummary:
    def test_tells_the_newest_chain(self) -> None:
        found = summary_of(CHAIN)
        assert (found.full_id, found.full_at, found.full_size_gib) == ("f1", FULL.created_at, 10)
        assert (found.incrementals, found.all_available) == (2, True)

    def test_does_not_mind_the_order(self) -> None:
        history = [
            a_backup("f0", days_old=20, status="error"),
            a_backup("i0", days_old=19, incremental=True, status="error"),
            *CHAIN,
        ]
        for order in permutations(history):
            found = summary_of(order)
            assert (found.full_id, found.incrementals, found.all_available) == ("f1", 2, True)

    def test_does_not_mind_the_order_of_equal_times(self) -> None:
        twins = [a_backup("fa", status="error"), a_backup("fb")]
        for order in permutations([*twins, a_backup("i", incremental=True)]):
            found = summary_of(order)
            assert (found.full_id, found.incrementals, found.all_available) == ("fb", 1, False)

    @pytest.mark.parametrize("broken", [0, 1, 2])
    def test_sees_a_member_that_is_not_available(self, broken: int) -> None:
        history = [
            backup._replace(status="error") if place == broken else backup
            for place, backup in enumerate(CHAIN)
        ]
        assert not summary_of(history).all_available

    def test_of_nothing_has_no_full(self) -> None:
        found = summary_of([])
        assert (found.full_id, found.incrementals, found.all_available) == (None, 0, True)


def names(backups: list[Backup]) -> list[list[str]]:
    return [[backup.id for backup in chain.backups] for chain in chains_of(backups)]


class TestChains:
    def test_run_from_a_full_to_the_next(self) -> None:
        later = [a_backup("f2", days_old=6), a_backup("i3", days_old=5, incremental=True)]
        for order in (CHAIN + later, later + CHAIN, (CHAIN + later)[::-1], CHAIN * 2 + later):
            assert names(order) == [["f1", "i1", "i2"], ["f2", "i3"]]
        assert [chain.full and chain.full.id for chain in chains_of(CHAIN + later)] == [
            "f1",
            "f2",
        ]

    def test_keep_the_child_of_a_snapshot_with_the_data_it_follows(self) -> None:
        late = a_backup("s", days_old=1, incremental=True, snapshot_days_old=6.5)
        assert names([*CHAIN, a_backup("f2", days_old=6), late]) == [
            ["f1", "i1", "i2", "s"],
            ["f2"],
        ]

    def test_pass_over_an_errored_full(self) -> None:
        failed = a_backup("f2", days_old=6, status="error")
        later = a_backup("i3", days_old=5, incremental=True)
        assert names([*CHAIN, failed, later]) == [["f1", "i1", "i2", "i3"], ["f2"]]

    def test_without_a_full_are_broken_and_cannot_be_restored(self) -> None:
        (chain,) = chains_of(CHAIN[1:])
        assert chain.full is None
        assert not chain.restorable

    def test_of_one_second_come_to_an_end(self) -> None:
        twins = [a_backup("i1", incremental=True), a_backup("i2", incremental=True)]
        assert names(twins) == [["i1", "i2"]]

    def test_tell_what_can_be_restored(self) -> None:
        broken = [FULL, CHAIN[1]._replace(status="error"), CHAIN[2]]
        (chain,) = chains_of(broken)
        assert chain.restorable == {"f1"}


def test_a_backup_may_depend_on_all_below_it_and_nothing_above() -> None:
    assert may_depend_on(CHAIN[1].id, CHAIN) == {"f1"}
    assert may_depend_on(CHAIN[2].id, CHAIN) == {"f1", "i1"}
    assert may_depend_on(FULL.id, CHAIN) == set()
