"""The command `status usage`."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from staffeln_cli.cli.listing_options import listed, only_project, show_view
from staffeln_cli.cli.moment import moment
from staffeln_cli.cli.streams import complain

if TYPE_CHECKING:
    from staffeln_cli.cli.session import Session
    from staffeln_cli.commands.status.views import View
    from staffeln_cli.runtime import Runtime


@click.command()
@only_project
@click.option(
    "--since",
    type=moment,
    metavar="TIME",
    help="Begin of the period (UTC, or with an offset); otherwise the first of the month.",
)
@click.option(
    "--until",
    type=moment,
    metavar="TIME",
    help="End of the period; otherwise now.",
)
@listed
@click.pass_obj
def usage(
    session: "Session", /, since: datetime | None, until: datetime | None, **options: Any
) -> None:
    """Show how much backup storage each volume used in a period, for chargeback.

    `backups` and `gib` are those at the end of the period, `made` are the backups that started in
    it, and `gib_hours` is the size of each backup times its hours in the period. The size is what
    Cinder charges: that of the whole volume, for incremental backups, too. Failed backups do not
    count.
    """
    from staffeln_cli.commands.status import usage as command

    def look(runtime: "Runtime", wanted: Any) -> "View":
        period = command.period_of(runtime, since, until)
        if period.since >= period.until:
            raise click.UsageError("--since must be before --until")
        if period.since < (begin := command.history_begins(runtime)):
            complain(
                f"backups removed before {begin:%Y-%m-%d %H:%M} UTC are missing here:"
                " retention.history has removed their records"
            )
        return command.usage_view(runtime, wanted, period)

    show_view(session, "usage", options, look)
