"""All commands of the command line, found by walking its tree."""

from collections.abc import Iterator

import click

from staffeln_cli.cli import staffeln

Path = tuple[str, ...]


def all_commands() -> Iterator[tuple[Path, click.Command]]:
    """Every group and command with its path, in the order in which the help lists them."""
    yield from _below((), click.Context(staffeln, info_name="staffeln"))


def _below(path: Path, context: click.Context) -> Iterator[tuple[Path, click.Command]]:
    command = context.command
    yield path, command
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None, f"{name} is listed but does not exist"
        yield from _below((*path, name), click.Context(child, info_name=name, parent=context))
