"""The command line: options in, one command called, its outcome shown, an exit code out."""

import gc
import os
import sys
from pathlib import Path

import click

from staffeln_cli.cli import (
    catalog,
    config,
    db,
    demo,
    doctor,
    keep,
    passes,
    pause,
    report,
    restore,
    serve_policy,
    status,
    verify,
)
from staffeln_cli.cli.completion import complete_names
from staffeln_cli.cli.examples import describe_commands
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.streams import complain, take_over
from staffeln_cli.errors import Unavailable


class Staffeln(click.Group):
    """Lists the commands in the order of their use, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they were added."""
        return list(self.commands)


@click.group(
    cls=Staffeln,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--os-cloud", metavar="NAME", help="Entry of clouds.yaml to use.")
@click.option("-v", "--verbose", count=True, help="Log what changes; -vv: log everything.")
@click.option("-q", "--quiet", is_flag=True, help="Only print errors.")
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", help="Shape of log lines."
)
@click.version_option(package_name="staffeln", prog_name="staffeln")
@click.pass_context
def staffeln(  # noqa: PLR0913, PLR0917 - one parameter for each global option
    ctx: click.Context,
    config: Path | None,
    os_cloud: str | None,
    verbose: int,
    quiet: bool,
    log_format: str,
) -> None:
    """Back up the volumes of OpenStack servers, on a schedule, through Cinder.

    Mark a server with the metadata __staffeln_backup=true, let cron run `staffeln run`, and look
    at `staffeln status`.
    """
    session = ctx.ensure_object(Session)
    session.config, session.os_cloud, session.log_format = config, os_cloud, log_format
    session.verbosity = -1 if quiet else verbose
    ctx.call_on_close(session.close)


for _command in (
    *passes.COMMANDS,
    *report.COMMANDS,
    *restore.COMMANDS,
    *verify.COMMANDS,
    *status.COMMANDS,
    *catalog.COMMANDS,
    *pause.COMMANDS,
    *config.COMMANDS,
    *doctor.COMMANDS,
    *keep.COMMANDS,
    *db.COMMANDS,
    *serve_policy.COMMANDS,
    *demo.COMMANDS,
):
    staffeln.add_command(_command)
complete_names(staffeln)
describe_commands(staffeln)


def main() -> None:
    """Run the command line; an unexpected error is reported as a bug, in one line."""
    # Passes create millions of objects and few reference cycles: collect garbage rarely.
    gc.set_threshold(50_000, 20, 20)
    _have_a_home()
    _have_a_folder()
    session = Session(streams=take_over())
    code = _run(session)
    problem = session.streams.finish()
    if problem is not None:
        complain(f"stdout cannot be written: {problem.strerror}")
        if not session.streams.tolerant:
            code = code or Unavailable.exit_code
    # Else Python would search all modules for garbage as it ends: a sixth of a small collect.
    gc.freeze()
    sys.exit(code)


def _have_a_home() -> None:
    """Give a user whom passwd does not know the home that Docker gives them: libraries ask."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = "/"


def _have_a_folder() -> None:
    """Leave a current folder that somebody has deleted: libraries ask where they are."""
    try:
        Path.cwd()
    except OSError:
        os.chdir("/")


def _run(session: Session) -> int:
    try:
        staffeln(obj=session, standalone_mode=True)
    except SystemExit as end:
        return int(end.code or 0)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        if error is session.streams.failure:
            return Unavailable.exit_code
        from staffeln_cli.cli.show import bug

        return bug(session, error)
    return 0
