"""The command `status calendar`."""

import sys
from typing import TYPE_CHECKING, Any

import click

from staffeln_cli.cli.listing_options import (
    only_project,
    only_server,
    only_volume,
    read_only_runtime,
    safe_output,
)
from staffeln_cli.cli.show import exit_on_error, format_option

if TYPE_CHECKING:
    from staffeln_cli.cli.session import Session
    from staffeln_cli.commands.status.calendar import Calendar

_SHOWN = 40
"""Volumes shown to people, unless they ask for more."""


@click.command()
@only_project
@only_server
@only_volume
@click.option(
    "--days",
    metavar="N",
    type=click.IntRange(1, 366),
    default=30,
    show_default=True,
    help="Show so many days, up to today.",
)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1),
    help=f"Show at most N volumes; otherwise text shows {_SHOWN}, JSON all.",
)
@format_option
@click.pass_obj
def calendar(
    session: "Session", /, days: int, limit: int | None, shape: str, **options: Any
) -> None:
    """Show the backups of each protected volume, one sign for each day.

    The worst come first: overdue volumes, those longest without a backup on top, then volumes
    whose last backup failed. Days begin at midnight in report.timezone.
    """
    with exit_on_error():
        from staffeln_cli.commands.status import calendar as command
        from staffeln_cli.commands.status.filters import filter_of

        if shape == "text":
            limit = limit or _SHOWN
        runtime = read_only_runtime(session)
        wanted = filter_of(runtime, **options)
        found = command.calendar(runtime, wanted, days=days, limit=limit)
        safe_output()
        if shape == "json":
            _print_json(found)
        else:
            _print_text(found)


def _print_json(found: "Calendar") -> None:
    from staffeln_cli.model.text import dumped

    between = "["
    for row in found.as_json():
        sys.stdout.write(f"{between}\n  {dumped(row)}")
        between = ","
    sys.stdout.write("[]\n" if between == "[" else "\n]\n")


def _print_text(found: "Calendar") -> None:
    from staffeln_cli.model.text import many
    from staffeln_cli.planning.protection.pausing import described
    from staffeln_cli.render import calendar as render

    first, last = found.days[0], found.days[-1]
    heading = f"{many(found.protected, 'protected volume')}, {first} to {last} ({found.zone})"
    footer = [described(pause) for pause in found.pauses]
    if hidden := found.protected - found.shown:
        footer.append(
            f"and {many(hidden, 'more volume')}: --limit shows more, --project only its own"
        )
    render.show(found.days, found.strips(), heading=heading, footer=footer)
