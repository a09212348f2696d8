"""What `status` shows: each view one query, read row by row, however many rows there are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, and_, func, or_, select

from staffeln_cli.model import (
    InventoryVolume,
    ProjectId,
    ProjectRecord,
    ServerId,
    State,
    VolumeId,
)
from staffeln_cli.model.lifecycle import LIVE
from staffeln_cli.planning.calendar import DatedBackup, ProtectedVolume
from staffeln_cli.planning.evidence import CLOCK_TOLERANCE
from staffeln_cli.planning.usage import ChargedBackup, Period
from staffeln_cli.store.database import Database
from staffeln_cli.tables import (
    UtcDateTime,
    backup_table,
    cloud_table,
    project_table,
    run_table,
    volume_table,
)

_AT_ONCE = 2000
"""Rows fetched at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which rows a view shows; None is all."""

    project_id: ProjectId | None = None
    server_id: ServerId | None = None
    volume_id: VolumeId | None = None
    states: tuple[State, ...] = ()
    pinned: bool | None = None
    protected: bool | None = None
    gone: bool = False
    """Also volumes that are gone and have left no backup."""


class BackupCount(NamedTuple):
    """How many records of a project are in a state, and how large they are."""

    project_id: str
    state: State
    number: int
    size_gib: int


class StatusQueries:
    """Everything of one database, to be looked at."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def volumes(self, wanted: Filter) -> Iterator[tuple[InventoryVolume, str | None]]:
        """The volumes that exist or have a backup, each with the name of its project.

        Ordered by project, server and name.
        """
        project = (project_table.c.project_name, volume_table.c.project_id)
        query = (
            select(*_columns(volume_table, InventoryVolume._fields), project_table.c.project_name)
            .join(
                project_table,
                project_table.c.project_id == volume_table.c.project_id,
                isouter=True,
            )
            .where(*_of(volume_table, wanted))
            .order_by(
                *project,
                volume_table.c.server_name,
                volume_table.c.volume_name,
                volume_table.c.volume_id,
            )
        )
        if not wanted.gone:
            query = query.where(or_(volume_table.c.gone_at.is_(None), _has_backup()))
        if wanted.protected is not None:
            query = query.where(volume_table.c.protected.is_(wanted.protected))
        return ((InventoryVolume._make(row[:-1]), row[-1]) for row in self._rows(query))

    def backups(self, columns: Sequence[str], wanted: Filter) -> Iterator[Any]:
        """These columns of the backup records, newest plan first."""
        query = (
            select(*_columns(backup_table, columns))
            .join(
                project_table,
                project_table.c.project_id == backup_table.c.project_id,
                isouter=True,
            )
            .where(*_of(backup_table, wanted))
            .order_by(backup_table.c.planned_at.desc(), backup_table.c.id)
        )
        if wanted.states:
            query = query.where(backup_table.c.state.in_(wanted.states))
        if wanted.pinned is not None:
            query = query.where(backup_table.c.pinned.is_(wanted.pinned))
        return self._rows(query)

    def projects(self, wanted: Filter) -> Iterator[ProjectRecord]:
        """The projects ever seen, by name."""
        columns = [project_table.c[name] for name in ProjectRecord._fields]
        query = select(*columns).order_by(project_table.c.project_name, project_table.c.project_id)
        if wanted.project_id is not None:
            query = query.where(project_table.c.project_id == wanted.project_id)
        return map(ProjectRecord._make, self._rows(query))

    def protected_volumes(self, wanted: Filter) -> list[ProtectedVolume]:
        """The protected volumes that exist, in no order."""
        query = (
            select(*_columns(volume_table, ProtectedVolume._fields))
            .join(
                project_table,
                project_table.c.project_id == volume_table.c.project_id,
                isouter=True,
            )
            .where(volume_table.c.protected.is_(True), volume_table.c.gone_at.is_(None))
            .where(*_of(volume_table, wanted))
        )
        return list(map(ProtectedVolume._make, self._rows(query)))

    def dated_backups(
        self, volume_ids: Sequence[VolumeId], since: datetime
    ) -> Iterator[DatedBackup]:
        """The backups of these volumes that started, or were planned, at or after a moment."""
        moment = func.coalesce(
            backup_table.c.started_at, backup_table.c.planned_at, type_=UtcDateTime()
        )
        columns = (
            backup_table.c.volume_id,
            backup_table.c.kind,
            backup_table.c.state,
            backup_table.c.succeeded_at,
        )
        is_broken = and_(
            backup_table.c.state == State.AVAILABLE, backup_table.c.broken_at.is_not(None)
        )
        query = select(*columns, moment, is_broken).where(
            backup_table.c.volume_id.in_(volume_ids), moment >= since
        )
        return map(DatedBackup._make, self._rows(query))

    def charged_backups(self, wanted: Filter, period: Period) -> Iterator[ChargedBackup]:
        """The successful backups that existed in a period, by project and volume."""
        start = func.coalesce(
            backup_table.c.started_at, backup_table.c.planned_at, type_=UtcDateTime()
        )
        columns = (
            backup_table.c.project_id,
            project_table.c.project_name,
            backup_table.c.volume_id,
        )
        size = func.coalesce(backup_table.c.size_gib, 0)
        query = (
            select(*columns, backup_table.c.volume_name, size, start, backup_table.c.deleted_at)
            .join(
                project_table,
                project_table.c.project_id == backup_table.c.project_id,
                isouter=True,
            )
            .where(*_of(backup_table, wanted))
            .where(backup_table.c.succeeded_at.is_not(None), start < period.until)
            .where(
                or_(backup_table.c.deleted_at.is_(None), backup_table.c.deleted_at > period.since)
            )
            .order_by(
                project_table.c.project_name, backup_table.c.project_id, backup_table.c.volume_id
            )
        )
        return map(ChargedBackup._make, self._rows(query))

    def protected_sizes(self) -> dict[ProjectId, tuple[int, int]]:
        """For each project with protected volumes, how many they are and their GiB."""
        query = (
            select(volume_table.c.project_id, func.count(), func.sum(volume_table.c.size_gib))
            .where(volume_table.c.protected.is_(True), volume_table.c.gone_at.is_(None))
            .group_by(volume_table.c.project_id)
        )
        return {ProjectId(one): (number, int(gib)) for one, number, gib in self._rows(query)}

    def backup_counts(self) -> list[BackupCount]:
        """Records by project and state."""
        query = select(
            backup_table.c.project_id,
            backup_table.c.state,
            func.count(),
            func.coalesce(func.sum(backup_table.c.size_gib), 0),
        ).group_by(backup_table.c.project_id, backup_table.c.state)
        return [BackupCount(*row) for row in self._rows(query)]

    def runs(self, command: str | None, outcome: str | None) -> Iterator[Any]:
        """Rows of runs, newest first."""
        order = (run_table.c.started_at.desc(), run_table.c.id.desc())
        query = select(*run_table.columns).order_by(*order)
        if command is not None:
            query = query.where(run_table.c.command == command)
        if outcome is not None:
            query = query.where(run_table.c.outcome == outcome)
        return self._rows(query)

    def last_good(self, command: str, now: datetime) -> datetime | None:
        """Start of the newest run of a command that went through, if only partly."""
        query = select(func.max(run_table.c.started_at)).where(
            run_table.c.command == command,
            run_table.c.outcome.in_(("ok", "partial")),
            run_table.c.started_at <= now + CLOCK_TOLERANCE,
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def count_future_moments(self, now: datetime) -> int:
        """How many rows have a moment that a wrong clock wrote: it is still to come."""
        limit = now + CLOCK_TOLERANCE
        moments: tuple[tuple[Table, Sequence[Any]], ...] = (
            (
                volume_table,
                (
                    volume_table.c.last_started_at,
                    volume_table.c.last_failed_at,
                    volume_table.c.last_success_at,
                ),
            ),
            (project_table, (project_table.c.reported_at,)),
            (cloud_table, (cloud_table.c.backups_listed_at, cloud_table.c.operator_reported_at)),
            (run_table, (run_table.c.started_at,)),
            (backup_table, (backup_table.c.planned_at, backup_table.c.started_at)),
        )
        with self._database.read() as connection:
            return sum(
                connection.execute(
                    select(func.count())
                    .select_from(table)
                    .where(or_(*(column > limit for column in columns)))
                ).scalar_one()
                for table, columns in moments
            )

    def _rows(self, query: Any) -> Iterator[Any]:
        with (
            self._database.read() as connection,
            connection.execution_options(yield_per=_AT_ONCE).execute(query) as rows,
        ):
            yield from rows


def _columns(table: Table, names: Iterable[str]) -> Iterator[Any]:
    elsewhere = {"project_name": project_table.c.project_name, "record_id": backup_table.c.id}
    for name in names:
        yield elsewhere[name] if name in elsewhere else table.c[name]


def _has_backup() -> ColumnElement[bool]:
    return (
        select(backup_table.c.id)
        .where(
            backup_table.c.volume_id == volume_table.c.volume_id, backup_table.c.state.in_(LIVE)
        )
        .exists()
    )


def _of(table: Table, wanted: Filter) -> list[ColumnElement[bool]]:
    """The conditions that both volumes and backups know."""
    ids = {name: getattr(wanted, name) for name in ("project_id", "server_id", "volume_id")}
    return [table.c[name] == value for name, value in ids.items() if value is not None]
