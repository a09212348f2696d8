"""Plans and progress bars."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from staffeln_cli.model import Decision
from staffeln_cli.model.text import one_line
from staffeln_cli.render import table

_AT_ONCE = 1000
_HOME, _CLEAR_LINE, _CLEAR_REST = "\x1b[H", "\x1b[K", "\x1b[J"
_Line = tuple[str, str, str, str]
_HEAD = ("would", "what", "id", "why")


class Bar:
    """A progress bar for each kind of item of a run."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lines: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Update one bar."""
        if what not in self._lines:
            self._lines[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._lines[what], completed=done, total=total)


@contextmanager
def progress_bar() -> Iterator[Bar]:
    """A progress bar on stderr, removed at the end of the run."""
    console = Console(file=sys.stderr)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bar(progress)


def show_again(show: Callable[[Console], None]) -> None:
    """Print from the top of the screen over what was there; what does not fit is left out."""
    out = table.console()
    with out.capture() as captured:
        show(out)
    lines = captured.get().splitlines()[: out.height - 1]
    out.file.write("".join([_HOME, *(f"{line}{_CLEAR_LINE}\n" for line in lines), _CLEAR_REST]))
    out.file.flush()


def decisions(plan: Iterable[Decision]) -> None:
    """Print a plan: as a table on a terminal, otherwise one full line per decision."""
    rows = map(_row, plan)
    if sys.stdout.isatty():
        table.show(_HEAD, rows, whole=True)
        return
    head: tuple[_Line, ...] = (_HEAD,)
    while part := list(islice(rows, _AT_ONCE)):
        sys.stdout.write("".join(_aligned([*head, *map(_printable, part)])))
        head = ()


def _row(decision: Decision) -> _Line:
    return decision.action, decision.name or decision.kind, decision.id, decision.reason


def _printable(line: _Line) -> _Line:
    """Checked as a whole first, since almost all lines are printable."""
    if (whole := "|".join(line)).isprintable() and "  " not in whole:
        return line
    return one_line(line[0]), one_line(line[1]), one_line(line[2]), one_line(line[3])


def _aligned(lines: list[_Line]) -> Iterator[str]:
    """Not by rich, which would take longer for a million lines than the decisions."""
    first, second, third, _ = (max(map(len, column)) for column in zip(*lines, strict=True))
    for action, what, id_, why in lines:
        yield f"{action:{first}}  {what:{second}}  {id_:{third}}  {why}\n"
