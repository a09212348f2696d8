"""The commands of the cycle: one pass each."""

import click

from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import dry_run_option, finish, format_option


@click.command()
@dry_run_option
@format_option
@click.pass_obj
def collect(session: Session, dry_run: bool, shape: str) -> None:
    """Look at the whole cloud and plan the backups that are due."""
    from staffeln_cli.commands import collect as command

    finish(session, "collect", shape, lambda: command.run(session.runtime, dry_run=dry_run))


@click.command()
@dry_run_option
@format_option
@click.pass_obj
def check(session: Session, dry_run: bool, shape: str) -> None:
    """Follow running backups and deletions to their end."""
    from staffeln_cli.commands import check as command

    finish(session, "check", shape, lambda: command.run(session.runtime, dry_run=dry_run))


@click.command()
@dry_run_option
@format_option
@click.pass_obj
def backup(session: Session, dry_run: bool, shape: str) -> None:
    """Start planned backups, within the limits."""
    from staffeln_cli.commands import backup as command

    finish(session, "backup", shape, lambda: command.run(session.runtime, dry_run=dry_run))


@click.command()
@dry_run_option
@click.option(
    "--confirm", is_flag=True, help="Go on although a pass would remove suspiciously much."
)
@format_option
@click.pass_obj
def retain(session: Session, dry_run: bool, confirm: bool, shape: str) -> None:
    """Remove the backups that retention no longer keeps."""
    from staffeln_cli.commands import retain as command

    finish(
        session,
        "retain",
        shape,
        lambda: command.run(session.runtime, dry_run=dry_run, confirmed=confirm),
    )


COMMANDS = (collect, backup, check, retain)
