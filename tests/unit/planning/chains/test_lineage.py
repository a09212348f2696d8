from datetime import timedelta

from staffeln_cli.model import Backup, BackupId
from staffeln_cli.planning.chains import fast_lineage
from staffeln_cli.planning.chains.lineage import (
    cautious_parents,
    full_of,
    lineage_of,
    oldest_first,
    possible_parents,
    restorable,
)
from tests.build import a_backup


def full(name: str, days_old: float, **more: object) -> Backup:
    return a_backup(name, days_old=days_old, **more)  # type: ignore[arg-type] # named as there


def incremental(name: str, days_old: float, **more: object) -> Backup:
    return full(name, days_old, incremental=True, **more)


def parents(child: str, *backups: Backup, cautious: bool = False) -> list[str]:
    """All that may be the parent of `child`, the likeliest first."""
    ordered = sorted(backups, key=oldest_first)
    index = next(index for index, backup in enumerate(ordered) if backup.id == child)
    found = cautious_parents(ordered) if cautious else possible_parents(ordered)
    return [ordered[parent].id for parent in found[index]]


def test_the_parent_is_the_newest_before() -> None:
    backups = [full("f1", 9), incremental("i1", 8), full("f2", 7), incremental("i2", 6)]
    assert [parents(name, *backups) for name in ("f1", "i1", "f2", "i2")] == [
        [],
        ["f1"],
        [],
        ["f2"],
    ]


def test_an_incremental_without_anything_before_has_no_parent() -> None:
    assert parents("i1", incremental("i1", 8), full("f1", 7)) == []


def test_one_in_error_may_have_been_the_parent_and_so_may_the_one_before() -> None:
    backups = [full("f1", 9), full("f2", 8, status="error"), incremental("i1", 7)]
    assert parents("i1", *backups) == ["f2", "f1"]


def test_an_errored_incremental_has_a_parent_like_any_other() -> None:
    assert parents("i1", full("f1", 9), incremental("i1", 8, status="error")) == ["f1"]


def test_of_the_same_second_either_may_have_been_first() -> None:
    backups = [full("f0", 9), incremental("i1", 3), incremental("i2", 3)]
    assert parents("i1", *backups) == ["i2", "f0"]
    assert parents("i2", *backups) == ["i1", "f0"]


def test_of_the_same_second_either_may_have_been_first_even_if_their_data_differ() -> None:
    later = incremental("i2", 3)
    first = incremental("i1", 3)._replace(data_timestamp=later.created_at - timedelta(seconds=1))
    assert parents("i1", full("f0", 9), first, later) == ["i2", "f0"]


class TestAChildOfASnapshot:
    def test_depends_on_data_older_than_the_snapshot(self) -> None:
        backups = [full("f1", 9, updated_days_old=8.9), full("f2", 7)]
        child = incremental("s", 2, snapshot_days_old=8)
        assert parents("s", *backups, child) == ["f1"]

    def test_may_depend_on_data_of_the_very_second_or_not(self) -> None:
        backups = [full("f1", 9, updated_days_old=8.9), full("f2", 7, updated_days_old=6.9)]
        child = incremental("s", 2, snapshot_days_old=7)
        assert parents("s", *backups, child) == ["f2", "f1"]

    def test_may_have_been_made_while_the_one_before_was_not_ready(self) -> None:
        backups = [full("f1", 9, updated_days_old=8.9), full("f2", 7, updated_days_old=1)]
        child = incremental("s", 2, snapshot_days_old=3)
        assert parents("s", *backups, child) == ["f2", "f1"]

    def test_older_than_every_backup_depends_on_the_one_made_last(self) -> None:
        backups = [full("f1", 9), full("f2", 7), full("f3", 1)]
        child = incremental("s", 2, snapshot_days_old=12)
        assert parents("s", *backups, child) == ["f2"]

    def test_older_than_every_backup_depends_on_any_made_in_the_last_second(self) -> None:
        backups = [full("f1", 9), full("f2", 7), full("f3", 7)]
        child = incremental("s", 2, snapshot_days_old=12)
        assert parents("s", *backups, child) == ["f2", "f3"]

    def test_without_any_other_backup_has_no_parent(self) -> None:
        assert parents("s", incremental("s", 2, snapshot_days_old=12)) == []

    def test_is_passed_over_by_a_later_one_only_when_it_was_surely_ready(self) -> None:
        backups = [full("f1", 9, updated_days_old=8.9), full("s", 5, snapshot_days_old=8)]
        assert parents("i1", *backups, incremental("i1", 4)) == ["s", "f1"]
        ready = [backups[0], full("s", 5, snapshot_days_old=8, updated_days_old=4.5)]
        assert parents("i1", *ready, incremental("i1", 4)) == ["s"]


