"""Tables for people, on terminals of all widths and on none."""

import io
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len
from rich.console import Console

from staffeln_cli.render import table

COLUMNS = ("volume_id", "volume_name", "reason", "last_success_at", "size_gib", "overdue")
ID = "0bb40f1f-7b7a-4c5b-8f4e-0d9a6f8f5a11"
MOMENT = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
ROWS = [
    (ID, "root", None, MOMENT, 10, False),
    (ID, "x" * 255, "[red]markup[/red]", None, 1234, True),
    (ID, "🚀" * 40, "two\nlines\x1b[31m", MOMENT, 0, False),
]


def drawn(width: int, *, whole: bool = False, terminal: bool = True) -> list[str]:
    file = io.StringIO()
    out = Console(file=file, force_terminal=terminal, width=width, no_color=True, emoji=False)
    table.show(COLUMNS, ROWS, whole=whole, out=out)
    return file.getvalue().splitlines()


def plain(line: str) -> str:
    return line.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")


@pytest.mark.parametrize("width", [20, 40, 80, 120, 160, 300])
def test_a_row_is_one_line_that_fits_the_terminal(width: int) -> None:
    lines = drawn(width)
    assert len(lines) == 1 + len(ROWS)
    assert all(cell_len(plain(line)) <= width for line in lines)


def test_ids_and_moments_stay_whole_before_names_and_reasons_do() -> None:
    lines = drawn(120)
    assert all(ID in line for line in lines[1:])
    assert "2026-11-22 22:00Z" in lines[1]
    assert "…" in lines[2]


def test_columns_that_were_asked_for_are_folded_and_nothing_is_lost() -> None:
    lines = drawn(80, whole=True)
    assert len(lines) > 1 + len(ROWS)
    assert "".join(lines).count("x") == 255
    assert all(cell_len(plain(line)) <= 80 for line in lines)


@pytest.mark.parametrize(
    ("value", "shown"), [(0.693554, "0.69"), (12345.678, "12,345.68"), (2.0, "2.0"), (7, "7")]
)
def test_a_figure_is_as_exact_as_people_need_it(value: float, shown: str) -> None:
    assert table.cell("duration_s", value).text == shown


def test_where_no_terminal_is_there_are_no_colours_and_no_blanks_at_the_end() -> None:
    lines = drawn(10_000, whole=True, terminal=False)
    assert len(lines) == 1 + len(ROWS)
    assert not any("\x1b" in line or line.endswith(" ") for line in lines)
    assert "x" * 255 in lines[2]


def test_markup_and_control_characters_are_shown_and_not_obeyed() -> None:
    text = "\n".join(drawn(300))
    assert "[red]markup[/red]" in text
    assert "two lines?[31m" in text


def test_numbers_are_aligned_and_grouped() -> None:
    lines = [plain(line) for line in drawn(300)]
    assert lines[1].index("10") == lines[2].index("1,234") + 3


def test_no_color_leaves_the_terminal_in_its_own_colours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    table.show(("state",), [("failed",)])
    assert "\x1b[31m" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    table.show(("state",), [("failed",)])
    assert "\x1b[31m" not in capsys.readouterr().out


def test_no_rows_are_no_table() -> None:
    file = io.StringIO()
    table.show(COLUMNS, [], out=Console(file=file))
    assert file.getvalue() == ""


def test_on_a_very_narrow_terminal_the_names_of_volumes_and_servers_have_the_room() -> None:
    assert "project_name" in table.usual_columns("volumes", 80)
    narrow = table.usual_columns("volumes", 60)
    assert narrow == ("server_name", "volume_name", "last_success_at", "overdue")
    assert "project_name" in table.usual_columns("projects", 60)
    assert "project_name" in table.usual_columns("usage", 60)
