"""Tables for people: as many columns as the terminal has room for, cut or folded to its width."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice, zip_longest
from typing import NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.console import Console, RenderableType
from rich.text import Text

from staffeln_cli.model.text import dumped, one_line

_WIDE = 130
"""Columns of a terminal from which on a table shows more than the essentials."""
_AT_ONCE = 1000
"""Rows laid out together; more make a further table, so that memory stays small."""
_LONGEST = 48
"""Characters of a value, unless its column was asked for by name."""
_SHORTEST = 10
"""Names and reasons are cut down to this before anything else is cut."""
_GAP = "  "
_NARROW_VIEWS = {
    "volumes": ("project_name", "server_name", "volume_name", "last_success_at", "overdue"),
    "backups": ("server_name", "volume_name", "kind", "state", "started_at"),
    "projects": ("project_name", "protected", "overdue", "never", "available", "failed"),
    "runs": ("command", "started_at", "outcome", "failures", "host"),
}
_WIDE_VIEWS = {
    "volumes": (
        *("volume_id", "volume_name", "server_name", "project_name", "skip_reason"),
        *("retention", "last_success_at", "overdue"),
    ),
    "backups": (
        *("backup_id", "volume_name", "server_name", "project_name", "kind", "state"),
        *("reason", "started_at", "size_gib"),
    ),
    "projects": (
        *("project_id", "project_name", "enabled", "protected", "skipped", "overdue", "never"),
        *("oldest_success", "available", "failed", "size_gib"),
    ),
    "runs": (
        *("run_id", "command", "host", "started_at", "duration_s", "outcome", "failures"),
        *("api_requests",),
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
    """A value as a person reads it, coloured where it means something."""

    text: str
    style: str = ""
    is_number: bool = False


def console() -> Console:
    """Stdout, where nothing but our own styles is styled; endless where it is no terminal."""
    found = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if not found.is_terminal:
        found.width = sys.maxsize
    return found


def put(out: Console, *shown: RenderableType) -> None:
    """Print; without the blanks at the ends of lines where no terminal hides them."""
    if out.is_terminal:
        out.print(*shown)
        return
    with out.capture() as captured:
        out.print(*shown)
    out.file.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def usual_columns(view: str) -> tuple[str, ...]:
    """The columns that a table of this view has unless others are asked for."""
    return (_NARROW_VIEWS if console().width < _WIDE else _WIDE_VIEWS)[view]


def show(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    whole: bool = False,
    out: Console | None = None,
) -> None:
    """Print a table; `whole` breaks what is too long instead of cutting it."""
    out = out or console()
    head = [Cell(name.replace("_", " "), "bold") for name in columns]
    waiting = iter(rows)
    while part := list(islice(waiting, _AT_ONCE)):
        table = [head]
        table += ([cell(*one) for one in zip(columns, row, strict=True)] for row in part)
        widths = _widths(columns, table, out.width, whole=whole)
        for line in table:
            for texts in _folded(line, widths, whole=whole):
                _print_line(out, line, texts)


def cell(column: str, value: object) -> Cell:
    """A value for people."""
    if value is None:
        return Cell("-", "dim")
    if isinstance(value, bool):
        return Cell("yes", "bold red" if column == "overdue" else "") if value else Cell("no")
    if isinstance(value, datetime):
        return Cell(f"{value.isoformat(' ', 'minutes')[:16]}Z")
    if isinstance(value, (int, float)):
        style = _COLOURS.get(column, "") if value else "dim"
        return Cell(f"{value:,}", style, is_number=True)
    text = dumped(value) if isinstance(value, dict) else one_line(str(value))
    return Cell(text, _COLOURS.get(text, ""))


def _widths(
    columns: Sequence[str], table: Sequence[Sequence[Cell]], width: int, *, whole: bool
) -> list[int]:
    """The width of each column: what it needs, or less where the line has no room for that."""
    needed = [max(cell_len(line[place].text) for line in table) for place in range(len(columns))]
    if not whole:
        needed = [min(one, _LONGEST) for one in needed]
    room = width - len(_GAP) * (len(columns) - 1)
    elastic = [name.endswith(("name", "reason", "host")) for name in columns]
    needed = _shrunk(needed, elastic, room, _SHORTEST)
    return _shrunk(needed, [True] * len(columns), room, 1)


def _shrunk(widths: list[int], elastic: Sequence[bool], room: int, shortest: int) -> list[int]:
    """Take from the widest of the elastic columns until the line fits."""
    widths = list(widths)
    while sum(widths) > room:
        able = [p for p, width in enumerate(widths) if elastic[p] and width > shortest]
        if not able:
            break
        widths[max(able, key=widths.__getitem__)] -= 1
    return widths


def _folded(
    line: Sequence[Cell], widths: Sequence[int], *, whole: bool
) -> Iterator[tuple[str, ...]]:
    """The cells as texts of exactly the widths: one line, or more where nothing may be cut."""
    lines: Iterable[tuple[str, ...]] = [tuple(one.text for one in line)]
    if whole:
        parts = [chop_cells(one.text, width) for one, width in zip(line, widths, strict=True)]
        lines = zip_longest(*parts, fillvalue="")
    for texts in lines:
        yield tuple(map(_fitted, line, texts, widths))


def _fitted(one: Cell, text: str, width: int) -> str:
    spare = width - cell_len(text)
    if spare < 0:
        return set_cell_size(text, width - 1) + "…"
    return " " * spare + text if one.is_number else text + " " * spare


def _print_line(out: Console, line: Sequence[Cell], texts: Sequence[str]) -> None:
    if not out.is_terminal:
        out.file.write(_GAP.join(texts).rstrip() + "\n")
        return
    styled = [Text(text, one.style) for one, text in zip(line, texts, strict=True)]
    out.print(Text(_GAP).join(styled), no_wrap=True, overflow="ignore", crop=False)
