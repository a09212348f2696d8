from itertools import permutations

import pytest

from staffeln_cli.model import Backup, Kind
from staffeln_cli.model.durations import Duration, parse
from staffeln_cli.planning.chains.summary import ChainSummary, chains_of, may_depend_on, next_kind
from tests.unit.planning.builders import NOW, a_backup

FULL = a_backup("f1", days_old=9)
CHAIN = [
    FULL,
    a_backup("i1", days_old=8, incremental=True),
    a_backup("i2", days_old=7, incremental=True),
]


def digest(*backups: Backup) -> ChainSummary:
    found = ChainSummary()
    for backup in backups:
        found.add(backup)
    return found


def kind_after(
    *backups: Backup,
    size_gib: int = 10,
    depth: int = 6,
    max_age: Duration | None = None,
    broken: str | None = None,
) -> tuple[Kind, str]:
    return next_kind(
        digest(*backups),
        volume_size_gib=size_gib,
        depth=depth,
        max_age=max_age,
        now=NOW,
        broken=broken,
    )


class TestADigest:
    def test_tells_the_newest_chain(self) -> None:
        found = digest(*CHAIN)
        assert (found.full_id, found.full_at, found.full_size_gib) == ("f1", FULL.created_at, 10)
        assert (found.incrementals, found.all_available) == (2, True)

    def test_does_not_mind_the_order(self) -> None:
        history = [
            a_backup("f0", days_old=20, status="error"),
            a_backup("i0", days_old=19, incremental=True, status="error"),
            *CHAIN,
        ]
        for order in permutations(history):
            found = digest(*order)
            assert (found.full_id, found.incrementals, found.all_available) == ("f1", 2, True)

    def test_does_not_mind_the_order_of_equal_times(self) -> None:
        twins = [a_backup("fa", status="error"), a_backup("fb")]
        for order in permutations([*twins, a_backup("i", incremental=True)]):
            found = digest(*order)
            assert (found.full_id, found.incrementals, found.all_available) == ("fb", 1, False)

    @pytest.mark.parametrize("broken", [0, 1, 2])
    def test_sees_a_member_that_is_not_available(self, broken: int) -> None:
        history = [
            backup._replace(status="error") if place == broken else backup
            for place, backup in enumerate(CHAIN)
        ]
        assert not digest(*history).all_available

    def test_of_nothing_has_no_full(self) -> None:
        found = digest()
        assert (found.full_id, found.incrementals, found.all_available) == (None, 0, True)


class TestTheNextBackup:
    def test_is_incremental_on_a_sound_chain(self) -> None:
        assert kind_after(*CHAIN) == (Kind.INCREMENTAL, "incremental 3 of 6")

    def test_is_full_at_first(self) -> None:
        kind, why = next_kind(None, volume_size_gib=1, depth=6, max_age=None, now=NOW, broken=None)
        assert (kind, why) == (Kind.FULL, "there is no full backup to build on")

    def test_is_full_where_only_incrementals_are_left(self) -> None:
        assert kind_after(*CHAIN[1:])[0] is Kind.FULL

    def test_is_always_full_at_depth_nought(self) -> None:
        assert kind_after(*CHAIN, depth=0) == (
            Kind.FULL,
            "every backup is a full one (depth 0)",
        )

    @pytest.mark.parametrize(("depth", "kind"), [(2, Kind.FULL), (3, Kind.INCREMENTAL)])
    def test_is_full_after_as_many_incrementals_as_configured(
        self, depth: int, kind: Kind
    ) -> None:
        assert kind_after(*CHAIN, depth=depth)[0] is kind

    @pytest.mark.parametrize("status", ["error", "creating", "restoring", "deleting"])
    def test_is_full_while_a_member_is_not_available(self, status: str) -> None:
        kind, why = kind_after(*CHAIN, a_backup("i3", incremental=True, status=status))
        assert (kind, why) == (Kind.FULL, "a backup of the last chain is not available")

    def test_is_full_after_a_member_has_gone_missing(self) -> None:
        kind, why = kind_after(*CHAIN, broken="i2 is missing")
        assert (kind, why) == (Kind.FULL, "the last chain is broken: i2 is missing")

    def test_is_full_after_the_volume_has_grown(self) -> None:
        kind, why = kind_after(*CHAIN, size_gib=11)
        assert (kind, why) == (Kind.FULL, "the volume has grown from 10 to 11 GiB")

    def test_is_full_when_the_chain_is_too_old(self) -> None:
        assert kind_after(*CHAIN, max_age=parse("9d"))[0] is Kind.INCREMENTAL
        kind, why = kind_after(*CHAIN, max_age=parse("8d"))
        assert (kind, why) == (Kind.FULL, "the last chain is older than it may become")

    def test_is_full_after_a_full_of_a_snapshot_whose_data_may_be_older(self) -> None:
        kind, why = kind_after(*CHAIN, a_backup("f2", days_old=6, snapshot_days_old=6.5))
        assert (kind, why) == (Kind.FULL, "the last full backup is of a snapshot")


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