def test_with_caution_one_that_was_touched_later_may_have_been_restored_meanwhile() -> None:
    backups = [
        full("f1", 9, updated_days_old=8.5),
        incremental("i1", 8, updated_days_old=7.9),
        full("f2", 7, updated_days_old=5.9),
        incremental("i2", 6),
    ]
    assert parents("i2", *backups) == ["f2"]
    assert parents("i2", *backups, cautious=True) == ["f2", "i1"]


def restorable_of(*backups: Backup) -> list[bool]:
    ordered = sorted(backups, key=oldest_first)
    return restorable(ordered, possible_parents(ordered))


class TestRestorable:
    def test_is_a_whole_chain(self) -> None:
        assert restorable_of(full("f", 9), incremental("i", 8)) == [True, True]

    def test_is_also_what_is_being_restored(self) -> None:
        assert restorable_of(full("f", 9, status="restoring"), incremental("i", 8)) == [True, True]

    def test_is_nothing_above_a_broken_member(self) -> None:
        broken = incremental("i1", 8, status="deleting")
        assert restorable_of(full("f", 9), broken, incremental("i2", 7)) == [True, False, False]

    def test_is_no_incremental_without_a_full(self) -> None:
        assert restorable_of(incremental("i", 8)) == [False]

    def test_is_in_doubt_with_a_broken_one_of_the_same_second(self) -> None:
        twins = incremental("i1", 3), incremental("i2", 3, status="error")
        assert restorable_of(full("f", 9), *twins) == [True, False, False]


def test_two_of_the_same_second_need_confirmation_since_either_may_depend_on_the_other() -> None:
    backups = [full("f0", 9), incremental("i1", 3), incremental("i2", 3)]
    assert lineage_of(backups).needs_confirmation == {1, 2}
    assert lineage_of(backups[:2]).needs_confirmation == frozenset()


class TestWhatCinderIsAskedAboutBeforeADeletion:
    """i2 depends on f2, unless f2 was being restored when i2 was created: then on i1."""

    F1 = full("f1", 9, updated_days_old=8.9)
    I1 = incremental("i1", 8, updated_days_old=6.5)
    F2 = full("f2", 7, updated_days_old=5.9)
    I2 = incremental("i2", 6)
    CHAINS = (F1, I1, F2, I2)

    def test_is_a_backup_that_may_have_been_chosen_while_the_likely_parent_was_restored(
        self,
    ) -> None:
        assert lineage_of(self.CHAINS).needs_confirmation == {1}
        assert fast_lineage.lineage_of(self.CHAINS).needs_confirmation == {1}

    def test_is_nothing_where_an_export_record_names_the_parent(self) -> None:
        known = {self.I2.id: self.F2.id, self.I1.id: self.F1.id}
        assert lineage_of(self.CHAINS, known).needs_confirmation == frozenset()
        assert fast_lineage.lineage_of(self.CHAINS, known).needs_confirmation == frozenset()


def test_an_export_record_that_names_an_unlikely_parent_is_believed() -> None:
    chains = (full("f1", 9), full("f2", 7), incremental("i2", 6))
    known = {chains[2].id: chains[0].id}
    for lineage in (lineage_of(chains, known), fast_lineage.lineage_of(chains, known)):
        assert lineage.parents == [(), (), (0,)]
        assert lineage.children == [[2], [], []]


def test_a_named_parent_that_is_gone_leaves_an_incremental_that_cannot_be_restored() -> None:
    chains = (full("f1", 9), incremental("i1", 6))
    for lineage in (
        lineage_of(chains, {chains[1].id: BackupId("gone")}),
        fast_lineage.lineage_of(chains, {chains[1].id: BackupId("gone")}),
    ):
        assert (lineage.parents, lineage.restorable) == ([(), ()], [True, False])


def test_the_full_of_a_backup_is_that_of_its_likeliest_parents() -> None:
    older, newer = [full("f1", 9), incremental("i1", 8)], [full("f2", 7), incremental("i2", 6)]
    fulls = [full_of(one, [*newer, *older]) for one in (*older, *newer)]
    assert fulls == ["f1", "f1", "f2", "f2"]


def test_without_its_full_a_backup_has_none() -> None:
    alone = [incremental("i1", 8), incremental("i2", 7)]
    assert [full_of(one, alone) for one in alone] == [None, None]
    assert full_of(full("f1", 9), alone) is None
