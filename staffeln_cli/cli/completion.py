"""Completion of names and ids in the shell: from the database, never from the cloud."""

from collections.abc import Iterator

import click
from click.shell_completion import CompletionItem

from staffeln_cli.errors import ConfigError

NAMED = ("volume", "server", "project", "backup")
"""What parameters of all commands name; they are called so, or by the plural."""


class Named(click.ParamType[str]):
    """A text that names something; the shell completes it."""

    name = "text"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """What may be meant; nothing where the configuration cannot be read."""
        from staffeln_cli.completion import NameKind, candidates

        found = candidates(_database_url(ctx), NameKind(self.kind), incomplete)
        return [CompletionItem(each.text, help=each.name) for each in found]


def complete_names(command: click.Command) -> None:
    """Have the shell complete every parameter, here and below, that names something."""
    for parameter in _parameters(command):
        kind = (parameter.name or "").removesuffix("s")
        if kind in NAMED and parameter.type is click.STRING:
            parameter.type = Named(kind)


def _parameters(command: click.Command) -> Iterator[click.Parameter]:
    yield from command.params
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from _parameters(each)


def _database_url(ctx: click.Context) -> str:
    from staffeln_cli.config import find_file, load

    root = ctx.find_root()
    environ = root.obj.environ
    try:
        loaded = load(find_file(root.params.get("config"), environ), environ)
    except ConfigError:
        return "sqlite:"
    return loaded.settings.database.url
