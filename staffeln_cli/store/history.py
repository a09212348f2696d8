"""How each volume's backups went: kept with the volume, in the transaction of every move."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    ScalarSelect,
    case,
    func,
    or_,
    select,
    update,
)

from staffeln_cli.model import BackupRecord, State
from staffeln_cli.planning.evidence import CLOCK_TOLERANCE
from staffeln_cli.store.durations import learn
from staffeln_cli.tables import UtcDateTime, backup_table, volume_table


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


def note_lost(connection: Connection, record: BackupRecord, moment: ColumnElement[Any]) -> None:
    """A backup is missing or broken since a moment: find out what is left to restore from."""
    newest = _newest_restorable(record)
    since = case((newest.is_(None), func.coalesce(volume_table.c.unrestorable_since, moment)))
    _update(connection, record, last_success_at=newest, unrestorable_since=since)


def note_back(connection: Connection, record: BackupRecord, now: datetime) -> None:
    """A missing or broken backup can be restored again, and with it what depends on it."""
    newest = _newest_restorable(record)
    is_news = _is_newer(volume_table.c.last_success_at, newest, now)
    _update(connection, record, newest.is_not(None), is_news, last_success_at=newest)
    _update(connection, record, newest.is_not(None), unrestorable_since=None)


def _note_success(connection: Connection, record: BackupRecord, now: datetime) -> None:
    """A backup was made; of a chain that is broken below it, nothing can be restored."""
    is_news = _is_newer(volume_table.c.last_success_at, record.started_at, now)
    this = select(backup_table.c.id).where(backup_table.c.id == record.id)
    is_restorable = this.where(*_is_restorable(record)).exists()
    _update(connection, record, is_news, failures=0)
    _update(connection, record, is_news, is_restorable, last_success_at=record.started_at)
    _update(connection, record, is_restorable, unrestorable_since=None)
    if record.state is State.CREATING:
        learn(connection, record)


def _ended_at(record: BackupRecord) -> ScalarSelect[datetime]:
    ended = func.coalesce(
        backup_table.c.deleted_at, backup_table.c.finished_at, backup_table.c.planned_at
    )
    return select(ended).where(backup_table.c.id == record.id).scalar_subquery()


def _newest_restorable(record: BackupRecord) -> ScalarSelect[datetime | None]:
    """When the newest backup of the volume started that it can still be restored from."""
    newest = select(func.max(backup_table.c.started_at)).where(*_is_restorable(record))
    return newest.scalar_subquery()


def _is_restorable(record: BackupRecord) -> tuple[ColumnElement[bool], ...]:
    """What is true of the backups that the record's volume can be restored from in its project.

    Of a chain, what was created on its missing and broken members does not count. Cinder chooses
    no parent that it lacks: what was created after one was first missed is not created on it.
    """
    lost = backup_table.alias()
    missed_at = func.coalesce(
        lost.c.broken_at, lost.c.suspected_missing_at, lost.c.deleted_at, type_=UtcDateTime()
    )
    is_cut_off = (
        select(lost.c.id)
        .where(
            lost.c.volume_id == record.volume_id,
            lost.c.project_id == record.project_id,
            or_(lost.c.state == State.MISSING, lost.c.broken_at.is_not(None)),
            lost.c.state.in_([State.AVAILABLE, State.MISSING]),
            lost.c.chain_id == backup_table.c.chain_id,
            lost.c.started_at < backup_table.c.started_at,
            or_(missed_at.is_(None), backup_table.c.started_at < missed_at),
        )
        .exists()
    )
    return (
        backup_table.c.volume_id == record.volume_id,
        backup_table.c.project_id == record.project_id,
        backup_table.c.state == State.AVAILABLE,
        backup_table.c.broken_at.is_(None),
        ~is_cut_off,
    )


def _is_newer(
    known: Column[datetime | None],
    moment: datetime | ScalarSelect[datetime | None] | None,
    now: datetime,
) -> Any:
    """An older backup that is found late is no news about the volume; a future one is no fact."""
    is_first = or_(known.is_(None), known > now + CLOCK_TOLERANCE)
    return or_(is_first, known <= moment) if moment is not None else is_first


def _update(
    connection: Connection, record: BackupRecord, *law: ColumnElement[bool], **values: Any
) -> None:
    # What ends in the project of a former owner says nothing about the volume's present one.
    owned = (
        volume_table.c.volume_id == record.volume_id,
        volume_table.c.project_id == record.project_id,
    )
    connection.execute(update(volume_table).where(*owned, *law).values(**values))
