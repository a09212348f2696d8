"""The command `explain`."""

import click

from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import exit_on_error, format_option


@click.command()
@click.argument("volume")
@click.option("--offline", is_flag=True, help="Read only the database; do not ask Cinder.")
@format_option
@click.pass_obj
def explain(session: Session, volume: str, offline: bool, shape: str) -> None:
    """Explain why VOLUME (id or name) is or is not backed up, and what happens to its backups."""
    from staffeln_cli.commands import explain as command

    with exit_on_error():
        explained = command.run(session.runtime, volume, offline=offline)
    from staffeln_cli.model.text import dumped
    from staffeln_cli.render import explanation, explanation_json

    if shape == "json":
        click.echo(dumped(explanation_json.as_json(explained)))
    else:
        explanation.show(explained, session.runtime.now())
