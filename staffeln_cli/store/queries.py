"""Conditions, orders and statements on backup records that several modules share."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    or_,
    select,
    text,
    true,
)

from staffeln_cli.model import BackupRecord, DrillState, Kind, Origin, ProjectId, RecordId, State
from staffeln_cli.model.lifecycle import IN_FLIGHT
from staffeln_cli.model.pauses import PauseScope
from staffeln_cli.planning.evidence import CLOCK_TOLERANCE
from staffeln_cli.store.bulk_write import BulkWrite
from staffeln_cli.tables import backup_table, drill_table, pause_table

COLUMNS = tuple(backup_table.c[part.name] for part in fields(BackupRecord))
_ROWS = BulkWrite(backup_table, [column.name for column in COLUMNS])
_CAPS_LOCK = 0x57AFFE1
"""The advisory lock (any constant) under which PostgreSQL counts what is in flight."""
_CHUNK = 500
"""Values in one IN list; SQLite allows 32,766 variables, planners like fewer."""
_LONGEST_PAUSE = timedelta(hours=1)
"""No plan waits longer for a busy volume; a later moment was written by a wrong clock."""
_OF_THESE = select(backup_table.c.id).where(
    backup_table.c.id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's expiring right to records."""

    owner: str
    until: datetime
    longest: timedelta = timedelta(days=1)
    """How long a claim of anybody can last; one that lasts longer is not believed."""


@dataclass(frozen=True, slots=True)
class Caps:
    """How many backups may be in flight, over all hosts."""

    total: int
    per_project: int
    only_ad_hoc: bool = False
    """Whether the schedule's plans wait for the window: only those that people asked for start."""


def insert(connection: Connection, records: Sequence[BackupRecord]) -> set[RecordId]:
    """Insert the records that the database allows; return their ids."""
    if _ROWS.save(connection, records) == len(records):
        return {record.id for record in records}
    inserted: set[RecordId] = set()
    for chunk in chunks([record.id for record in records]):
        found = connection.execute(_OF_THESE, {"ids": chunk})
        inserted.update(found.scalars())
    return inserted


def lock_caps(connection: Connection) -> None:
    """Until this transaction ends, nobody else counts what is in flight, or begins a drill."""
    if connection.dialect.name != "sqlite":  # SQLite has one writer at a time anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CAPS_LOCK})


def count_in_flight(connection: Connection) -> int:
    """How many backups are in flight."""
    in_flight = select(func.count()).where(backup_table.c.state.in_(IN_FLIGHT))
    number: int = connection.execute(in_flight).scalar_one()
    return number


def next_planned(
    caps: Caps, waiting: Collection[ProjectId], only: Collection[RecordId] | None, now: datetime
) -> Select[Any]:
    """Ids of the planned records to start, within each project's cap.

    Projects come in turn: first the one with the fewest backups in flight. In each, the volume
    that is longest without a backup is first. Otherwise projects that add volumes every day could
    keep the others waiting for good.
    """
    limit = now + CLOCK_TOLERANCE
    waiting_since = case((backup_table.c.waiting_since <= limit, backup_table.c.waiting_since))
    order = (waiting_since.asc().nulls_first(), backup_table.c.planned_at, backup_table.c.id)
    in_flight = (
        select(backup_table.c.project_id, func.count().label("number"))
        .where(backup_table.c.state.in_(IN_FLIGHT))
        .group_by(backup_table.c.project_id)
        .subquery()
    )
    place = func.row_number().over(partition_by=backup_table.c.project_id, order_by=order)
    ranked = (
        select(
            backup_table.c.id.label("id"),
            (place + func.coalesce(in_flight.c.number, 0)).label("place"),
            func.row_number().over(order_by=order).label("turn"),
        )
        .join(in_flight, in_flight.c.project_id == backup_table.c.project_id, isouter=True)
        .where(
            backup_table.c.state == State.PLANNED,
            backup_table.c.project_id.not_in(waiting),
            backup_table.c.id.in_(only) if only is not None else true(),
            *_may_start(caps, now),
        )
        .subquery()
    )
    within_cap = select(ranked.c.id).where(ranked.c.place <= caps.per_project)
    return within_cap.order_by(ranked.c.place, ranked.c.turn)


def locked(connection: Connection, ids: Collection[RecordId]) -> list[RecordId]:
    """Lock these records until the transaction ends, but for those that another one has locked."""
    free = select(backup_table.c.id).where(backup_table.c.id.in_(ids))
    return list(connection.execute(free.with_for_update(skip_locked=True)).scalars())


def _may_start(caps: Caps, now: datetime) -> Iterator[ColumnElement[bool]]:
    """What is true of a planned record that need not wait."""
    not_before = backup_table.c.not_before
    longest = now + CLOCK_TOLERANCE + _LONGEST_PAUSE
    yield or_(not_before.is_(None), not_before <= now, not_before > longest)
    # Cinder passes over a backup that is being restored when it chooses the parent.
    yield or_(backup_table.c.kind != Kind.INCREMENTAL, ~is_restored())
    is_ad_hoc = backup_table.c.origin != Origin.SCHEDULED
    yield or_(is_ad_hoc, false() if caps.only_ad_hoc else ~is_paused(now))


def is_paused(now: datetime) -> ColumnElement[bool]:
    """Whether the record's volume, server or project is paused, or everything is."""
    columns = {
        PauseScope.VOLUME: backup_table.c.volume_id,
        PauseScope.SERVER: backup_table.c.server_id,
        PauseScope.PROJECT: backup_table.c.project_id,
    }
    covers = [
        and_(pause_table.c.scope == scope.value, pause_table.c.item_id == column)
        for scope, column in columns.items()
    ]
    covers.append(pause_table.c.scope == PauseScope.ALL.value)
    holds = or_(pause_table.c.until.is_(None), pause_table.c.until > now)
    return exists().where(holds, or_(*covers))


def is_restored() -> ColumnElement[bool]:
    """Whether a drill restores a backup of the record's volume; under `lock_caps`, to be sure."""
    drills = (
        drill_table.c.volume_id == backup_table.c.volume_id,
        drill_table.c.state == DrillState.RESTORING,
    )
    return exists().where(*drills)


def is_open() -> ColumnElement[bool]:
    """What `check` has to follow: in doubt, being created, being deleted, or with remains."""
    followed = backup_table.c.state.in_([State.STARTING, State.CREATING, State.DELETING])
    return or_(
        followed, and_(backup_table.c.state == State.FAILED, backup_table.c.remains.is_(True))
    )


def unclaimed(now: datetime, longest: timedelta) -> ColumnElement[bool]:
    """What nobody has claimed, or whose claim is over, or longer than any claim can be."""
    until = backup_table.c.claimed_until
    return or_(until.is_(None), until <= now, until > now + longest)


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """A long list as parts that a statement can take."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def is_history(before: datetime) -> ColumnElement[bool]:
    """Whether a record ended before a moment, and Cinder has nothing left of its backup."""
    finished = or_(
        backup_table.c.state.in_([State.DELETED, State.CANCELLED, State.MISSING]),
        and_(backup_table.c.state == State.FAILED, backup_table.c.remains.is_(False)),
    )
    ended = func.coalesce(
        backup_table.c.deleted_at, backup_table.c.finished_at, backup_table.c.planned_at
    )
    return and_(finished, ended < before)
