"""Tables for people: cut or folded to the width of the terminal, plain where there is none."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, OverflowMethod, RenderableType
from rich.table import Table
from rich.text import Text

from staffeln_cli.model.text import dumped, one_line

_WIDE = 130
"""Width of a terminal from which on tables show more columns."""
_NARROW = 72
"""Width of a terminal below which tables of volumes leave their project out."""
_AT_ONCE = 1000
"""Rows in one table; more rows make another table, to limit memory."""
_LONGEST = 48
"""Longest value in characters, unless its column was requested."""
_ELASTIC = ("name", "reason", "host")
"""Ends of the names of columns that are cut before others."""
_GAP = "  "
_NARROW_VIEWS = {
    "volumes": ("project_name", "server_name", "volume_name", "last_success_at", "overdue"),
    "backups": ("server_name", "volume_name", "kind", "state", "started_at"),
    "projects": ("project_name", "protected", "overdue", "never", "available", "failed"),
    "runs": ("command", "started_at", "outcome", "failures", "host"),
    "usage": ("project_name", "volume_name", "backups", "gib", "gib_hours"),
}
_WIDE_VIEWS = {
    "volumes": (
        *("volume_id", "volume_name", "server_name", "project_name", "skip_reason"),
        *("retention", "last_success_at", "overdue", "paused"),
    ),
    "backups": (
        *("backup_id", "volume_name", "server_name", "project_name", "kind", "state"),
        *("reason", "started_at", "size_gib"),
    ),
    "projects": (
        *("project_id", "project_name", "protected", "overdue", "never"),
        *("available", "failed", "size_gib", "quota_days_left"),
    ),
    "runs": (
        *("run_id", "command", "host", "started_at", "duration_s", "outcome", "failures"),
        *("api_requests",),
    ),
    "usage": (
        *("project_id", "project_name", "volume_id", "volume_name", "made", "backups"),
        *("gib", "gib_hours"),
    ),
}
_COLOURS = {
    **dict.fromkeys(("failed", "missing", "overdue"), "red"),
    **dict.fromkeys(("partial", "deleting", "skipped"), "yellow"),
    **dict.fromkeys(("available", "ok"), "green"),
    **dict.fromkeys(("planned", "starting", "creating"), "cyan"),
    **dict.fromkeys(("deleted", "cancelled", "default"), "dim"),
}


class Cell(NamedTuple):
    """A value formatted for people, with a colour where it matters."""

    text: str
    style: str = ""
    is_number: bool = False


def console() -> Console:
    """Stdout with our styles only; of unlimited width where it is not a terminal."""
    found = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if not found.is_terminal:
        found.width = sys.maxsize
    return found


def put(out: Console, *shown: RenderableType) -> None:
    """Print; without trailing blanks where it is not a terminal."""
    if out.is_terminal:
        out.print(*shown)
        return
    with out.capture() as captured:
        out.print(*shown)
    out.file.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def usual_columns(view: str, width: int | None = None) -> tuple[str, ...]:
    """The default columns of a view; on a very narrow terminal, the names need the room."""
    width = width or console().width
    columns = (_NARROW_VIEWS if width < _WIDE else _WIDE_VIEWS)[view]
    if width >= _NARROW or "server_name" not in columns:
        return columns
    return tuple(name for name in columns if name != "project_name")


def show(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    whole: bool = False,
    out: Console | None = None,
) -> None:
    """Print a table; `whole` folds what is too long for a terminal instead of cutting it.

    Where no terminal is, nothing is cut or folded: a row is a line.
    """
    out = out or console()
    waiting = iter(rows)
    while part := list(islice(waiting, _AT_ONCE)):
        cells = [[cell(*pair) for pair in zip(columns, row, strict=True)] for row in part]
        if out.is_terminal:
            out.print(_table(columns, cells, whole=whole))
        else:
            out.file.writelines(_lines(columns, cells))


def show_remarks(remarks: Iterable[str]) -> None:
    """Print sentences below a table, for people only: without a terminal, a line is a row."""
    out = console()
    for remark in remarks if out.is_terminal else ():
        out.print(safe_text(remark, "yellow"))


def safe_text(text: str, style: str = "") -> Text:
    """Text for a terminal: one line, without controls or markup."""
    return Text(one_line(text), style)


def cell(column: str, value: object) -> Cell:
    """A value formatted for people."""
    if value is None:
        return Cell("-", "dim")
    if isinstance(value, bool):
        return Cell("yes", "bold red" if column == "overdue" else "") if value else Cell("no")
    if isinstance(value, datetime):
        return Cell(f"{value.isoformat(' ', 'minutes')[:16]}Z")
    if isinstance(value, (int, float)):
        style = _COLOURS.get(column, "") if value else "dim"
        return Cell(f"{round(value, 2):,}", style, is_number=True)
    text = dumped(value) if isinstance(value, dict) else one_line(str(value))
    return Cell(text, _COLOURS.get(text, ""))


def _table(columns: Sequence[str], cells: Iterable[Sequence[Cell]], *, whole: bool) -> Table:
    """One line for each row, unless it is `whole`: names and reasons are cut first."""
    table = Table(box=None, pad_edge=False, padding=(0, len(_GAP), 0, 0))
    overflow: OverflowMethod = "fold" if whole else "ellipsis"
    for name in columns:
        is_elastic = whole or name.endswith(_ELASTIC)
        head = Text(name.replace("_", " "), "bold", no_wrap=True, overflow="ellipsis")
        table.add_column(head, no_wrap=not is_elastic, max_width=None if whole else _LONGEST)
    for row in cells:
        table.add_row(
            *(
                Text(
                    value.text,
                    value.style,
                    no_wrap=not whole,
                    overflow=overflow,
                    justify="right" if value.is_number else None,
                )
                for value in row
            )
        )
    return table


def _lines(columns: Sequence[str], cells: Sequence[Sequence[Cell]]) -> Iterator[str]:
    """Aligned columns for pipes and files; not by rich, which takes far longer."""
    rows = [[Cell(name.replace("_", " ")) for name in columns], *cells]
    widths = [max(cell_len(value.text) for value in column) for column in zip(*rows, strict=True)]
    for row in rows:
        parts = (_padded(value, width) for value, width in zip(row, widths, strict=True))
        yield _GAP.join(parts).rstrip() + "\n"


def _padded(value: Cell, width: int) -> str:
    blanks = " " * (width - cell_len(value.text))
    return blanks + value.text if value.is_number else value.text + blanks
