from itertools import permutations

import pytest

from staffeln_cli.model import ProjectId, VolumeId
from staffeln_cli.planning.chains.summary import summaries_of, summary_of
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

    def test_tells_whether_a_member_of_the_newest_chain_is_being_restored(self) -> None:
        restored = CHAIN[1]._replace(status="restoring")
        for order in permutations([CHAIN[0], restored, CHAIN[2]]):
            found = summary_of(order)
            assert (found.is_being_restored, found.all_available) == (True, True)
        assert not summary_of(CHAIN).is_being_restored
        assert not summary_of([restored, a_backup("f2", days_old=1)]).is_being_restored

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
            backup._replace(status="error") if index == broken else backup
            for index, backup in enumerate(CHAIN)
        ]
        assert not summary_of(history).all_available

    def test_of_nothing_has_no_full(self) -> None:
        found = summary_of([])
        assert (found.full_id, found.incrementals, found.all_available) == (None, 0, True)


def test_a_listing_of_all_backups_gives_one_summary_for_each_volume_and_owner() -> None:
    elsewhere = a_backup("b", days_old=1, project_id=ProjectId("p2"))
    other = a_backup("c", days_old=1, volume_id=VolumeId("v2"))
    found = summaries_of([CHAIN[:2], [CHAIN[2], elsewhere], [other]])
    assert {key: one.full_id for key, one in found.items()} == {
        ("p1", "v1"): "f1",
        ("p2", "v1"): "b",
        ("p1", "v2"): "c",
    }
    assert found[ProjectId("p1"), VolumeId("v1")].incrementals == 2
