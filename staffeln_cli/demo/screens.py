"""The screens of the demonstration: each beat renders itself for a terminal or a file."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from staffeln_cli.demo.calendar import Calendar
from staffeln_cli.render.calendar import has_blocks

_WIDEST = 92
_IN_A_FILE = 80
_MARGIN = 4


def console() -> Console:
    """Stdout, limited to a width that is easy to read."""
    out = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    out.width = min(out.width, _WIDEST) if out.is_terminal else _IN_A_FILE
    return out


@dataclass(frozen=True, slots=True)
class Opening:
    """The first lines."""

    title: str
    text: str

    def __rich__(self) -> RenderableType:
        return _at(2, Text(self.title, "bold"), "", Text(self.text))


@dataclass(frozen=True, slots=True)
class Chapter:
    """The title of a part of the story, with its time."""

    number: int
    title: str
    moment: datetime

    def __rich__(self) -> RenderableType:
        when = f"{self.moment:%a} {self.moment.day} {self.moment:%b %H:%M}"
        title = Text.assemble(f"{self.number}  ", (self.title, "bold"), ("  " + when, "dim"))
        return Rule(title, style="cyan", align="left")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text between the commands."""

    text: str

    def __rich__(self) -> RenderableType:
        return _at(2, Text(self.text))


@dataclass(frozen=True, slots=True)
class Typed:
    """A command of another client of the cloud."""

    who: str
    command: str

    def __rich__(self) -> RenderableType:
        return _at(_MARGIN, Text.assemble((f"{self.who}$ ", "magenta"), self.command))


@dataclass(frozen=True, slots=True)
class Ran:
    """A command of Staffeln and its output."""

    command: str
    answer: str
    failures: Sequence[str] = ()
    exit_code: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [Text.assemble(("$ ", "green"), ("staffeln " + self.command, "bold"))]
        lines += [Text(failure, "red") for failure in self.failures]
        del console
        said, _, figures = self.answer.partition("  (")
        room = options.max_width - _MARGIN
        shown = f"  ({figures}" if figures and len(self.answer) <= room else ""
        lines.append(Text.assemble(said, (shown, "dim")))
        if self.exit_code:
            lines.append(Text(f"exit code {self.exit_code}", "yellow"))
        yield _at(_MARGIN, *lines)


@dataclass(frozen=True, slots=True)
class Asked:
    """A command whose output is a table."""

    command: str
    show: Callable[[], None]

    def __rich__(self) -> RenderableType:
        line = Text.assemble(("$ ", "green"), ("staffeln " + self.command, "bold"))
        return _at(_MARGIN, line)


@dataclass(frozen=True, slots=True)
class Seen:
    """A fact that was checked in the cloud or the database."""

    text: str

    def __rich__(self) -> RenderableType:
        line = Table.grid(padding=(0, 1))
        line.add_row(Text("✓" if has_blocks() else "OK", "bold green"), Text(self.text))
        return _at(2, line)


@dataclass(frozen=True, slots=True)
class Reason:
    """The verdict on several backups of one volume, with the reason."""

    volume: str
    action: str
    number: int
    made: str
    why: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """A summary of a plan."""

    rows: Sequence[Reason]

    def __rich__(self) -> RenderableType:
        table = Table("volume", "would", "", "made", "why", box=None, header_style="dim")
        table.pad_edge = False
        table.columns[2].justify = "right"
        last = ""
        for row in self.rows:
            style = "yellow" if row.action == "remove" else ""
            name = "" if row.volume == last else row.volume
            table.add_row(
                name, Text(row.action, style), str(row.number), row.made, Text(row.why, style)
            )
            last = row.volume
        return _at(_MARGIN, table)


Beat = Opening | Chapter | Paragraph | Typed | Ran | Asked | Seen | Reasons | Calendar
_APART = (Opening, Chapter, Paragraph, Asked, Reasons, Calendar)
"""Beats with an empty line before each; of the others, only the first of its kind has one."""


class Presenter:
    """Prints beats. On a terminal, successive moving calendars replace each other."""

    def __init__(self) -> None:
        self._out = console()
        self._last: type[Beat] | None = None
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stand_still()

    def present(self, beat: Beat) -> None:
        """Show the next beat."""
        if isinstance(beat, Calendar) and beat.moving:
            self._move(beat)
            return
        was_moving = self._live is not None
        self._stand_still()
        kind = type(beat)
        if not was_moving and (kind in _APART or kind is not self._last):
            self._print("")
        self._print(beat)
        if isinstance(beat, Asked):
            self._print("")
            beat.show()
        self._last = kind

    def _print(self, what: RenderableType) -> None:
        if self._out.is_terminal:
            self._out.print(what)
            return
        with self._out.capture() as text:
            self._out.print(what)
        sys.stdout.writelines(f"{line.rstrip()}\n" for line in text.get().splitlines())

    def _move(self, calendar: Calendar) -> None:
        if not self._out.is_terminal:
            return
        if self._live is None:
            self._print("")
            self._live = Live(console=self._out, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(calendar, refresh=True)

    def _stand_still(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def _at(column: int, *parts: RenderableType) -> RenderableType:
    return Padding(Group(*parts), (0, 0, 0, column), expand=False)
