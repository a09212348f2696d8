"""What `status` shows: each view one query, read row by row, however many rows there are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select

from staffeln_cli.model import InventoryVolume, ProjectId, ProjectRecord, State, VolumeId
from staffeln_cli.model.lifecycle import LIVE
from staffeln_cli.planning.calendar import DatedBackup, ProtectedVolume
from staffeln_cli.planning.evidence import CLOCK_TOLERANCE
from staffeln_cli.planning.usage import ChargedBackup, Period
from staffeln_cli.store.database import Database
from staffeln_cli.tables import (
    BackupRow,
    Base,
    CloudRow,
    ProjectRow,
    RunRow,
    UtcDateTime,
    VolumeRow,
)

_AT_ONCE = 2000
"""Rows fetched at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which rows a view shows; things are named by id or by name, None is all."""

    project: str | None = None
    server: str | None = None
    volume: str | None = None
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
        project = (ProjectRow.project_name, VolumeRow.project_id)
        query = (
            select(*_columns(VolumeRow, InventoryVolume._fields), ProjectRow.project_name)
            .join(ProjectRow, ProjectRow.project_id == VolumeRow.project_id, isouter=True)
            .where(*_named(VolumeRow, wanted))
            .order_by(*project, VolumeRow.server_name, VolumeRow.volume_name, VolumeRow.volume_id)
        )
        if not wanted.gone:
            query = query.where(or_(VolumeRow.gone_at.is_(None), _has_backup()))
        if wanted.protected is not None:
            query = query.where(VolumeRow.protected.is_(wanted.protected))
        return ((InventoryVolume._make(row[:-1]), row[-1]) for row in self._rows(query))

    def backups(self, columns: Sequence[str], wanted: Filter) -> Iterator[Any]:
        """These columns of the backup records, newest plan first."""
        query = (
            select(*_columns(BackupRow, columns))
            .join(ProjectRow, ProjectRow.project_id == BackupRow.project_id, isouter=True)
            .where(*_named(BackupRow, wanted))
            .order_by(BackupRow.planned_at.desc(), BackupRow.id)
        )
        if wanted.states:
            query = query.where(BackupRow.state.in_(wanted.states))
        if wanted.pinned is not None:
            query = query.where(BackupRow.pinned.is_(wanted.pinned))
        return self._rows(query)

    def projects(self, wanted: Filter) -> Iterator[ProjectRecord]:
        """The projects ever seen, by name."""
        columns = [getattr(ProjectRow, name) for name in ProjectRecord._fields]
        query = select(*columns).order_by(ProjectRow.project_name, ProjectRow.project_id)
        if wanted.project is not None:
            query = query.where(_is_named(ProjectRow, wanted.project))
        return map(ProjectRecord._make, self._rows(query))

    def protected_volumes(self, wanted: Filter) -> list[ProtectedVolume]:
        """The protected volumes that exist, in no order."""
        query = (
            select(*_columns(VolumeRow, ProtectedVolume._fields))
            .join(ProjectRow, ProjectRow.project_id == VolumeRow.project_id, isouter=True)
            .where(VolumeRow.protected.is_(True), VolumeRow.gone_at.is_(None))
            .where(*_named(VolumeRow, wanted))
        )
        return list(map(ProtectedVolume._make, self._rows(query)))

    def dated_backups(
        self, volume_ids: Sequence[VolumeId], since: datetime
    ) -> Iterator[DatedBackup]:
        """The backups of these volumes that started, or were planned, at or after a moment."""
        moment = func.coalesce(BackupRow.started_at, BackupRow.planned_at, type_=UtcDateTime())
        columns = (BackupRow.volume_id, BackupRow.kind, BackupRow.state, BackupRow.succeeded_at)
        query = select(*columns, moment).where(
            BackupRow.volume_id.in_(volume_ids), moment >= since
        )
        return map(DatedBackup._make, self._rows(query))

    def charged_backups(self, wanted: Filter, period: Period) -> Iterator[ChargedBackup]:
        """The successful backups that existed in a period, by project and volume."""
        start = func.coalesce(BackupRow.started_at, BackupRow.planned_at, type_=UtcDateTime())
        columns = (BackupRow.project_id, ProjectRow.project_name, BackupRow.volume_id)
        size = func.coalesce(BackupRow.size_gib, 0)
        query = (
            select(*columns, BackupRow.volume_name, size, start, BackupRow.deleted_at)
            .join(ProjectRow, ProjectRow.project_id == BackupRow.project_id, isouter=True)
            .where(*_named(BackupRow, wanted))
            .where(BackupRow.succeeded_at.is_not(None), start < period.until)
            .where(or_(BackupRow.deleted_at.is_(None), BackupRow.deleted_at > period.since))
            .order_by(ProjectRow.project_name, BackupRow.project_id, BackupRow.volume_id)
        )
        return map(ChargedBackup._make, self._rows(query))

    def protected_sizes(self) -> dict[ProjectId, tuple[int, int]]:
        """For each project with protected volumes, how many they are and their GiB."""
        query = (
            select(VolumeRow.project_id, func.count(), func.sum(VolumeRow.size_gib))
            .where(VolumeRow.protected.is_(True), VolumeRow.gone_at.is_(None))
            .group_by(VolumeRow.project_id)
        )
        return {ProjectId(one): (number, int(gib)) for one, number, gib in self._rows(query)}

    def backup_counts(self) -> list[BackupCount]:
        """Records by project and state."""
        query = select(
            BackupRow.project_id,
            BackupRow.state,
            func.count(),
            func.coalesce(func.sum(BackupRow.size_gib), 0),
        ).group_by(BackupRow.project_id, BackupRow.state)
        return [BackupCount(*row) for row in self._rows(query)]

    def runs(self, command: str | None, outcome: str | None) -> Iterator[Any]:
        """Rows of runs, newest first."""
        order = (RunRow.started_at.desc(), RunRow.id.desc())
        query = select(*RunRow.__table__.columns).order_by(*order)
        if command is not None:
            query = query.where(RunRow.command == command)
        if outcome is not None:
            query = query.where(RunRow.outcome == outcome)
        return self._rows(query)

    def last_good(self, command: str, now: datetime) -> datetime | None:
        """Start of the newest run of a command that went through, if only partly."""
        query = select(func.max(RunRow.started_at)).where(
            RunRow.command == command,
            RunRow.outcome.in_(("ok", "partial")),
            RunRow.started_at <= now + CLOCK_TOLERANCE,
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def count_future_moments(self, now: datetime) -> int:
        """How many rows have a moment that a wrong clock wrote: it is still to come."""
        limit = now + CLOCK_TOLERANCE
        moments: tuple[tuple[type[Base], Sequence[Any]], ...] = (
            (
                VolumeRow,
                (VolumeRow.last_started_at, VolumeRow.last_failed_at, VolumeRow.last_success_at),
            ),
            (ProjectRow, (ProjectRow.reported_at,)),
            (CloudRow, (CloudRow.backups_listed_at, CloudRow.operator_reported_at)),
            (RunRow, (RunRow.started_at,)),
            (BackupRow, (BackupRow.planned_at, BackupRow.started_at)),
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


def _columns(table: type[VolumeRow | BackupRow], names: Iterable[str]) -> Iterator[Any]:
    elsewhere = {"project_name": ProjectRow.project_name, "record_id": BackupRow.id}
    for name in names:
        yield elsewhere[name] if name in elsewhere else getattr(table, name)


def _has_backup() -> ColumnElement[bool]:
    return (
        select(BackupRow.id)
        .where(BackupRow.volume_id == VolumeRow.volume_id, BackupRow.state.in_(LIVE))
        .exists()
    )


def _named(table: type[VolumeRow | BackupRow], wanted: Filter) -> list[ColumnElement[bool]]:
    """The conditions that both volumes and backups know."""
    law: list[ColumnElement[bool]] = []
    if wanted.project is not None:
        law.append(_is_named(table, wanted.project))
    if wanted.server is not None:
        law.append(or_(table.server_id == wanted.server, table.server_name == wanted.server))
    if wanted.volume is not None:
        law.append(or_(table.volume_id == wanted.volume, table.volume_name == wanted.volume))
    return law


def _is_named(table: type[VolumeRow | BackupRow | ProjectRow], name: str) -> ColumnElement[bool]:
    return or_(table.project_id == name, ProjectRow.project_name == name)
