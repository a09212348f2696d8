"""What is paused."""

from datetime import datetime

from sqlalchemy import delete, select

from staffeln_cli.model import Event, EventKind, ProjectId, VolumeId
from staffeln_cli.model.pauses import Pause, PauseScope
from staffeln_cli.planning.protection.pausing import Pauses
from staffeln_cli.store import events
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
            events.add(connection, [_event(pause, EventKind.PAUSED)])

    def resume(self, ended: Pause) -> bool:
        """End a pause; False where there is none. `since` and `paused_by` say when, and who."""
        law = pause_table.c.scope == ended.scope.value, pause_table.c.item_id == ended.item_id
        with self._database.write() as connection:
            if connection.execute(delete(pause_table).where(*law)).rowcount != 1:
                return False
            events.add(connection, [_event(ended, EventKind.RESUMED)])
            return True

    def forget_ended(self, now: datetime) -> None:
        """Remove the pauses whose end has passed."""
        with self._database.write() as connection:
            connection.execute(delete(pause_table).where(pause_table.c.until <= now))


def _event(pause: Pause, kind: EventKind) -> Event:
    event = Event(pause.since, kind, pause.paused_by, pause.target, reason=pause.reason)
    if pause.scope is PauseScope.VOLUME:
        return event._replace(volume_id=VolumeId(pause.item_id))
    if pause.scope is PauseScope.PROJECT:
        return event._replace(project_id=ProjectId(pause.item_id))
    return event
