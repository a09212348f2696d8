"""The command group `catalog`."""

from pathlib import Path

import click

from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import dry_run_option, finish, format_option

_FILE = click.Path(path_type=Path)


@click.group()
def catalog() -> None:
    """Save, check and import what brings backups back after a database is lost."""


@catalog.command()
@click.argument("target", type=_FILE, metavar="FILE|DIR")
@format_option
@click.pass_obj
def save(session: Session, target: Path, shape: str) -> None:
    """Write a catalog to FILE, or to a new file in DIR.

    It has everything that Staffeln knows and the export record of each backup. With it, Cinder
    knows the backups again whose rows it has lost, and an empty database of Staffeln is as it was.
    """
    from staffeln_cli.commands.catalog import save as command

    finish(session, "catalog save", shape, lambda: command.run(session.runtime, target))


@catalog.command()
@click.argument("file", type=_FILE, metavar="FILE")
@format_option
@click.pass_obj
def check(session: Session, file: Path, shape: str) -> None:
    """Prove that a catalog is whole, unchanged and complete; no cloud and no database is needed.

    Exits 3 and names the first line that does not fit (from 1) if it is not.
    """
    from staffeln_cli.commands.catalog import check as command

    finish(session, "catalog check", shape, lambda: command.run(session.runtime, file))


@catalog.command("import")
@click.argument("file", type=_FILE, metavar="FILE")
@click.option("--project", metavar="PROJECT", help="Only the backups of this project.")
@click.option(
    "--state", is_flag=True, help="Fill an empty database of Staffeln from the file first."
)
@dry_run_option
@format_option
@click.pass_obj
def import_(  # noqa: PLR0913, PLR0917 - one parameter for each option
    session: Session, file: Path, project: str | None, state: bool, dry_run: bool, shape: str
) -> None:
    """Have Cinder know the backups in FILE again that it has lost.

    What is there already is left alone, so that this can be repeated. A project is blocked until
    the login has the role of an admin there; the command that grants it is shown.
    """
    from staffeln_cli.commands.catalog import import_records as command

    finish(
        session,
        "catalog import",
        shape,
        lambda: command.run(session.runtime, file, project=project, dry_run=dry_run, state=state),
    )


@catalog.command()
@click.argument("target", type=_FILE, metavar="FILE")
@click.option("--store", type=_FILE, required=True, metavar="DIR", help="Where the backups are.")
@click.option("--zone", help="Zone of the backup host; without it, that of each volume.")
@click.option("--driver", metavar="CLASS", help="The backup driver; without it, the posix driver.")
@format_option
@click.pass_obj
def rebuild(  # noqa: PLR0913, PLR0917 - one parameter for each option
    session: Session, target: Path, store: Path, zone: str | None, driver: str | None, shape: str
) -> None:
    """Make a catalog from the backup store alone, where none was saved; write it to FILE.

    For the posix and NFS drivers of Cinder. The store is only read. The metadata of backups is not
    in it, so that imported backups lack Staffeln's mark.
    """
    from staffeln_cli.commands.catalog import rebuild as command

    where = command.Store(store, driver or command.DRIVER, zone)
    finish(session, "catalog rebuild", shape, lambda: command.run(session.runtime, where, target))


COMMANDS = (catalog,)
