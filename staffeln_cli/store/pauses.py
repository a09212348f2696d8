"""What is paused."""

from datetime import datetime

from sqlalchemy import delete, select

from staffeln_cli.model.pauses import Pause, PauseScope
from staffeln_cli.planning.protection.pausing import Pauses
from staffeln_cli.store.database import Database, upsert
from staffeln_cli.tables import pause_table

_COLUMNS = tuple(pause_table.c[name] for name in Pause._fields)


class StoredPauses:
    """The pauses of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def held(self, now: datetime) -> Pauses:
        """Those that hold now."""
        query = select(*_COLUMNS).order_by(
            pause_table.c.since, pause_table.c.scope, pause_table.c.item_id
        )
        with self._database.read() as connection:
            rows = [Pause(PauseScope(row[0]), *row[1:]) for row in connection.execute(query)]
        return Pauses(rows, now)

    def save(self, pause: Pause) -> None:
        """Pause, or change reason and end of what is paused already."""
        with self._database.write() as connection:
            row = upsert(connection, pause_table).values(pause._asdict())
            connection.execute(
                row.on_conflict_do_update(
                    index_elements=[pause_table.c.scope, pause_table.c.item_id],
                    set_={name: row.excluded[name] for name in Pause._fields[2:]},
                )
            )

    def remove(self, scope: PauseScope, item_id: str) -> bool:
        """End a pause; False where there is none."""
        law = pause_table.c.scope == scope.value, pause_table.c.item_id == item_id
        with self._database.write() as connection:
            return connection.execute(delete(pause_table).where(*law)).rowcount == 1

    def forget_ended(self, now: datetime) -> None:
        """Remove the pauses whose end has passed."""
        with self._database.write() as connection:
            connection.execute(delete(pause_table).where(pause_table.c.until <= now))
