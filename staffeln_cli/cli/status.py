"""The command `status`."""

import logging
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

import click

from staffeln_cli.cli import summary_json
from staffeln_cli.cli.calendar import calendar
from staffeln_cli.cli.explain import explain
from staffeln_cli.cli.listing_options import (
    listed,
    read_only_runtime,
    safe_output,
    show_view,
    write,
)
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import exit_on_error
from staffeln_cli.cli.usage import usage

if TYPE_CHECKING:
    from staffeln_cli.planning.health import Summary

log = logging.getLogger(__name__)
STATES = (
    *("planned", "starting", "creating", "available", "deleting"),
    *("deleted", "missing", "failed", "cancelled"),
)


@click.group(invoke_without_command=True)
@click.option("-f", "--format", "shape", type=click.Choice(["text", "json"]), default="text")
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
    """Show whether everything is protected, from the database alone.

    A volume is overdue when it is protected and no successful backup of it started within twice
    backup.min_interval (or since it was first protected, if it never had one).

    \b
    With --nagios:
      CRITICAL  overdue volumes; volumes whose backups are all missing, or whose
                restore drill failed until they are proven again; no collect
                completed yet, or none within twice backup.min_interval (a day
                stands in for 0s)
      WARNING   volumes never backed up so far; a command whose last run failed,
                if only in part; nothing is protected; protection that ended in
                the last report period; volumes unknown to Cinder or Keystone;
                backups without a record; moments in the future; no check, retain
                or report for twice the interval
      UNKNOWN   the configuration is wrong, or the database cannot be read
    """
    session: Session = ctx.obj
    if ctx.invoked_subcommand is not None:
        return
    if watch is not None and (nagios or prometheus is not None or shape == "json"):
        raise click.UsageError("--watch is for the text on a terminal, not for other programs")
    if nagios:
        sys.exit(_nagios(session, **limits))
    with exit_on_error():
        from staffeln_cli.commands.status import summary as command

        if watch is not None:
            _watch(session, watch)
        state = command.summary(read_only_runtime(session))
        if prometheus is not None:
            _write_metrics(state, prometheus)
        elif shape == "json":
            write(summary_json.as_json(state))
        else:
            from staffeln_cli.planning.health import findings
            from staffeln_cli.render import summary

            safe_output()
            summary.show(state, findings(state))


def _watch(session: Session, seconds: int) -> NoReturn:
    from staffeln_cli.commands.status import summary as command
    from staffeln_cli.planning.health import findings
    from staffeln_cli.render import summary, terminal

    if not sys.stdout.isatty():
        raise click.UsageError("--watch needs a terminal")
    runtime = read_only_runtime(session)
    safe_output()

    def show(out: Any) -> None:
        state = command.summary(runtime)
        summary.show(state, findings(state), out)

    while True:
        terminal.show_again(show)
        time.sleep(seconds)


def _nagios(session: Session, **limits: int) -> int:
    from staffeln_cli.commands.status import summary as command
    from staffeln_cli.errors import StaffelnError
    from staffeln_cli.planning.health import Level, findings
    from staffeln_cli.render import monitoring

    try:
        state = command.summary(read_only_runtime(session))
        found = findings(state, **limits)
        text, level = monitoring.nagios(state, found, **limits), found[0].level
    except StaffelnError as error:
        text, level = monitoring.nagios_line(Level.UNKNOWN.name, str(error)), Level.UNKNOWN
    except Exception as error:
        log.exception("status --nagios ended by a bug")
        bug = f"a bug, please report it: {type(error).__name__}: {error}"
        text, level = monitoring.nagios_line(Level.UNKNOWN.name, bug), Level.UNKNOWN
    write(text)
    return level


def _write_metrics(state: "Summary", where: str) -> None:
    from importlib import metadata
    from pathlib import Path

    from staffeln_cli.render import monitoring

    text = monitoring.metrics(state, metadata.version("staffeln"))
    if where == "-":
        click.echo(text, nl=False)
    else:
        monitoring.write(Path(where), text)


_project = click.option("--project", metavar="NAME|ID", help="Only show this project.")
_server = click.option("--server", metavar="NAME|ID", help="Only show this server.")
_volume = click.option("--volume", metavar="NAME|ID", help="Only show this volume.")


@status.command("volumes")
@_project
@_server
@_volume
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
@_project
@_server
@_volume
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
@_project
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
