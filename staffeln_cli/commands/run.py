"""All passes of the cycle, one after the other: the one-line crontab."""

from collections.abc import Callable, Iterator
from functools import partial

from staffeln_cli.commands import backup, check, collect, report, retain
from staffeln_cli.model import Outcome
from staffeln_cli.runtime import Runtime


def passes(
    runtime: Runtime, *, dry_run: bool = False
) -> Iterator[tuple[str, Callable[[], Outcome]]]:
    """The five passes, to be run in this order; a signal ends the row after the pass in hand."""
    for command in (collect, backup, check, retain, report):
        if runtime.stop.is_requested:
            return
        yield command.__name__.rpartition(".")[2], partial(command.run, runtime, dry_run=dry_run)
