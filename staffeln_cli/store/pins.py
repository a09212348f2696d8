"""Pins: the backups that somebody wants kept, whatever retention says."""

from sqlalchemy import or_, select, update

from staffeln_cli.model import BackupRecord, RecordId, State
from staffeln_cli.store.backups import Backups
from staffeln_cli.store.database import Database
from staffeln_cli.tables import BackupRow

KEEPABLE = (State.STARTING, State.CREATING, State.AVAILABLE)
"""States in which there is, or soon will be, something to keep."""


class Pins:
    """The pins of one database."""

    def __init__(self, database: Database, backups: Backups) -> None:
        self._database = database
        self._backups = backups

    def find(self, name: str) -> BackupRecord | None:
        """The record of this id, of this backup in Cinder, or of this name; all are unique."""
        named = or_(BackupRow.id == name, BackupRow.backup_id == name, BackupRow.name == name)
        with self._database.read() as connection:
            ids = connection.execute(select(BackupRow.id).where(named)).scalars().all()
        return next(iter(self._backups.by_ids(ids)), None)

    def put(self, record_id: RecordId, *, note: str | None, who: str) -> bool:
        """Pin a backup; False when it is on its way out, or gone, by now."""
        with self._database.write() as connection:
            pinned = connection.execute(
                update(BackupRow)
                .where(BackupRow.id == record_id, BackupRow.state.in_(KEEPABLE))
                .values(pinned=True, pin_note=note, pinned_by=who)
            )
            return pinned.rowcount == 1

    def take_off(self, record_id: RecordId) -> None:
        """Let retention judge it again."""
        with self._database.write() as connection:
            connection.execute(
                update(BackupRow)
                .where(BackupRow.id == record_id)
                .values(pinned=False, pin_note=None, pinned_by=None)
            )
