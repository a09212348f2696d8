"""A calendar of backups: a strip of marks for each volume, readable without colour."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from staffeln_cli.planning.calendar import Mark, Strip
from staffeln_cli.render.table import console, put, safe_text

_SIGNS = {
    # in UTF-8, elsewhere, style
    Mark.FULL: ("█", "F", "bold cyan"),
    Mark.INCREMENTAL: ("▄", "i", "cyan"),
    Mark.MANUAL: ("◆", "M", "bold magenta"),
    Mark.RUNNING: ("~", "~", "cyan"),
    Mark.LOST: ("?", "?", "bold yellow"),
    Mark.FAILED: ("x", "x", "bold red"),
    Mark.REMOVED: ("·", ".", "dim"),
    Mark.NONE: ("-", "-", "yellow"),
    Mark.BEFORE: (" ", " ", ""),
}
_LEGEND = {
    Mark.FULL: "full",
    Mark.INCREMENTAL: "incremental",
    Mark.MANUAL: "made by hand",
    Mark.RUNNING: "in progress",
    Mark.LOST: "lost",
    Mark.FAILED: "failed",
    Mark.REMOVED: "removed",
    Mark.NONE: "none",
}
_PAUSED = "paused"
_GAP = 2
_NARROW = 110
"""Width of a terminal below which the project and the server have a line of their own."""
_SHORTEST_NAME = 12
_LONGEST_NAME = 32


def show(
    days: Sequence[date],
    strips: Sequence[Strip],
    *,
    heading: str,
    footer: Sequence[str] = (),
    out: Console | None = None,
) -> None:
    """Print the strips under a heading, as many days of each as the terminal is wide."""
    out = out or console()
    put(out, safe_text(heading, "bold"))
    put(out, "")
    if not strips:
        _put_footer(out, footer)
        return
    is_narrow = out.width < _NARROW
    room = out.width - _names_width(strips, is_narrow=is_narrow) - _remark_width(strips)
    fitting = max(7, min(len(days), room))
    days = days[-fitting:]
    cut = [replace(one, marks=one.marks[-fitting:]) for one in strips]
    put(out, _narrow(days, cut) if is_narrow else in_columns(days, cut))
    put(out, "")
    put(out, legend(strips))
    _put_footer(out, footer)
    if fitting < len(strips[0].marks):
        text = f"The terminal is too narrow for more than the last {fitting} days."
        put(out, safe_text(text, "dim"))


def _put_footer(out: Console, footer: Sequence[str]) -> None:
    for line in footer:
        put(out, safe_text(line, "dim"))


def in_columns(days: Sequence[date], strips: Sequence[Strip]) -> Table:
    """A row for each volume: project, server, volume, the marks, and whether it is overdue."""
    table = _grid(4 + any(one.overdue or one.paused for one in strips))
    for column in table.columns[:3]:
        column.max_width = _LONGEST_NAME
    table.add_row("", "", "", Text(_weeks(days), "dim"))
    last = ("", "")
    for strip in strips:
        project = "" if strip.project == last[0] else strip.project
        server = "" if (strip.project, strip.server) == last else strip.server
        last = (strip.project, strip.server)
        names = safe_text(project, "dim"), safe_text(server, "dim"), safe_text(strip.volume)
        table.add_row(*names, *_cells(strip))
    return table


def legend(strips: Sequence[Strip]) -> Text:
    """The meaning of the marks that are used."""
    used = {mark for strip in strips for mark in strip.marks}
    parts = [
        Text.assemble(_sign(mark), (f" {name}", "dim"))
        for mark, name in _LEGEND.items()
        if mark in used
    ]
    return Text("   ").join(parts)


def has_blocks() -> bool:
    """Whether stdout can show more than ASCII."""
    return (sys.stdout.encoding or "").lower().startswith("utf")


def _narrow(days: Sequence[date], strips: Sequence[Strip]) -> RenderableType:
    """The project and the server on a line of their own, above their volumes."""
    return Group(*_narrow_lines(days, strips))


def _narrow_lines(days: Sequence[date], strips: Sequence[Strip]) -> Iterator[RenderableType]:
    width = min(max(cell_len(one.volume) for one in strips), _SHORTEST_NAME)
    last, table = None, _grid(3)
    table.add_row(Text(" " * width), Text(_weeks(days), "dim"))
    for strip in strips:
        if (strip.project, strip.server) != last:
            yield table
            last, table = (strip.project, strip.server), _grid(3)
            table.columns[0].width = width
            names = " / ".join(name for name in last if name)
            yield safe_text(names, "dim")
        table.add_row(safe_text(strip.volume), *_cells(strip))
    yield table


def _cells(strip: Strip) -> tuple[Text, Text]:
    cells = Text.assemble(*(_sign(mark) for mark in strip.marks))
    if strip.paused:  # a sentence below says why, and until when
        return cells, Text(_PAUSED, "yellow")
    return cells, safe_text(strip.overdue, "bold red")


def _grid(columns: int) -> Table:
    table = Table.grid(padding=(0, _GAP, 0, 0))
    for _ in range(columns):
        table.add_column(no_wrap=True, overflow="ellipsis")
    return table


def _names_width(strips: Sequence[Strip], *, is_narrow: bool) -> int:
    columns = [[one.volume for one in strips]]
    if not is_narrow:
        columns += [[one.project for one in strips], [one.server for one in strips]]
    most = _SHORTEST_NAME if is_narrow else _LONGEST_NAME
    return sum(min(most, max(map(cell_len, column))) + _GAP for column in columns)


def _remark_width(strips: Sequence[Strip]) -> int:
    return max(cell_len(_PAUSED if one.paused else one.overdue) for one in strips) + _GAP


def _weeks(days: Sequence[date]) -> str:
    """The days of the month, one for each Monday where there is room for it."""
    text = ""
    for place, day in enumerate(days):
        label = f"{day.day}" if text else f"{day.day} {day:%b}"
        if day.weekday() == 0 and len(text) <= place <= len(days) - len(label):
            text = f"{text:{place}}{label}"
    return text


def _sign(mark: Mark) -> tuple[str, str]:
    sign, letter, style = _SIGNS[mark]
    return (sign if has_blocks() else letter), style
