"""The command that tells people."""

import click

from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import dry_run_option, finish, format_option


@click.command()
@dry_run_option
@format_option
@click.pass_obj
def report(session: Session, dry_run: bool, shape: str) -> None:
    """Send each project its digest, if its period is over."""
    from staffeln_cli.commands import report as command

    finish(session, "report", shape, lambda: command.run(session.runtime, dry_run=dry_run))


COMMANDS = (report,)
