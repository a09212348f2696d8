"""The command that gives reasons."""

import click

from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import foreseen


@click.command()
@click.argument("volume")
@click.option("--offline", is_flag=True, help="Ask only the database, not Cinder.")
@click.option(
    "-f",
    "--format",
    "shape",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How to print it.",
)
@click.pass_obj
def explain(session: Session, volume: str, offline: bool, shape: str) -> None:
    """Say why VOLUME (id or name) is or is not backed up, and what becomes of its backups."""
    from staffeln_cli.commands import explain as command

    with foreseen():
        explained = command.run(session.runtime, volume, offline=offline)
    from staffeln_cli.render import explanation
    from staffeln_cli.render.text import dumped

    if shape == "json":
        click.echo(dumped(explanation.as_json(explained)))
    else:
        explanation.show(explained, session.runtime.now())


COMMANDS = (explain,)
