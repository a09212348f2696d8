"""The command `verify`."""

from typing import Any

import click

from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import dry_run_option, finish, format_option


@click.command()
@click.option(
    "--volume", "volumes", multiple=True, metavar="NAME|ID", help="Prove this volume's backup."
)
@click.option(
    "--server", "servers", multiple=True, metavar="NAME|ID", help="Prove this server's volumes."
)
@click.option(
    "--project", "projects", multiple=True, metavar="NAME|ID", help="Prove this project's volumes."
)
@click.option("--backup", "backups", multiple=True, metavar="NAME|ID", help="Prove this backup.")
@click.option(
    "--count",
    type=click.IntRange(1),
    metavar="N",
    help="Begin at most N drills; without a choice of volumes, verify.count.",
)
@dry_run_option
@format_option
@click.pass_obj
def verify(session: Session, /, dry_run: bool, shape: str, **choice: Any) -> None:
    """Prove that backups can be restored: restore some on trial, check and remove them.

    Each backup is restored to a scratch volume in Staffeln's own project, on its quota; volumes
    and quotas of tenants stay as they are. With verify.boot, bootable volumes are also booted,
    without any network. Without options, the protected volumes whose proof is
    oldest are chosen, within the bounds of the section [verify] of the configuration.
    """
    from staffeln_cli.commands import verify as command

    request = command.VerifyRequest(**choice)
    finish(
        session, "verify", shape, lambda: command.run(session.runtime, request, dry_run=dry_run)
    )


COMMANDS = (verify,)
