"""What is noted on a backup record without moving it: pins, refusals, pauses."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, literal, update

from staffeln_cli.model import (
    BackupId,
    BackupRecord,
    Event,
    EventKind,
    Kind,
    Origin,
    RecordId,
    State,
)
from staffeln_cli.store import events, history
from staffeln_cli.store.database import Database
from staffeln_cli.store.queries import chunks
from staffeln_cli.tables import UtcDateTime, backup_table

_KEEPABLE = backup_table.c.state.in_((State.STARTING, State.CREATING, State.AVAILABLE))
"""There is, or soon will be, something to keep."""
_IS_AVAILABLE = backup_table.c.state == State.AVAILABLE
_IS_FAILED = backup_table.c.state == State.FAILED


class Notes:
    """The notes on the backup records of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pin(self, record: BackupRecord, moment: datetime, *, note: str | None, who: str) -> bool:
        """Have retention keep a backup; False when it is being deleted, or gone, by now."""
        pin = {"pinned": True, "pin_note": note, "pinned_by": who}
        event = _event(record, moment, EventKind.PINNED, who)._replace(reason=note)
        with self._database.write() as connection:
            if not _noted(connection, record.id, _KEEPABLE, **pin):
                return False
            events.add(connection, [event])
            return True

    def release(self, record: BackupRecord, moment: datetime, *, who: str) -> None:
        """Have retention judge it again."""
        event = _event(record, moment, EventKind.RELEASED, who)._replace(reason=record.pin_note)
        is_pinned = backup_table.c.pinned.is_(True)
        with self._database.write() as connection:
            no_pin = {"pinned": False, "pin_note": None, "pinned_by": None}
            if _noted(connection, record.id, is_pinned, **no_pin):
                events.add(connection, [event])

    def change_kind(self, record_id: RecordId, kind: Kind, chain_id: BackupId | None) -> None:
        """Another kind than planned is to be made."""
        self._note(record_id, kind=kind, chain_id=chain_id)

    def change_plan(self, record_id: RecordId, kind: Kind, chain_id: BackupId | None) -> bool:
        """Change what is planned; False when it has been started meanwhile."""
        is_planned = backup_table.c.state == State.PLANNED
        with self._database.write() as connection:
            return _noted(connection, record_id, is_planned, kind=kind, chain_id=chain_id)

    def requested(self, record_id: RecordId, kind: Kind, chain_id: BackupId | None) -> None:
        """Somebody has asked for a backup that the schedule had planned, and for this kind."""
        self._note(record_id, kind=kind, chain_id=chain_id, origin=Origin.ADHOC)

    def start_now(self, record_id: RecordId) -> None:
        """A planned backup is not to pause any longer."""
        self._note(record_id, not_before=None)

    def asked_again(self, record_id: RecordId, *, attempts: int, next_try_at: datetime) -> None:
        """A deletion is asked for once more, and then left alone until `next_try_at`."""
        again = {"delete_attempts": attempts, "next_try_at": next_try_at}
        self._note(record_id, status_reset=False, **again)

    def deletion_refused(self, record_id: RecordId, refusal: str) -> None:
        """Cinder refused a deletion; it is tried again later."""
        self._note(record_id, delete_refusal=refusal)

    def status_reset(self, record_id: RecordId, moment: datetime) -> None:
        """Cinder's status was reset so that the next pass can delete the backup."""
        self._note(record_id, status_reset=True, next_try_at=moment)

    def remains_gone(self, record_id: RecordId) -> None:
        """Cinder has nothing left of a failed backup."""
        self._note(record_id, remains=False)

    def suspect_missing(self, record_ids: Iterable[RecordId], moment: datetime) -> None:
        """Cinder has said for the first time that it does not have these backups."""
        self._note_each(record_ids, suspected_missing_at=moment)

    def not_missing(self, record_ids: Iterable[RecordId]) -> None:
        """The backups of these records are there after all."""
        self._note_each(record_ids, suspected_missing_at=None)

    def owner_answered(self, record_ids: Iterable[RecordId]) -> None:
        """Cinder has said since they were started who owned the volumes of these backups."""
        self._note_each(record_ids, ~_IS_FAILED, owner_unproven=False)

    def broken(self, record: BackupRecord, reason: str, moment: datetime) -> bool:
        """Cinder cannot restore an available backup any more; False when it is none by now."""
        values = {"broken_at": moment, "broken_reported_at": None, "reason": reason}
        is_whole = backup_table.c.broken_at.is_(None)
        with self._database.write() as connection:
            if not _noted(connection, record.id, _IS_AVAILABLE, is_whole, **values):
                return False
            history.note_lost(connection, record, literal(moment, UtcDateTime()))
            return True

    def whole(self, record: BackupRecord, moment: datetime) -> bool:
        """Cinder can restore a broken backup again, which is reported; False if it was whole."""
        values = {"broken_at": None, "reason": None, "seen_again_at": moment, "reported_at": None}
        is_broken = backup_table.c.broken_at.is_not(None)
        with self._database.write() as connection:
            if not _noted(connection, record.id, _IS_AVAILABLE, is_broken, **values):
                return False
            history.note_back(connection, record, moment)
            return True

    def _note_each(
        self, record_ids: Iterable[RecordId], *law: ColumnElement[bool], **values: Any
    ) -> None:
        for chunk in chunks(list(record_ids)):
            with self._database.write() as connection:
                these = backup_table.c.id.in_(chunk)
                connection.execute(update(backup_table).where(these, *law).values(**values))

    def _note(self, record_id: RecordId, **values: Any) -> None:
        with self._database.write() as connection:
            _noted(connection, record_id, **values)


def _noted(
    connection: Connection, record_id: RecordId, *law: ColumnElement[bool], **values: Any
) -> bool:
    of_record = backup_table.c.id == record_id
    noted = connection.execute(update(backup_table).where(of_record, *law).values(**values))
    return noted.rowcount == 1


def _event(record: BackupRecord, moment: datetime, kind: EventKind, who: str) -> Event:
    return Event(moment, kind, who, record.name, record.project_id, record.volume_id)
