"""The commands `collect`, `backup`, `check`, `retain` and `run`."""

import click

from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import dry_run_option, finish, finish_all, format_option


@click.command()
@dry_run_option
@click.option(
    "--confirm",
    is_flag=True,
    help="Accept that very many things are gone, or not protected any more, at once.",
)
@format_option
@click.pass_obj
def collect(session: Session, dry_run: bool, confirm: bool, shape: str) -> None:
    """Read the whole cloud and plan the backups that are due."""
    from staffeln_cli.commands import collect as command

    finish(
        session,
        "collect",
        shape,
        lambda: command.run(session.runtime, dry_run=dry_run, confirmed=confirm),
    )


@click.command()
@dry_run_option
@click.option("--confirm", is_flag=True, help="Accept that very many backups are missing at once.")
@format_option
@click.pass_obj
def check(session: Session, dry_run: bool, confirm: bool, shape: str) -> None:
    """Follow running backups and deletions to their end."""
    from staffeln_cli.commands import check as command

    finish(
        session,
        "check",
        shape,
        lambda: command.run(session.runtime, dry_run=dry_run, confirmed=confirm),
    )


@click.command()
@click.option(
    "--volume",
    "volumes",
    multiple=True,
    metavar="VOLUME",
    help="Back up this volume now (id or name).",
)
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="SERVER",
    help="Back up this server's volumes now (id or name).",
)
@click.option("--full", "kind", flag_value="full", help="Start a new chain.")
@click.option("--incremental", "kind", flag_value="incremental", help="Continue the last chain.")
@click.option("--wait", is_flag=True, help="Wait until the backups have ended.")
@dry_run_option
@format_option
@click.pass_obj
def backup(  # noqa: PLR0913, PLR0917 - one parameter for each option
    session: Session,
    volumes: tuple[str, ...],
    servers: tuple[str, ...],
    kind: str | None,
    wait: bool,
    dry_run: bool,
    shape: str,
) -> None:
    """Start planned backups, within the limits; or back up chosen volumes now."""
    from staffeln_cli.commands import backup as command
    from staffeln_cli.commands import backup_now
    from staffeln_cli.model import Kind

    if not (volumes or servers):
        if kind or wait:
            raise click.UsageError("--full, --incremental and --wait need --volume or --server.")
        finish(session, "backup", shape, lambda: command.run(session.runtime, dry_run=dry_run))
    wish = backup_now.BackupRequest(volumes, servers, Kind(kind) if kind else None, wait)
    finish(
        session, "backup", shape, lambda: backup_now.run(session.runtime, wish, dry_run=dry_run)
    )


@click.command()
@dry_run_option
@click.option(
    "--confirm", is_flag=True, help="Proceed even if unusually many backups would be deleted."
)
@format_option
@click.pass_obj
def retain(session: Session, dry_run: bool, confirm: bool, shape: str) -> None:
    """Delete the backups that retention no longer keeps."""
    from staffeln_cli.commands import retain as command

    finish(
        session,
        "retain",
        shape,
        lambda: command.run(session.runtime, dry_run=dry_run, confirmed=confirm),
    )


@click.command()
@dry_run_option
@format_option
@click.pass_obj
def run(session: Session, dry_run: bool, shape: str) -> None:
    """Do all five passes: collect, backup, check, retain and report."""
    from staffeln_cli.commands import run as command

    finish_all(session, shape, command.passes(lambda: session.runtime, dry_run=dry_run))


COMMANDS = (run, collect, backup, check, retain)
