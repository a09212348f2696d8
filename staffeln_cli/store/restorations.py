"""Restorations: what is wanted is written before it is asked for, and then what came of it."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from staffeln_cli.model.restorations import (
    Part,
    Restoration,
    RestorationId,
    RestorationState,
)
from staffeln_cli.store.database import Database, as_row
from staffeln_cli.store.queries import chunks
from staffeln_cli.tables import restoration_part_table, restoration_table

_COLUMNS = tuple(restoration_table.c[part.name] for part in fields(Restoration))
_PART_COLUMNS = tuple(restoration_part_table.c[name] for name in Part._fields)


class Restorations:
    """The restorations of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, restoration: Restoration, parts: Sequence[Part]) -> None:
        """Write what is wanted; the database allows one that is under way for each item."""
        with self._database.write() as connection:
            connection.execute(insert(restoration_table), as_row(restoration))
            connection.execute(insert(restoration_part_table), [part._asdict() for part in parts])

    def newest(self, item_id: str) -> Restoration | None:
        """The last one of a server or volume that was not dropped."""
        query = (
            select(*_COLUMNS)
            .where(
                restoration_table.c.item_id == item_id,
                restoration_table.c.state != RestorationState.DROPPED,
            )
            .order_by(restoration_table.c.begun_at.desc(), restoration_table.c.state)
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Restoration(**row._mapping)

    def parts(self, restoration_id: RestorationId) -> list[Part]:
        """What is made for a restoration, in order."""
        query = (
            select(*_PART_COLUMNS)
            .where(restoration_part_table.c.restoration_id == restoration_id)
            .order_by(restoration_part_table.c.number)
        )
        with self._database.read() as connection:
            return [Part._make(row) for row in connection.execute(query)]

    def note_requested(self, part: Part, moment: datetime) -> None:
        """The request for a part is about to leave."""
        self._note(part, requested_at=moment)

    def note_made(self, part: Part, made_id: str, difference: str | None = None) -> None:
        """A part is there, or on its way."""
        self._note(part, made_id=made_id, difference=difference)

    def renew(self, part: Part, name: str) -> None:
        """What was made is gone or cannot be used: another one is to be made, of this name."""
        self._note(part, name=name, requested_at=None, made_id=None, difference=None)

    def end(self, restoration: Restoration, state: RestorationState, moment: datetime) -> None:
        """The restoration is over."""
        with self._database.write() as connection:
            connection.execute(
                update(restoration_table)
                .where(restoration_table.c.id == restoration.id)
                .values(state=state, ended_at=moment)
            )

    def forget(self, before: datetime) -> None:
        """Remove restorations that ended before this; those under way stay."""
        ended = select(restoration_table.c.id).where(restoration_table.c.ended_at < before)
        with self._database.write() as connection:
            ids = connection.execute(ended).scalars().all()
            for chunk in chunks(ids):
                parts = restoration_part_table.c.restoration_id.in_(chunk)
                connection.execute(delete(restoration_part_table).where(parts))
                of_them = restoration_table.c.id.in_(chunk)
                connection.execute(delete(restoration_table).where(of_them))

    def _note(self, part: Part, **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(
                update(restoration_part_table)
                .where(
                    restoration_part_table.c.restoration_id == part.restoration_id,
                    restoration_part_table.c.number == part.number,
                )
                .values(**values)
            )
