"""Let chats, webhooks and dead man's switches hear of an invocation's beginning and end."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from staffeln_cli.cli.session import Session
from staffeln_cli.errors import StaffelnError
from staffeln_cli.model import Outcome


@contextmanager
def heard(session: Session, command: str) -> Iterator[list[Outcome]]:
    """Tell before and after; the caller puts the outcomes in the list. A dry run is no news.

    Once for an invocation, however many passes it has. What a notifier does never fails the run.
    """
    outcomes: list[Outcome] = []
    try:
        settings = session.loaded.settings.notify
    except StaffelnError:
        yield outcomes  # the configuration is wrong: nobody to tell is known
        return
    if not settings.urls or click.get_current_context().params.get("dry_run"):
        yield outcomes
        return
    from staffeln_cli import notify

    notify.begun(settings, command)
    try:
        yield outcomes
    finally:
        notify.ended(settings, command, outcomes)
