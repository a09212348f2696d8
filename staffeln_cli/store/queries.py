"""Which backup records are meant: conditions and orders that several requests share."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, true

from staffeln_cli.model import (
    BackupRecord,
    ProjectId,
    RecordId,
    State,
)
from staffeln_cli.model.lifecycle import IN_FLIGHT
from staffeln_cli.tables import BackupRow

COLUMNS = tuple(getattr(BackupRow, part.name) for part in fields(BackupRecord))
CAPS_LOCK = 0x57AFFE1
"""The advisory lock (any constant) under which PostgreSQL counts what is in flight."""
_CHUNK = 500
"""Values in one IN list; SQLite allows 32,766 variables, planners like fewer."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's expiring right to records."""

    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Caps:
    """How many backups may be in flight, over all hosts."""

    total: int
    per_project: int


def next_in_line(
    caps: Caps, waiting: Collection[ProjectId], only: Collection[RecordId] | None, now: datetime
) -> Select[Any]:
    """Ids of the planned records to start, with regard to each project's cap."""
    line = (BackupRow.waiting_since.asc().nulls_first(), BackupRow.planned_at, BackupRow.id)
    flying = (
        select(BackupRow.project_id, func.count().label("number"))
        .where(BackupRow.state.in_(IN_FLIGHT))
        .group_by(BackupRow.project_id)
        .subquery()
    )
    place = func.row_number().over(partition_by=BackupRow.project_id, order_by=line)
    ranked = (
        select(
            BackupRow.id.label("id"),
            (place + func.coalesce(flying.c.number, 0)).label("place"),
            func.row_number().over(order_by=line).label("turn"),
        )
        .join(flying, flying.c.project_id == BackupRow.project_id, isouter=True)
        .where(
            BackupRow.state == State.PLANNED,
            or_(BackupRow.not_before.is_(None), BackupRow.not_before <= now),
            BackupRow.project_id.not_in(waiting),
            BackupRow.id.in_(only) if only is not None else true(),
        )
        .subquery()
    )
    return select(ranked.c.id).where(ranked.c.place <= caps.per_project).order_by(ranked.c.turn)


def is_open() -> Any:
    followed = BackupRow.state.in_([State.STARTING, State.CREATING, State.DELETING])
    return or_(followed, and_(BackupRow.state == State.FAILED, BackupRow.remains.is_(True)))


def unclaimed(now: datetime) -> Any:
    return or_(BackupRow.claimed_until.is_(None), BackupRow.claimed_until <= now)


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """A long list as parts that a statement can take."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def by_waiting(record: BackupRecord) -> tuple[bool, datetime, str]:
    return (record.waiting_since is not None, record.waiting_since or record.planned_at, record.id)
