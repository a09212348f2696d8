"""The commands that set things up and look after them."""

import sys

import click

from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import foreseen


@click.group()
def db() -> None:
    """Create, upgrade and inspect the database."""


@db.command()
@click.pass_obj
def upgrade(session: Session) -> None:
    """Bring the database's schema to this version."""
    from staffeln_cli.commands import db as command

    with foreseen():
        before, after = command.upgrade(session.runtime)
    if sys.stdout.isatty():
        click.echo(f"schema: {before or 'none'} -> {after}")


@db.command()
@click.pass_obj
def current(session: Session) -> None:
    """Say which revision the database's schema is at; exit 78 if it is not this version's."""
    from staffeln_cli.commands import db as command

    with foreseen():
        click.echo(command.current(session.runtime) or "none")
        session.runtime.unchecked_store.database.check_schema()


COMMANDS: tuple[click.Command, ...] = (db,)
