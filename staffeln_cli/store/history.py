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
from staffeln_cli.tables import backup_table, volume_table


def note(
    connection: Connection, record: BackupRecord, new: State, now: Callable[[], datetime]
) -> None:
    """Keep what a record's move to a new state says about its volume; the row has moved."""
    if new is State.CREATING:
        is_news = _is_newer(volume_table.c.last_started_at, record.started_at, now())
        _update(connection, record, is_news, last_started_at=record.started_at)
    elif new is State.AVAILABLE:
        is_news = _is_newer(volume_table.c.last_success_at, record.started_at, now())
        _update(connection, record, is_news, last_success_at=record.started_at, failures=0)
        _update(connection, record, unrestorable_since=None)
        if record.state is State.CREATING:
            learn(connection, record)
    elif new is State.FAILED:
        _update(
            connection,
            record,
            last_failed_at=_ended_at(record),
            failures=volume_table.c.failures + 1,
        )
    elif new is State.MISSING:
        newest = _newest_left(record)
        _update(
            connection,
            record,
            last_success_at=newest,
            unrestorable_since=case((newest.is_(None), _ended_at(record))),
        )


def _ended_at(record: BackupRecord) -> ScalarSelect[datetime]:
    ended = func.coalesce(
        backup_table.c.deleted_at, backup_table.c.finished_at, backup_table.c.planned_at
    )
    return select(ended).where(backup_table.c.id == record.id).scalar_subquery()


def _newest_left(record: BackupRecord) -> ScalarSelect[datetime | None]:
    """When the newest backup of the volume started that it can still be restored from.

    Of a chain, only what is older than its missing members counts.
    """
    missing = backup_table.alias()
    is_broken = (
        select(missing.c.id)
        .where(
            missing.c.volume_id == record.volume_id,
            missing.c.project_id == record.project_id,
            missing.c.state == State.MISSING,
            missing.c.chain_id == backup_table.c.chain_id,
            missing.c.started_at < backup_table.c.started_at,
        )
        .exists()
    )
    left = (
        backup_table.c.volume_id == record.volume_id,
        backup_table.c.project_id == record.project_id,
        backup_table.c.state == State.AVAILABLE,
    )
    return select(func.max(backup_table.c.started_at)).where(*left, ~is_broken).scalar_subquery()


def _is_newer(known: Column[datetime | None], moment: datetime | None, now: datetime) -> Any:
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
