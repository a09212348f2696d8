"""Plans, tables and progress as people read them in a terminal."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from staffeln_cli.model import Decision


class Bar:
    """A line for each kind of thing that a run goes through."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lines: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Move on one line."""
        if what not in self._lines:
            self._lines[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._lines[what], completed=done, total=total)


@contextmanager
def progress_bar() -> Iterator[Bar]:
    """A bar on stderr, gone when the run is over."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bar(progress)


def decisions(plan: Iterable[Decision]) -> None:
    """A plan as a table: what, to which, why."""
    table = Table("would", "what", "id", "why", box=None, header_style="bold", pad_edge=False)
    for one in plan:
        table.add_row(
            *(Text(part) for part in (one.action, one.name or one.kind, one.id, one.reason))
        )
    if table.row_count:
        Console().print(table)
