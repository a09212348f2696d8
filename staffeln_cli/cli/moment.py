"""Moments as they are typed on the command line."""

from datetime import UTC, datetime

import click


def moment(text: str) -> datetime:
    """A moment in ISO 8601; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a time; use 2026-11-22 or 2026-11-22T22:00+01:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
