"""The command group `db`."""

import sys
from dataclasses import asdict

import click

from staffeln_cli.cli.listing_options import write
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import exit_on_error, format_option
from staffeln_cli.errors import BrakeApplied
from staffeln_cli.model.text import one_line


@click.group()
def db() -> None:
    """Create, upgrade and inspect the database."""


@db.command()
@click.pass_obj
def upgrade(session: Session) -> None:
    """Upgrade the database's schema to this version."""
    from staffeln_cli.commands import db as command

    with exit_on_error():
        before, after = command.upgrade(session.runtime)
    if sys.stdout.isatty():
        click.echo(f"schema: {before or 'none'} -> {after}")


@db.command()
@click.pass_obj
def current(session: Session) -> None:
    """Show the revision of the database's schema; exit 78 if this version needs another."""
    from staffeln_cli.commands import db as command

    with exit_on_error():
        click.echo(command.current(session.runtime) or "none")
        session.runtime.unchecked_store.database.check_schema()


@db.command()
@click.option(
    "--confirm", "--yes", "confirmed", is_flag=True, help="Do it; without it, only look."
)
@format_option
@click.pass_obj
def rebind(session: Session, shape: str, *, confirmed: bool) -> None:
    """Say that the cloud now configured is the one that the database knows.

    A database belongs to one Keystone and one Cinder endpoint. Where these moved to a new address,
    look first at how much of what the database knows is found there; --confirm then rebinds it.
    In another cloud every volume and every backup would be taken for gone. Exits 3 without
    --confirm.
    """
    from staffeln_cli.commands import db as command
    from staffeln_cli.model.text import dumped

    with exit_on_error():
        found = command.rebind(session.runtime, confirmed=confirmed)
    if shape == "json":
        write(dumped(asdict(found)))
    else:
        for line in (*found.differences, found.cloud):
            click.echo(one_line(line))
        click.echo(f"volumes found there: {found.volumes_found:,} of {found.volumes:,} known")
        click.echo(f"backups found there: {found.backups_found:,} of {found.backups:,} available")
        click.echo("rebound" if found.rebound else "nothing changed; to rebind, add --confirm")
    if not found.rebound:
        sys.exit(BrakeApplied.exit_code)


@db.command("import-staffeln")
@click.argument("url")
@click.option("--dry-run", is_flag=True, help="Say what would be imported; change nothing.")
@format_option
@click.pass_obj
def import_staffeln(session: Session, url: str, shape: str, *, dry_run: bool) -> None:
    """Import the backups of Staffeln 2, whose database is at URL.

    URL is that of its configuration, mysql://user:password@host/staffeln say, or - to read it from
    the standard input, where no `ps` shows the password. Its database is only read. From then on
    retention judges these backups; look at that with `staffeln retain --dry-run`.
    """
    from staffeln_cli.commands import import_staffeln as takeover
    from staffeln_cli.model.text import dumped

    if url == "-":
        url = sys.stdin.readline().strip()
    with exit_on_error():
        done = takeover.run(session.runtime, url, dry_run=dry_run)
    if shape == "json":
        write(dumped({"dry_run": dry_run, **asdict(done)}))
        return
    for backup_id, reason in done.left_out.items():
        click.echo(f"{backup_id}  left out: {one_line(reason)}")
    word = "would import" if dry_run else "imported"
    click.echo(f"{word} {done.imported}, left out {len(done.left_out)}, had {done.known} already")


COMMANDS = (db,)
