"""A calendar fits the terminal and needs neither colour nor UTF-8."""

import io
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from rich.console import Console

from staffeln_cli.planning.calendar import Mark, Strip
from staffeln_cli.render.calendar import show

TODAY = date(2026, 11, 22)
MARKS = (Mark.BEFORE, Mark.NONE, Mark.FULL, Mark.INCREMENTAL, Mark.FAILED, Mark.REMOVED, Mark.LOST)


def drawn(width: int, strips: Sequence[Strip], **more: Any) -> list[str]:
    text = io.StringIO()
    out = Console(file=text, width=width, force_terminal=True, no_color=True, highlight=False)
    number = len(strips[0].marks)
    days = [TODAY - timedelta(days=back) for back in range(number - 1, -1, -1)]
    show(days, strips, heading="a heading", out=out, **more)
    plain = text.getvalue().replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    return [line.rstrip() for line in plain.splitlines()]


def a_strip(volume: str = "root", days: int = 7, **more: Any) -> Strip:
    values = {"project": "shop", "server": "web", "volume": volume, "marks": MARKS[-days:]}
    return Strip(**(values | more))


def test_a_wide_terminal_has_a_row_for_each_volume() -> None:
    lines = drawn(120, [a_strip(), a_strip("home", overdue="3 d without one")])
    assert lines[2:5] == [
        "                 16 Nov",
        "shop  web  root   -█▄x·?",
        "           home   -█▄x·?  3 d without one",
    ]


def test_a_narrow_terminal_has_the_project_and_the_server_above_their_volumes() -> None:
    lines = drawn(60, [a_strip(), a_strip("home"), a_strip("orders", server="db")])
    assert lines[3:8] == [
        "shop / web",
        "root     -█▄x·?",
        "home     -█▄x·?",
        "shop / db",
        "orders   -█▄x·?",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 109, 110, 140])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    long = a_strip("a-volume-with-a-very-long-name" * 3, marks=[Mark.FULL] * 366)
    lines = drawn(width, [long, a_strip(marks=[Mark.FULL] * 366, overdue="30 d without one")])
    assert max(map(len, lines)) <= width


def test_of_too_many_days_the_last_ones_are_shown_and_that_is_said() -> None:
    marks = [Mark.NONE] * 300 + [Mark.FULL] * 10
    lines = drawn(60, [a_strip(marks=marks)])
    (row,) = (line for line in lines if line.startswith("root"))
    assert row.endswith("█" * 10)
    assert lines[-1] == "The terminal is too narrow for more than the last 52 days."


def test_letters_stand_for_blocks_where_stdout_has_only_ascii(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)
    lines = drawn(120, [a_strip()])
    assert lines[3] == "shop  web  root   -Fix.?"
    assert lines[-1].startswith("F full   i incremental")


def test_a_name_cannot_steer_the_terminal() -> None:
    lines = drawn(120, [a_strip("evil\x1b[31m")])
    assert not any("\x1b[31m" in line for line in lines)


@pytest.mark.parametrize("width", [60, 120])
def test_a_paused_volume_is_marked_and_a_sentence_below_explains_it(width: int) -> None:
    why = "server web is paused since 2026-11-22 10:00 UTC by ops@host: it moves"
    lines = drawn(width, [a_strip(paused=True), a_strip("home")], footer=[why])
    (row,) = (line for line in lines if "root" in line)
    assert row.endswith("-█▄x·?  paused")
    assert " ".join(lines[-2:]).endswith(why)
