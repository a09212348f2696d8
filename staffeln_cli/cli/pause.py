"""The commands `pause` and `resume`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from staffeln_cli.cli.listing_options import say
from staffeln_cli.cli.moment import moment
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import exit_on_error
from staffeln_cli.model.text import one_line


def _targets(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is meant."""
    for option in (
        click.option("--all", "everything", is_flag=True, help="Everything."),
        click.option(
            "--project", "projects", multiple=True, metavar="PROJECT", help="By id or name."
        ),
        _named("--server", "servers"),
        _named("--volume", "volumes"),
    ):
        command = option(command)
    return command


def _named(option: str, parameter: str) -> Callable[..., Any]:
    metavar = option.removeprefix("--").upper()
    return click.option(option, parameter, multiple=True, metavar=metavar, help="By id or name.")


@click.command()
@_targets
@click.option("--reason", required=True, help="Why; shown by status, explain and the reports.")
@click.option(
    "--until", metavar="TIME", help="When it ends by itself: a time, or a duration such as 3d."
)
@click.pass_obj
def pause(session: Session, /, reason: str, until: str | None, **targets: Any) -> None:
    """Plan no backups of a volume, a server, a project, or of anything.

    What is planned is cancelled. Backups that run, ad-hoc backups and retention go on.
    """
    from staffeln_cli.commands import pause as command
    from staffeln_cli.planning.protection.pausing import described

    request = command.PauseRequest(**_checked(targets))
    with exit_on_error():
        end = _end(session, until) if until is not None else None
        for one in command.pause(session.runtime, request, reason, end):
            say(described(one))


@click.command()
@_targets
@click.pass_obj
def resume(session: Session, /, **targets: Any) -> None:
    """Plan backups again of what was paused."""
    from staffeln_cli.commands import pause as command
    from staffeln_cli.planning.protection.pausing import described

    request = command.PauseRequest(**_checked(targets))
    with exit_on_error():
        for one in command.resume(session.runtime, request):
            say(f"{one.target}: {'resumed' if one.changed else 'was not paused'}")
            if one.still is not None:
                click.echo(one_line(f"{one.target} is not planned yet: {described(one.still)}"))


def _checked(targets: dict[str, Any]) -> dict[str, Any]:
    if not any(targets.values()):
        raise click.UsageError("Say what: --volume, --server, --project or --all.")
    return targets


def _end(session: Session, text: str) -> datetime:
    """A moment in the future, or so long from now."""
    from staffeln_cli.model import durations

    now = session.runtime.now()
    try:
        end = durations.parse(text).after(now)
    except ValueError:
        end = moment(text)
    if end <= now:
        raise click.BadParameter(f"{text!r} is not in the future", param_hint="--until")
    return end


COMMANDS = (pause, resume)
