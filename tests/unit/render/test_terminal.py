"""Plans and progress: for people on a terminal, for programs one line for each decision."""

import io
import sys

import pytest
from rich.console import Console

from staffeln_cli.model import Decision
from staffeln_cli.render.terminal import decisions, progress_bar, show_again


class ATerminal(io.StringIO):
    """A window of 80 columns and 6 lines."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> ATerminal:
    for name, value in (("TERM", "xterm"), ("COLUMNS", "80"), ("LINES", "6")):
        monkeypatch.setenv(name, value)
    return ATerminal()


def a_plan(number: int, reason: str = "expired") -> list[Decision]:
    return [
        Decision("remove", "backup", f"b{place}", f"backup-{place}", reason)
        for place in range(number)
    ]


def test_without_a_terminal_each_decision_is_one_whole_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    decisions([*a_plan(1, "it has\nexpired\x1b[31m"), Decision("keep", "backup", "b9", "", "new")])
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["would", "what", "id", "why"]
    assert first.split(maxsplit=3) == ["remove", "backup-0", "b0", "it has expired?[31m"]
    assert second.split() == ["keep", "backup", "b9", "new"], "without a name, its kind is shown"
    assert first.index("b0") == second.index("b9") == head.index("id")


def test_a_plan_of_thousands_has_one_head(capsys: pytest.CaptureFixture[str]) -> None:
    decisions(iter(a_plan(2500)))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2501
    assert [line for line in lines if line.startswith("would")] == lines[:1]


def test_an_empty_plan_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    decisions([])
    assert capsys.readouterr().out == ""


def test_on_a_terminal_a_plan_is_a_table_with_whole_reasons(
    window: ATerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", window)
    decisions(a_plan(1, "its retention of 17 days has expired " * 3))
    assert " ".join(window.getvalue().split()).count("has expired") == 3


def test_a_page_that_is_shown_again_begins_at_the_top_and_is_cut_to_the_window(
    window: ATerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", window)

    def page(out: Console) -> None:
        for number in range(9):
            out.print(f"line {number}")

    show_again(page)
    text = window.getvalue()
    assert text.startswith("\x1b[H")
    assert text.endswith("\x1b[J"), "what was below is cleared"
    assert [f"line {number}" in text for number in (0, 4, 5)] == [True, True, False]


def test_progress_has_a_bar_for_each_kind_of_item_and_is_gone_in_the_end(
    window: ATerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", window)
    with progress_bar() as progress:
        progress("volumes", 1, 3)
        progress("volumes", 3, 3)
        progress("backups", 5, None)
    text = window.getvalue()
    assert "volumes" in text and "3/3" in text
    assert "backups" in text
    assert text.rstrip().endswith("\x1b[2K"), "the last line is erased"
