"""The backups of each volume, night by night."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


class Mark(StrEnum):
    """The backup of a volume on one night; the letter is used where blocks cannot be shown."""

    NONE = " "
    FULL = "F"
    INCREMENTAL = "i"
    MANUAL = "M"
    FAILED = "x"
    REMOVED = "."


_SIGNS = {
    Mark.FULL: ("█", "bold cyan"),
    Mark.INCREMENTAL: ("▄", "cyan"),
    Mark.MANUAL: ("◆", "bold magenta"),
    Mark.FAILED: ("x", "bold red"),
    Mark.REMOVED: ("·", "dim"),
    Mark.NONE: (" ", ""),
}
_LEGEND = {
    Mark.FULL: "full",
    Mark.INCREMENTAL: "incremental",
    Mark.MANUAL: "made by hand",
    Mark.FAILED: "failed",
    Mark.REMOVED: "removed",
}


@dataclass(frozen=True, slots=True)
class Strip:
    """The row of one volume, with a mark for each night."""

    project: str
    server: str
    volume: str
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The rows of all volumes; `moving` if the next calendar replaces it."""

    moments: Sequence[datetime]
    strips: Sequence[Strip]
    moving: bool = False

    def __rich__(self) -> RenderableType:
        table = Table.grid(padding=(0, 2, 0, 0))
        for _ in range(4):
            table.add_column(no_wrap=True)
        table.add_row("", "", "", Text(self._weeks(), "dim"))
        last = ""
        for strip in self.strips:
            project = "" if strip.project == last else strip.project
            cells = Text.assemble(*(_sign(mark) for mark in strip.marks))
            table.add_row(Text(project, "dim"), Text(strip.server, "dim"), strip.volume, cells)
            last = strip.project
        return Padding(Group(table, "", self._legend()), (0, 0, 0, 4), expand=False)

    def _weeks(self) -> str:
        """The days of the month, one for each Monday."""
        text = ""
        for place, moment in enumerate(self.moments):
            if moment.weekday() == 0 and len(text) <= place:
                text = f"{text:{place}}{moment.day}{f' {moment:%b}' if not text else ''}"
        return text

    def _legend(self) -> Text:
        used = {mark for strip in self.strips for mark in strip.marks}
        parts = [
            Text.assemble(_sign(mark), (f" {name}", "dim"))
            for mark, name in _LEGEND.items()
            if mark in used
        ]
        return Text("   ").join(parts)


def _sign(mark: Mark) -> tuple[str, str]:
    sign, style = _SIGNS[mark]
    return (sign if has_blocks() else mark.value), style


def has_blocks() -> bool:
    """Whether stdout can show more than ASCII."""
    return (sys.stdout.encoding or "").lower().startswith("utf")
