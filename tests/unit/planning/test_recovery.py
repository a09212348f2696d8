"""What a restore is expected to take, by what restore drills have measured."""

from typing import Any

from staffeln_cli.model import ServerId
from staffeln_cli.planning.recovery import (
    RecoveryRates,
    RecoveryTime,
    ServerRecovery,
    by_server,
    together,
)
from tests.build import a_drill


def measured(seconds: float, *, chain_length: int = 1, gib: int = 10, waiting: float = 0.0) -> Any:
    return a_drill(
        chain_length=chain_length, size_gib=gib, restoring_seconds=seconds, waiting_seconds=waiting
    )


def test_a_restore_takes_what_the_median_of_its_chain_length_took() -> None:
    drills = [measured(one, waiting=10.0) for one in (90, 110, 190)]
    drills += [measured(400, chain_length=4), a_drill(), measured(5, gib=0)]
    rates = RecoveryRates(drills)
    assert rates.by_chain_length() == {1: 12.0, 4: 40.0}
    expected = rates.expected(20, 1)
    assert expected is not None
    assert (expected.median, expected.shortest, expected.longest) == (240, 200, 400)
    assert expected.drills == 3


def test_where_few_drills_exist_the_range_is_the_widest() -> None:
    rates = RecoveryRates([measured(100), measured(400, chain_length=4), measured(200)])
    few = rates.expected(10, 5)
    assert few is not None
    assert (few.median, few.shortest, few.longest, few.drills) == (400, 100, 400, 1)
    even = rates.expected(10, 1)
    assert even is not None
    assert even.median == 150


def test_a_time_is_rounded_and_says_how_far_the_measurements_lie_apart() -> None:
    few = RecoveryRates([measured(100), measured(4000, chain_length=4)])
    short, long = few.expected(10, 1), few.expected(10, 4)
    assert short is not None
    assert long is not None
    assert short.text == "about 1min40s (1min40s to 1h7min)"
    assert long.text == "about 1h7min (1min40s to 1h7min)"
    one = RecoveryRates([measured(0.1)]).expected(10, 1)
    assert one is not None
    assert one.text == "about 1s"


def test_before_the_first_drill_nothing_is_expected() -> None:
    assert not RecoveryRates([])
    assert RecoveryRates([]).expected(10, 1) is None
    assert RecoveryRates([]).by_chain_length() == {}


def test_volumes_together_take_their_sum_or_at_the_shortest_as_long_as_the_longest() -> None:
    both = together([RecoveryTime(10, 8, 12, 3), RecoveryTime(100, 90, 120, 5)])
    assert both == RecoveryTime(110, 90, 132, 3)
    assert together([]) is None


def test_a_servers_time_is_known_only_if_it_is_known_of_each_of_its_volumes() -> None:
    time = RecoveryTime(10, 8, 12, 3)
    web, db = ServerId("s1"), ServerId("s2")
    found = by_server(
        [
            (web, "web", time),
            (db, "db", time),
            (db, "db", None),
            (None, "", time),
            (web, "web", time),
        ]
    )
    assert found == [ServerRecovery("web", 2, RecoveryTime(20, 8, 24, 3))]
