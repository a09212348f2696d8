"""The command group `config`."""

from pathlib import Path

import click

from staffeln_cli.cli.listing_options import safe_output, say, write
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import exit_on_error


@click.group()
def config() -> None:
    """Write an example configuration, check the current one, or take over an old one."""


@config.command()
@click.option(
    "--output",
    metavar="FILE",
    help="Where to write it; - is stdout. Without it, --config, else staffeln.toml here.",
)
@click.pass_obj
def init(session: Session, output: str | None) -> None:
    """Write a commented example with every key; never overwrite a file.

    Only its owner can read it; written by root, also the group staffeln, if there is one.
    """
    from staffeln_cli.commands import config as command

    if output == "-":
        click.echo(command.text(), nl=False)
        return
    path = Path(output) if output else session.config or Path("staffeln.toml")
    try:
        readers = command.init(path)
    except OSError as error:
        raise click.UsageError(f"{path}: cannot be written: {error.strerror}") from error
    say(f"wrote {path}: {readers}; see what is in force with: staffeln config check")


@config.command("check")
@click.option(
    "-f",
    "--format",
    "shape",
    type=click.Choice(["table", "json"]),
    default="table",
    help="Output format.",
)
@click.pass_obj
def config_check(session: Session, shape: str) -> None:
    """Show every key, its value, and where the value came from.

    Exits 78 with all mistakes at once if there are any. Passwords are not shown.
    """
    from staffeln_cli.commands import config as command

    with exit_on_error():
        rows = command.check(session.loaded)
    if shape == "json":
        from staffeln_cli.model.text import dumped

        write(dumped(command.as_json(session.loaded, rows)))
        return
    from staffeln_cli.render import keys

    safe_output()
    keys.show_keys(session.loaded.file, [(row.key, row.value, row.source) for row in rows])


@config.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def config_import(file: Path) -> None:
    """Write our configuration from FILE, the staffeln.conf of Staffeln 2, to stdout.

    Each value has a comment that says where it came from. What is not carried over is listed at
    the end with what to do instead. Passwords are not copied. Exits 78 with all values that are
    not understood.
    """
    from staffeln_cli.commands import import_config as command

    with exit_on_error():
        text = command.run(file)
    click.echo(text, nl=False)


@config.command("metadefs")
@click.option(
    "--choice",
    "choices",
    multiple=True,
    metavar="DURATION",
    help="Offer this retention beside the configured policies; repeatable.",
)
@click.pass_obj
def metadefs(session: Session, choices: tuple[str, ...]) -> None:
    """Print the keys of servers and volumes as metadata definitions for dashboards.

    Glance imports the JSON (glance md-namespace-import); Horizon and Skyline then offer the keys,
    with the policies of retention.policies as choices. Without policies and --choice, any duration
    can be typed.
    """
    from staffeln_cli.commands import metadefs as command

    with exit_on_error():
        settings = session.loaded.settings
    try:
        write(command.text(settings, choices))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--choice") from error


COMMANDS = (config,)
