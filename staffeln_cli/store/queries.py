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
    func,
    or_,
    select,
    text,
    true,
)

from staffeln_cli.model import BackupRecord, DrillState, Kind, ProjectId, RecordId, State
from staffeln_cli.model.lifecycle import IN_FLIGHT
from staffeln_cli.planning.evidence import CLOCK_TOLERANCE
from staffeln_cli.store.database import as_row, upsert
from staffeln_cli.tables import BackupRow, DrillRow

COLUMNS = tuple(getattr(BackupRow, part.name) for part in fields(BackupRecord))
_CAPS_LOCK = 0x57AFFE1
"""The advisory lock (any constant) under which PostgreSQL counts what is in flight."""
_CHUNK = 500
"""Values in one IN list; SQLite allows 32,766 variables, planners like fewer."""
_LONGEST_PAUSE = timedelta(hours=1)
"""No plan waits longer for a busy volume; a later moment was written by a wrong clock."""
_OF_THESE = select(BackupRow.id).where(BackupRow.id.in_(bindparam("ids", expanding=True)))


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


def insert(connection: Connection, records: Sequence[BackupRecord]) -> set[RecordId]:
    """Insert the records that the database allows; return their ids."""
    statement = upsert(connection, BackupRow).on_conflict_do_nothing()
    connection.execute(statement, [as_row(record) for record in records])
    inserted: set[RecordId] = set()
    for chunk in chunks([record.id for record in records]):
        found = connection.execute(_OF_THESE, {"ids": chunk})
        inserted.update(found.scalars())  # type: ignore[arg-type]  # ids are plain text there
    return inserted


def lock_caps(connection: Connection) -> None:
    """Until this transaction ends, nobody else counts what is in flight, or begins a drill."""
    if connection.dialect.name != "sqlite":  # SQLite has one writer at a time anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CAPS_LOCK})


def count_in_flight(connection: Connection) -> int:
    """How many backups are in flight."""
    in_flight = select(func.count()).where(BackupRow.state.in_(IN_FLIGHT))
    number: int = connection.execute(in_flight).scalar_one()
    return number


def next_planned(
    caps: Caps, waiting: Collection[ProjectId], only: Collection[RecordId] | None, now: datetime
) -> Select[Any]:
    """Ids of the planned records to start, with regard to each project's cap."""
    limit = now + CLOCK_TOLERANCE
    waiting_since = case((BackupRow.waiting_since <= limit, BackupRow.waiting_since))
    order = (waiting_since.asc().nulls_first(), BackupRow.planned_at, BackupRow.id)
    is_time = or_(
        BackupRow.not_before.is_(None),
        BackupRow.not_before <= now,
        BackupRow.not_before > limit + _LONGEST_PAUSE,
    )
    in_flight = (
        select(BackupRow.project_id, func.count().label("number"))
        .where(BackupRow.state.in_(IN_FLIGHT))
        .group_by(BackupRow.project_id)
        .subquery()
    )
    place = func.row_number().over(partition_by=BackupRow.project_id, order_by=order)
    ranked = (
        select(
            BackupRow.id.label("id"),
            (place + func.coalesce(in_flight.c.number, 0)).label("place"),
            func.row_number().over(order_by=order).label("turn"),
        )
        .join(in_flight, in_flight.c.project_id == BackupRow.project_id, isouter=True)
        .where(
            BackupRow.state == State.PLANNED,
            is_time,
            BackupRow.project_id.not_in(waiting),
            BackupRow.id.in_(only) if only is not None else true(),
            # Cinder passes over a backup that is being restored when it chooses the parent.
            or_(BackupRow.kind != Kind.INCREMENTAL, ~is_restored()),
        )
        .subquery()
    )
    return select(ranked.c.id).where(ranked.c.place <= caps.per_project).order_by(ranked.c.turn)


def is_restored() -> ColumnElement[bool]:
    """Whether a drill restores a backup of the record's volume; under `lock_caps`, to be sure."""
    drills = (DrillRow.volume_id == BackupRow.volume_id, DrillRow.state == DrillState.RESTORING)
    return exists().where(*drills)


def waiting_order(record: BackupRecord) -> tuple[bool, datetime, str]:
    """The order in which records are started."""
    return (record.waiting_since is not None, record.waiting_since or record.planned_at, record.id)


def is_open() -> ColumnElement[bool]:
    """What `check` has to follow: in doubt, being created, being deleted, or with remains."""
    followed = BackupRow.state.in_([State.STARTING, State.CREATING, State.DELETING])
    return or_(followed, and_(BackupRow.state == State.FAILED, BackupRow.remains.is_(True)))


def unclaimed(now: datetime, longest: timedelta) -> ColumnElement[bool]:
    """What nobody has claimed, or whose claim is over, or longer than any claim can be."""
    until = BackupRow.claimed_until
    return or_(until.is_(None), until <= now, until > now + longest)


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """A long list as parts that a statement can take."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
