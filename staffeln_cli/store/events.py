"""Events: added in the transaction of what happened, and read for auditors."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select

from staffeln_cli.model.events import Event, EventKind
from staffeln_cli.store.database import Database
from staffeln_cli.tables import event_table

_COLUMNS = tuple(event_table.c[name] for name in Event._fields)


class Events:
    """The events of one database. They stay, whatever becomes of the backups."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, since: datetime, until: datetime) -> list[Event]:
        """What happened after a moment and up to another, oldest first."""
        query = (
            select(*_COLUMNS)
            .where(event_table.c.at > since, event_table.c.at <= until)
            .order_by(event_table.c.at, event_table.c.item, event_table.c.id)
        )
        with self._database.read() as connection:
            return [Event(*row) for row in connection.execute(query)]

    def note_terms(self, terms: Mapping[str, str], moment: datetime, *, who: str) -> None:
        """Keep what the configuration says, key by key, where it differs from before."""
        with self._database.read() as connection:
            known = _terms(connection)
        names = sorted(terms.keys() | {name for name, value in known.items() if value})
        changed = [name for name in names if terms.get(name) != known.get(name)]
        if not changed:
            return
        with self._database.write() as connection:
            add(
                connection,
                [
                    Event(
                        *(moment, EventKind.POLICY, who, name),
                        before=known.get(name),
                        after=terms.get(name),
                    )
                    for name in changed
                ],
            )


def add(connection: Connection, events: Iterable[Event]) -> None:
    """Add events in the transaction of what happened."""
    rows = [{"id": secrets.token_hex(8), **event._asdict()} for event in events]
    if rows:
        connection.execute(insert(event_table), rows)


def _terms(connection: Connection) -> dict[str, str | None]:
    """What the configuration said last, by key."""
    query = (
        select(event_table.c.item, event_table.c.after)
        .where(event_table.c.kind == EventKind.POLICY, event_table.c.project_id.is_(None))
        .order_by(event_table.c.at, event_table.c.id)
    )
    return {item: after for item, after in connection.execute(query)}  # noqa: C416 - rows
