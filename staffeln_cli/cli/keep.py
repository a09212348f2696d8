"""The commands `keep` and `release`."""

import click

from staffeln_cli.cli.listing_options import say
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import exit_on_error


@click.command()
@click.argument("backup")
@click.option("--note", metavar="TEXT", help="Why; shown by status, explain and the report.")
@click.pass_obj
def keep(session: Session, backup: str, note: str | None) -> None:
    """Pin BACKUP, so that retention keeps it and the backups that it depends on.

    BACKUP is a record's id, the backup's id in Cinder, or its name.
    """
    from staffeln_cli.commands import keep as command

    with exit_on_error():
        done = command.keep(session.runtime, backup, note)
    say(f"{done.record.name}: {'kept' if done.changed else 'kept already'}")


@click.command()
@click.argument("backup")
@click.pass_obj
def release(session: Session, backup: str) -> None:
    """Unpin BACKUP: from now on retention applies to it again."""
    from staffeln_cli.commands import keep as command

    with exit_on_error():
        done = command.release(session.runtime, backup)
    say(f"{done.record.name}: {'released' if done.changed else 'was not pinned'}")


COMMANDS = (keep, release)
