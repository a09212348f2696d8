"""What passes have observed and people have confirmed, of the cloud as a whole."""

import secrets
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import select, update

from staffeln_cli.model import Event, EventKind
from staffeln_cli.store import events
from staffeln_cli.store.database import Database
from staffeln_cli.tables import cloud_table

_CONFIRMED = {
    "collect": cloud_table.c.collect_confirmed_at,
    "check": cloud_table.c.check_confirmed_at,
}


class Marked(NamedTuple):
    """What the last complete listing showed of marked backups that no live record accounts for."""

    untracked: int = 0
    """They bear the mark of this installation, or of Staffeln 3.0, which named none."""
    foreign: int = 0
    """They bear the mark of another installation."""
    counted_at: datetime | None = None


class Observations:
    """The observations of one database; there are none before its first pass."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._installation_id = ""

    def installation_id(self) -> str:
        """The random id of this installation, which all its backups bear; "" before a pass."""
        if not self._installation_id:
            with self._database.read() as connection:
                known = connection.execute(select(cloud_table.c.installation_id))
                self._installation_id = known.scalar_one_or_none() or ""
        return self._installation_id

    def create_installation_id(self) -> None:
        """Give this installation its id, if it has none yet."""
        if self.installation_id():
            return
        with self._database.write() as connection:
            new = update(cloud_table).where(cloud_table.c.installation_id.is_(None))
            connection.execute(new.values(installation_id=secrets.token_hex(8)))

    def confirmed_at(self, command: Literal["collect", "check"]) -> datetime | None:
        """When somebody last ran a command with --confirm."""
        with self._database.read() as connection:
            return connection.execute(select(_CONFIRMED[command])).scalar_one_or_none()

    def note_confirmed(
        self, command: str, moment: datetime, *, who: str, reason: str | None = None
    ) -> None:
        """Somebody has let a command go on with --confirm.

        For `collect` and `check`: they accept what is suspected by now, however much that is.
        """
        what = f"staffeln {command} --confirm"
        event = Event(moment, EventKind.CONFIRMED, who, what, reason=reason)
        with self._database.write() as connection:
            if command in _CONFIRMED:
                connection.execute(update(cloud_table).values({_CONFIRMED[command]: moment}))
            events.add(connection, [event])

    def marked(self) -> Marked:
        """What the last complete listing showed of marked backups without a record."""
        columns = (
            cloud_table.c.untracked,
            cloud_table.c.foreign_marked,
            cloud_table.c.untracked_at,
        )
        with self._database.read() as connection:
            row = connection.execute(select(*columns)).one_or_none()
        return Marked(*row) if row is not None else Marked()

    def note_marked(self, marked: Marked) -> None:
        """Remember what a complete listing has just shown."""
        values = {
            cloud_table.c.untracked: marked.untracked,
            cloud_table.c.foreign_marked: marked.foreign,
            cloud_table.c.untracked_at: marked.counted_at,
        }
        with self._database.write() as connection:
            connection.execute(update(cloud_table).values(values))
