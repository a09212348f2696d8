"""The summary of `status`: once, again and again, and for other programs."""

import logging
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

import click

from staffeln_cli.cli import summary_json
from staffeln_cli.cli.listing_options import read_only_runtime, safe_output, write
from staffeln_cli.cli.session import Session

if TYPE_CHECKING:
    from staffeln_cli.planning.health import Summary

log = logging.getLogger(__name__)


def show(session: Session, shape: str) -> None:
    """Print the summary."""
    from staffeln_cli.commands.status import summary as command
    from staffeln_cli.planning.health import findings

    state = command.summary(read_only_runtime(session))
    if shape == "json":
        write(summary_json.as_json(state))
        return
    from staffeln_cli.render import summary

    safe_output()
    summary.show(state, findings(state))


def export(session: Session, where: str) -> None:
    """Write the metrics to a file, or to stdout."""
    from staffeln_cli.commands.status import summary as command

    _write_metrics(command.summary(read_only_runtime(session)), where)


def watch(session: Session, seconds: int) -> NoReturn:
    """Print it again every few seconds."""
    from staffeln_cli.commands.status import summary as command
    from staffeln_cli.planning.health import findings
    from staffeln_cli.render import summary, terminal

    if not sys.stdout.isatty():
        raise click.UsageError("--watch needs a terminal")
    runtime = read_only_runtime(session)
    safe_output()

    def show_on(out: Any) -> None:
        state = command.summary(runtime)
        summary.show(state, findings(state), out)

    while True:
        terminal.show_again(show_on)
        time.sleep(seconds)


def nagios(session: Session, **limits: int) -> int:
    """Print it as one line for Nagios; return the exit code. Whatever happens is such a line."""
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
