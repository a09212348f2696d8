"""The timeline of `explain` has days or hours on its axis."""

import io

import pytest
from rich.console import Console

from staffeln_cli.planning.chains.members import Member
from staffeln_cli.planning.retention.verdicts import judge
from staffeln_cli.render.timeline import timeline
from tests.build import NOW, a_backup
from tests.unit.planning.retention.builders import ours, some_terms


def drawn(members: list[Member], width: int = 90) -> list[str]:
    """The timeline of backups of which the newest is an hour old."""
    verdicts = judge(members, some_terms("30d"), NOW)
    file = io.StringIO()
    Console(file=file, width=width).print(timeline(verdicts, NOW, width))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def a_chain_over(days: float, number: int = 4) -> list[Member]:
    ages = [days - place * days / number for place in range(number)]
    return [
        ours(a_backup(f"b{place}", days_old=age, incremental=place > 0))
        for place, age in enumerate(ages)
    ]


def test_a_chain_of_weeks_has_days_on_its_axis() -> None:
    head, row = drawn(a_chain_over(20))
    assert head.split() == ["chain", "of", "2026-11-02", "11-07", "11-11", "11-15", "11-19", "now"]
    assert row.startswith("2026-11-02  ●")


def test_a_chain_of_a_day_has_hours_on_its_axis() -> None:
    head, row = drawn(a_chain_over(1))
    assert head.split() == [
        "chain",
        "of",
        "11-21",
        "22:00",
        "03:11",
        "08:22",
        "13:34",
        "18:45",
        "now",
    ]
    assert row.startswith("11-21 22:00  ●")


def test_a_chain_of_minutes_stands_at_the_end_of_an_hour_that_has_passed() -> None:
    head, row = drawn(a_chain_over(6 / 24 / 60))
    assert head.split()[2:4] == ["11-22", "21:00"]
    assert max(head.split()[3:-1]) < f"{NOW:%H:%M}"
    assert row.index("●") > len(head) - 12


def test_a_moment_stands_above_its_cell() -> None:
    head, row = drawn(a_chain_over(20, number=20), width=114)
    assert (head.index("2026"), head.index("now")) == (row.index("●"), len(head) - 3)
    assert row[head.index("11-") :].startswith(("·", "•"))


@pytest.mark.parametrize("width", [20, 40, 60, 80, 119])
@pytest.mark.parametrize("days", [0.01, 1, 3, 400])
def test_it_fits_the_terminal(width: int, days: float) -> None:
    assert all(len(line) <= max(width, 24) for line in drawn(a_chain_over(days), width))
