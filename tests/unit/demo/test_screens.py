"""The demonstration on a terminal and in a file."""

import io
import sys

import pytest

from staffeln_cli.demo.calendar import Calendar
from staffeln_cli.demo.screens import Paragraph, Presenter, Ran, Reason, Reasons
from staffeln_cli.planning.calendar import Mark, Strip
from tests.build import NOW, ago

NIGHTS = (ago(days=1), NOW)


class ATerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def a_calendar(mark: Mark) -> Calendar:
    strip = Strip("shop", "web", "root", [Mark.FULL, mark])
    return Calendar(NIGHTS, [strip], moving=True)


def presented(monkeypatch: pytest.MonkeyPatch, out: io.StringIO, *beats: object) -> str:
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("TERM", "xterm")
    with Presenter() as presenter:
        for beat in beats:
            presenter.present(beat)  # type: ignore[arg-type] # each is a beat
    return out.getvalue()


def test_moving_calendars_replace_each_other_on_a_terminal_and_are_gone_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beats = (a_calendar(Mark.INCREMENTAL), a_calendar(Mark.FULL), Paragraph("It is morning."))
    text = presented(monkeypatch, ATerminal(), *beats)
    assert text.count("root") > 1
    after_last = text.rpartition("root")[2]
    assert "\x1b[2K" in after_last.partition("It is morning.")[0], "the last one is erased"


def test_moving_calendars_are_left_out_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    beats = (a_calendar(Mark.INCREMENTAL), Paragraph("It is morning."))
    assert presented(monkeypatch, io.StringIO(), *beats) == "\n  It is morning.\n"


def test_the_figures_of_an_answer_are_left_out_where_there_is_no_room_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = ", ".join(f"{number} more" for number in range(9))
    text = presented(monkeypatch, io.StringIO(), Ran("check", f"check: ok  ({figures})"))
    assert "check: ok" in text
    assert "more" not in text
    short = presented(monkeypatch, io.StringIO(), Ran("check", "check: ok  (1 running)"))
    assert "(1 running)" in short


def test_a_plan_names_each_volume_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        Reason("orders", "keep", 3, "1-3 June", "pinned"),
        Reason("orders", "remove", 4, "4-7 June", "expired"),
    ]
    text = presented(monkeypatch, io.StringIO(), Reasons(rows))
    assert text.count("orders") == 1
    assert ["remove", "4", "4-7", "June", "expired"] in [one.split() for one in text.splitlines()]
