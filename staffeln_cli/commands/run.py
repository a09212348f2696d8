"""The five passes, one after the other, and the catalog once a day, for a one-line crontab."""

from collections.abc import Callable, Iterator

from staffeln_cli.commands import backup, catalog, check, collect, report, retain
from staffeln_cli.errors import StaffelnError
from staffeln_cli.model import Outcome
from staffeln_cli.runtime import Runtime


def passes(
    runtime: Callable[[], Runtime], *, dry_run: bool = False
) -> Iterator[tuple[str, Callable[[], Outcome]]]:
    """The five passes, to be run in this order; what `runtime` raises is each one's own.

    Then the catalog is saved, if that is configured and due.
    """
    for command in (collect, backup, check, retain, report):
        name = command.__name__.rpartition(".")[2]
        yield name, lambda run=command.run: run(runtime(), dry_run=dry_run)  # type: ignore[misc]  # bound at once
    if not dry_run and _is_catalog_due(runtime):
        yield "catalog save", lambda: catalog.save_daily(runtime())


def _is_catalog_due(runtime: Callable[[], Runtime]) -> bool:
    try:
        return catalog.is_due(runtime())
    except StaffelnError:
        return False  # the passes have said what is wrong
