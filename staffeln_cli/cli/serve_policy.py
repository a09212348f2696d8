"""The command `serve-policy`."""

import sys
from pathlib import Path

import click

from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import exit_on_error


@click.command("serve-policy")
@click.option("--host", metavar="ADDRESS", help="Listen here instead of policy.host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of policy.port.")
@click.option(
    "--unix-socket", type=click.Path(path_type=Path), help="Listen on this socket instead."
)
@click.pass_obj
def serve_policy(
    session: Session, host: str | None, port: int | None, unix_socket: Path | None
) -> None:
    """Answer Cinder's policy engine, so that tenants cannot delete automatic backups.

    Runs until SIGTERM or SIGINT; then it finishes the answers in hand.
    """
    from staffeln_cli.commands import serve_policy as command

    def listening(address: str) -> None:
        if sys.stdout.isatty():
            click.echo(f"listening on {address}")

    with exit_on_error():
        command.run(
            session.runtime, host=host, port=port, unix_socket=unix_socket, listening=listening
        )
        session.runtime.stop.check()


COMMANDS = (serve_policy,)
