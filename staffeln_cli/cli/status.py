"""The command `status`."""

import sys
from typing import Any

import click

from staffeln_cli.cli import summary
from staffeln_cli.cli.calendar import calendar
from staffeln_cli.cli.explain import explain
from staffeln_cli.cli.listing_options import (
    listed,
    only_project,
    only_server,
    only_volume,
    show_view,
)
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import exit_on_error, format_option
from staffeln_cli.cli.usage import usage

STATES = (
    *("planned", "starting", "creating", "available", "deleting"),
    *("deleted", "missing", "failed", "cancelled"),
)
_HELP = """\
Show whether everything is protected, from the database alone.

A volume is overdue when it is protected and not paused, and no successful backup of it started
within twice backup.min_interval (or since it was first protected, if it never had one). With
backup.window, it must also have had at least half a window to start in.

\b
With --nagios:
  CRITICAL  overdue volumes; volumes whose backups are all missing or broken,
            or whose restore drill failed until they are proven again; no
            collect completed yet, or none within twice backup.min_interval
            (a day stands in for 0s)
  WARNING   volumes never backed up so far; a command whose last run failed,
            if only in part; nothing is protected; protection that ended in
            the last report period; volumes unknown to Cinder or Keystone;
            backups without a record; moments in the future; paused volumes
            without a recent backup; no check, retain or report for twice the
            interval
  UNKNOWN   the configuration is wrong, or the database cannot be read
"""


@click.group(invoke_without_command=True, help=_HELP)
@format_option
@click.option(
    "--nagios",
    is_flag=True,
    help="One line with performance data; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
)
@click.option(
    "--critical",
    metavar="N",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Nagios: N overdue volumes are CRITICAL; fewer are a WARNING.",
)
@click.option(
    "--warning",
    metavar="N",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Nagios: N volumes without any backup so far are a WARNING.",
)
@click.option(
    "--prometheus",
    metavar="FILE",
    help="Write metrics for node_exporter's textfile collector; - is stdout.",
)
@click.option(
    "--watch",
    metavar="SECONDS",
    is_flag=False,
    flag_value=5,
    type=click.IntRange(1),
    help="Show it again every 5 (or SECONDS) seconds, until Ctrl-C.",
)
@click.pass_context
def status(
    ctx: click.Context,
    /,
    shape: str,
    nagios: bool,
    prometheus: str | None,
    watch: int | None,
    **limits: int,
) -> None:
    """Show the summary, in the shape that is asked for."""
    session: Session = ctx.obj
    if ctx.invoked_subcommand is not None:
        return
    if watch is not None and (nagios or prometheus is not None or shape == "json"):
        raise click.UsageError("--watch is for the text on a terminal, not for other programs")
    if nagios:
        sys.exit(summary.nagios(session, **limits))
    with exit_on_error():
        if watch is not None:
            summary.watch(session, watch)
        elif prometheus is not None:
            summary.export(session, prometheus)
        else:
            summary.show(session, shape)


@status.command("volumes")
@only_project
@only_server
@only_volume
@click.option("--overdue", is_flag=True, help="Only show overdue volumes.")
@click.option(
    "--protected/--unprotected", default=None, help="Only show protected (unprotected) volumes."
)
@click.option("--gone", is_flag=True, help="Also show volumes that are gone and have no backup.")
@listed
@click.pass_obj
def volumes(session: Session, /, overdue: bool, **options: Any) -> None:
    """Show the volumes that exist or that have backups."""
    from staffeln_cli.commands.status import views

    show_view(
        session,
        "volumes",
        options,
        lambda runtime, wanted: views.volumes(runtime, wanted, overdue=overdue),
    )


@status.command("backups")
@only_project
@only_server
@only_volume
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(STATES),
    help="Only show this state.",
)
@click.option("--pinned/--unpinned", default=None, help="Only show pinned (unpinned) backups.")
@listed
@click.pass_obj
def backups(session: Session, /, **options: Any) -> None:
    """Show the backup records, newest first."""
    from staffeln_cli.commands.status import views

    show_view(session, "backups", options, views.backups)


@status.command("projects")
@only_project
@listed
@click.pass_obj
def projects(session: Session, /, **options: Any) -> None:
    """Show the projects and their protection."""
    from staffeln_cli.commands.status import views

    show_view(session, "projects", options, views.projects)


@status.command("runs")
@click.option("--command", "name", metavar="NAME", help="Only show runs of this command.")
@click.option(
    "--outcome", type=click.Choice(["ok", "partial", "failed"]), help="Only show this outcome."
)
@listed
@click.pass_obj
def runs(session: Session, /, name: str | None, outcome: str | None, **options: Any) -> None:
    """Show the runs, newest first; one without an end is in progress, or was killed."""
    from staffeln_cli.commands.status import views

    show_view(
        session,
        "runs",
        options,
        lambda runtime, _: views.runs(runtime, command=name, outcome=outcome),
    )


status.add_command(calendar)
status.add_command(usage)

COMMANDS: tuple[click.Command, ...] = (status, explain)
