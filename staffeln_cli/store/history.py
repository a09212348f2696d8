"""How each volume's backups went: kept with the volume, in the transaction of every move."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    ScalarSelect,
    func,
    literal,
    or_,
    select,
    update,
)

from staffeln_cli.model import BackupRecord, ExportCandidate, RecordBrief, State
from staffeln_cli.planning.chains.broken import newest_start, restorable_by_records
from staffeln_cli.planning.evidence import CLOCK_TOLERANCE
from staffeln_cli.store.durations import learn
from staffeln_cli.tables import UtcDateTime, backup_table, volume_table

OfVolume = BackupRecord | ExportCandidate
"""What names a volume and the project that owned it."""
_BRIEF = tuple(backup_table.c[name] for name in RecordBrief._fields)


def note(
    connection: Connection, record: BackupRecord, new: State, now: Callable[[], datetime]
) -> None:
    """Keep what a record's move to a new state says about its volume; the row has moved."""
    if new is State.CREATING:
        is_news = _is_newer(volume_table.c.last_started_at, record.started_at, now())
        _update(connection, record, is_news, last_started_at=record.started_at)
    elif new is State.AVAILABLE and record.state is State.MISSING:
        note_back(connection, record, now())
    elif new is State.AVAILABLE:
        _note_success(connection, record, now())
    elif new is State.FAILED:
        _update(
            connection,
            record,
            last_failed_at=_ended_at(record),
            failures=volume_table.c.failures + 1,
        )
    elif new is State.MISSING:
        note_lost(connection, record, _ended_at(record))


def note_lost(connection: Connection, record: OfVolume, moment: ColumnElement[Any]) -> None:
    """A backup is missing or broken since a moment: find out what is left to restore from."""
    newest = newest_start(restorable(connection, record))
    since = func.coalesce(volume_table.c.unrestorable_since, moment) if newest is None else None
    _update(connection, record, last_success_at=newest, unrestorable_since=since)


def note_back(connection: Connection, record: OfVolume, now: datetime) -> None:
    """A missing or broken backup can be restored again, and with it what depends on it."""
    newest = newest_start(restorable(connection, record))
    if newest is None:
        return
    is_news = _is_newer(volume_table.c.last_success_at, newest, now)
    _update(connection, record, is_news, last_success_at=newest)
    _update(connection, record, unrestorable_since=None)


def restorable(connection: Connection, record: OfVolume) -> list[RecordBrief]:
    """What the record's volume can be restored from in its project, by our records.

    Until this transaction ends, no other one that asks the same sees anything else.
    """
    owned = volume_table.c.volume_id == record.volume_id
    connection.execute(select(volume_table.c.volume_id).where(owned).with_for_update())
    of_volume = (
        backup_table.c.volume_id == record.volume_id,
        backup_table.c.project_id == record.project_id,
        backup_table.c.backup_id.is_not(None),
    )
    rows = connection.execute(select(*_BRIEF).where(*of_volume))
    return restorable_by_records([RecordBrief(*row) for row in rows])


@contextmanager
def parent_noted(connection: Connection, record: OfVolume, moment: datetime) -> Iterator[None]:
    """Within, it becomes known what a backup depends on: whether it can be restored may change.

    Every transaction locks a backup's record before its volume, or two wait for each other.
    """
    this = backup_table.c.backup_id == record.backup_id
    connection.execute(select(backup_table.c.id).where(this).with_for_update())
    before = restorable(connection, record)
    yield
    after = restorable(connection, record)
    if len(after) < len(before):
        note_lost(connection, record, literal(moment, UtcDateTime()))
    elif len(after) > len(before):
        note_back(connection, record, moment)


def _note_success(connection: Connection, record: BackupRecord, now: datetime) -> None:
    """A backup was made; of a chain that is broken below it, nothing can be restored."""
    is_news = _is_newer(volume_table.c.last_success_at, record.started_at, now)
    _update(connection, record, is_news, failures=0)
    if record.backup_id in {one.backup_id for one in restorable(connection, record)}:
        _update(connection, record, is_news, last_success_at=record.started_at)
        _update(connection, record, unrestorable_since=None)
    if record.state is State.CREATING:
        learn(connection, record)


def _ended_at(record: BackupRecord) -> ScalarSelect[datetime]:
    ended = func.coalesce(
        backup_table.c.deleted_at, backup_table.c.finished_at, backup_table.c.planned_at
    )
    return select(ended).where(backup_table.c.id == record.id).scalar_subquery()


def _is_newer(
    known: Column[datetime | None],
    moment: datetime | None,
    now: datetime,
) -> Any:
    """An older backup that is found late is no news about the volume; a future one is no fact."""
    is_first = or_(known.is_(None), known > now + CLOCK_TOLERANCE)
    return or_(is_first, known <= moment) if moment is not None else is_first


def _update(
    connection: Connection, record: OfVolume, *law: ColumnElement[bool], **values: Any
) -> None:
    # What ends in the project of a former owner says nothing about the volume's present one.
    owned = (
        volume_table.c.volume_id == record.volume_id,
        volume_table.c.project_id == record.project_id,
    )
    connection.execute(update(volume_table).where(*owned, *law).values(**values))
