"""What stops retain before it removes too much at once."""

import pytest

from staffeln_cli.planning.retention.brake import brake


@pytest.mark.parametrize(("removals", "available"), [(50, 50), (500, 1000), (0, 0), (51, 102)])
def test_few_and_a_small_share_pass(removals: int, available: int) -> None:
    assert brake(removals, available, 0.5) is None


def test_many_of_a_large_share_are_stopped_and_it_says_why() -> None:
    why = "would remove 51 of 101 available backups, more than 50%"
    assert brake(51, 101, 0.5) == why


def test_a_share_of_one_is_no_brake() -> None:
    assert brake(1000, 1000, 1) is None
