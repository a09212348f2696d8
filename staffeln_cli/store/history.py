"""How each volume's backups went: kept with the volume, in the transaction of every move."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from staffeln_cli.model import BackupRecord, State
from staffeln_cli.tables import BackupRow, VolumeRow


def note(connection: Connection, record: BackupRecord, new: State) -> None:
    """Keep what a record's move to a new state says about its volume; the row has moved."""
    if new is State.CREATING:
        is_news = _is_newer(VolumeRow.last_started_at, record.started_at)
        _update(connection, record, is_news, last_started_at=record.started_at)
    elif new is State.AVAILABLE:
        is_news = _is_newer(VolumeRow.last_success_at, record.started_at)
        _update(connection, record, is_news, last_success_at=record.started_at, failures=0)
    elif new is State.FAILED:
        _update(
            connection, record, last_failed_at=_ended_at(record), failures=VolumeRow.failures + 1
        )
    elif new is State.MISSING:
        _update(connection, record, last_success_at=_newest_left(record))


def _ended_at(record: BackupRecord) -> ScalarSelect[datetime]:
    ended = func.coalesce(BackupRow.finished_at, BackupRow.planned_at)
    return select(ended).where(BackupRow.id == record.id).scalar_subquery()


def _newest_left(record: BackupRecord) -> ColumnElement[datetime]:
    """When the newest backup of the volume started that is still there.

    If none is left, all stays as it was: the volume was backed up once, and the loss itself is
    reported.
    """
    left = (
        BackupRow.volume_id == record.volume_id,
        BackupRow.project_id == record.project_id,
        BackupRow.state == State.AVAILABLE,
    )
    newest = select(func.max(BackupRow.started_at)).where(*left).scalar_subquery()
    return func.coalesce(newest, VolumeRow.last_success_at)


def _is_newer(known: InstrumentedAttribute[datetime | None], moment: datetime | None) -> Any:
    """An older backup that is found late is no news about the volume."""
    is_first = known.is_(None)
    return or_(is_first, known <= moment) if moment is not None else is_first


def _update(
    connection: Connection, record: BackupRecord, *law: ColumnElement[bool], **values: Any
) -> None:
    # What ends in the project of a former owner says nothing about the volume's present one.
    owned = VolumeRow.volume_id == record.volume_id, VolumeRow.project_id == record.project_id
    connection.execute(update(VolumeRow).where(*owned, *law).values(**values))
