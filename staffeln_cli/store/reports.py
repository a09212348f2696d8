"""What reports are made of, and the note that they were sent."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, and_, case, func, not_, or_, select, update

from staffeln_cli.model import (
    BackupRecord,
    DrillId,
    InventoryVolume,
    Origin,
    ProjectId,
    ProjectRecord,
    State,
    VolumeId,
)
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.store.database import Database
from staffeln_cli.store.queries import COLUMNS, chunks
from staffeln_cli.tables import backup_table, cloud_table, drill_table, project_table, volume_table

_PROJECT = tuple(project_table.c[name] for name in ProjectRecord._fields)
_VOLUME = tuple(volume_table.c[name] for name in InventoryVolume._fields)
_ENDED = backup_table.c.state.in_(
    [State.AVAILABLE, State.FAILED, State.DELETING, State.DELETED, State.MISSING]
)
_GONE = backup_table.c.state.in_([State.DELETED, State.MISSING])
_SUCCEEDED = backup_table.c.succeeded_at.is_not(None)
_TO_TELL = and_(_ENDED, backup_table.c.reported_at.is_(None))
_REMOVAL_TO_TELL = and_(_GONE, backup_table.c.removal_reported_at.is_(None))
_IS_BROKEN = and_(backup_table.c.state == State.AVAILABLE, backup_table.c.broken_at.is_not(None))
_BROKEN_TO_TELL = and_(_IS_BROKEN, backup_table.c.broken_reported_at.is_(None))
_STUCK = and_(
    backup_table.c.state.in_([State.FAILED, State.DELETING]), backup_table.c.delete_attempts > 0
)


_END_TO_TELL = and_(
    volume_table.c.protection_ended_at.is_not(None),
    or_(
        volume_table.c.protection_end_reported_at.is_(None),
        volume_table.c.protection_end_reported_at < volume_table.c.protection_ended_at,
    ),
)


class Charge(NamedTuple):
    """How many backups, and how many GiB the quota is charged for them."""

    backups: int
    gib: int


class Growth(NamedTuple):
    """What came and went since a moment."""

    made: Charge
    removed: Charge
    oldest: datetime | None
    """When the first backup of the project on record was done."""


class Reports:
    """The reports of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def projects_to_report(self) -> list[ProjectRecord]:
        """The projects with protected volumes, or with something not reported yet; by name."""
        volumes = select(volume_table.c.volume_id).where(
            volume_table.c.project_id == project_table.c.project_id,
            or_(volume_table.c.protected, _END_TO_TELL),
        )
        backups = select(backup_table.c.id).where(
            backup_table.c.project_id == project_table.c.project_id,
            or_(_TO_TELL, _REMOVAL_TO_TELL, _BROKEN_TO_TELL),
        )
        query = (
            select(*_PROJECT)
            .where(or_(volumes.exists(), backups.exists()))
            .order_by(project_table.c.project_name, project_table.c.project_id)
        )
        with self._database.read() as connection:
            return [ProjectRecord(*row) for row in connection.execute(query)]

    def volumes(self, project_id: ProjectId) -> list[InventoryVolume]:
        """The project's volumes that exist, by server and name."""
        return self._volumes(
            volume_table.c.project_id == project_id, volume_table.c.gone_at.is_(None)
        )

    def protection_ended(self, project_id: ProjectId) -> list[InventoryVolume]:
        """The project's volumes that lost their protection, which was not reported yet."""
        return self._volumes(volume_table.c.project_id == project_id, _END_TO_TELL)

    def protection_ended_between(self, start: datetime, end: datetime) -> list[InventoryVolume]:
        """The volumes of all projects that lost their protection after `start` up to `end`."""
        ended_at = volume_table.c.protection_ended_at
        return self._volumes(ended_at > start, ended_at <= end)

    def _volumes(self, *law: ColumnElement[bool]) -> list[InventoryVolume]:
        order = (volume_table.c.server_name, volume_table.c.volume_name, volume_table.c.volume_id)
        with self._database.read() as connection:
            rows = connection.execute(select(*_VOLUME).where(*law).order_by(*order))
            return [InventoryVolume(*row) for row in rows]

    def shortened(self, project_id: ProjectId, since: datetime) -> list[InventoryVolume]:
        """The project's volumes whose retention was shortened, or that ended, since a moment.

        Only those with a backup that may go.
        """
        kept = select(backup_table.c.id).where(
            backup_table.c.volume_id == volume_table.c.volume_id,
            backup_table.c.project_id == project_id,
            backup_table.c.state == State.AVAILABLE,
        )
        law = or_(volume_table.c.retention_shortened_at > since, volume_table.c.gone_at > since)
        order = (volume_table.c.server_name, volume_table.c.volume_name, volume_table.c.volume_id)
        with self._database.read() as connection:
            rows = connection.execute(
                select(*_VOLUME)
                .where(volume_table.c.project_id == project_id, law, kept.exists())
                .order_by(*order)
            )
            return [InventoryVolume(*row) for row in rows]

    def unreported(
        self, project_id: ProjectId, *, only_trouble: bool = False
    ) -> list[BackupRecord]:
        """What happened and was not reported yet, what is pinned, and what cannot be removed."""
        pinned = and_(backup_table.c.pinned, backup_table.c.state == State.AVAILABLE)
        law = or_(_TO_TELL, _REMOVAL_TO_TELL, _BROKEN_TO_TELL, pinned, _STUCK)
        if only_trouble:
            lost = and_(backup_table.c.state == State.MISSING, _REMOVAL_TO_TELL)
            law = or_(and_(_TO_TELL, not_(_SUCCEEDED)), lost, _BROKEN_TO_TELL, _STUCK)
        return list(self._records(backup_table.c.project_id == project_id, law))

    def between(self, start: datetime, end: datetime) -> Iterator[BackupRecord]:
        """What ended badly after `start` up to `end`, reported or not, in all projects."""
        failed = and_(_ENDED, not_(_SUCCEEDED))
        return self._records(
            or_(
                and_(
                    failed, backup_table.c.finished_at > start, backup_table.c.finished_at <= end
                ),
                and_(
                    backup_table.c.state == State.MISSING,
                    backup_table.c.deleted_at > start,
                    backup_table.c.deleted_at <= end,
                ),
                and_(
                    _IS_BROKEN, backup_table.c.broken_at > start, backup_table.c.broken_at <= end
                ),
                _STUCK,
            )
        )

    def restorable(self, project_id: ProjectId | None = None) -> set[VolumeId]:
        """The volumes that have at least one backup to restore from."""
        is_there = and_(
            backup_table.c.state == State.AVAILABLE, backup_table.c.broken_at.is_(None)
        )
        query = select(backup_table.c.volume_id)
        if project_id is None:
            query = query.where(is_there).distinct()
        else:
            # Not in the WHERE: planners would take the index of states, over all projects.
            any_there = func.max(case((is_there, 1), else_=0)) == 1
            query = query.where(backup_table.c.project_id == project_id)
            query = query.group_by(backup_table.c.volume_id).having(any_there)
        with self._database.read() as connection:
            return {VolumeId(value) for value in connection.execute(query).scalars()}

    def unfinished(self, project_id: ProjectId | None = None) -> set[VolumeId]:
        """The volumes that have a backup planned or under way."""
        query = select(backup_table.c.volume_id).where(backup_table.c.state.in_(UNFINISHED))
        if project_id is not None:
            query = query.where(backup_table.c.project_id == project_id)
        with self._database.read() as connection:
            return {VolumeId(value) for value in connection.execute(query).scalars()}

    def growth(self, project_id: ProjectId, since: datetime) -> Growth:
        """What a project's quota was charged for, and relieved of, since a moment."""
        here = (backup_table.c.project_id == project_id, _SUCCEEDED)
        sums = (func.count(), func.coalesce(func.sum(backup_table.c.size_gib), 0))
        with self._database.read() as connection:
            made = connection.execute(
                select(*sums).where(*here, backup_table.c.succeeded_at >= since)
            ).one()
            removed = connection.execute(
                select(*sums).where(*here, _GONE, backup_table.c.deleted_at >= since)
            ).one()
            first = connection.execute(
                select(func.min(backup_table.c.succeeded_at)).where(*here)
            ).scalar_one()
        return Growth(_charge(*made), _charge(*removed), first)

    def successes(self, start: datetime, end: datetime) -> dict[ProjectId, Charge]:
        """Backups made after `start` up to `end`, by project."""
        query = (
            select(
                backup_table.c.project_id,
                func.count(),
                func.coalesce(func.sum(backup_table.c.size_gib), 0),
            )
            .where(backup_table.c.origin != Origin.IMPORTED)
            .where(backup_table.c.succeeded_at > start, backup_table.c.succeeded_at <= end)
            .group_by(backup_table.c.project_id)
        )
        with self._database.read() as connection:
            return {
                ProjectId(project_id): _charge(number, gib)
                for project_id, number, gib in connection.execute(query)
            }

    def note_reported(
        self,
        project_id: ProjectId,
        moment: datetime,
        records: Sequence[BackupRecord],
        *,
        ended: Sequence[VolumeId] = (),
        drills: Sequence[DrillId] = (),
    ) -> None:
        """Note, in one transaction, that a report of exactly these records and drills was sent.

        `ended` are the volumes whose loss of protection it named.
        """
        done = [record.id for record in records if record.reported_at is None]
        gone = [
            record.id
            for record in records
            if record.removal_reported_at is None
            and record.state in (State.DELETED, State.MISSING)
        ]
        broken = [record.id for record in records if record.is_broken]
        stamps: tuple[tuple[Column[Any], Sequence[Any], str], ...] = (
            (backup_table.c.id, done, "reported_at"),
            (backup_table.c.id, gone, "removal_reported_at"),
            (backup_table.c.id, broken, "broken_reported_at"),
            (drill_table.c.id, drills, "reported_at"),
            (volume_table.c.volume_id, ended, "protection_end_reported_at"),
            (project_table.c.project_id, [project_id], "reported_at"),
        )
        with self._database.write() as connection:
            for key, ids, stamp in stamps:
                for chunk in chunks(ids):
                    these = update(key.table).where(key.in_(chunk))
                    connection.execute(these.values({stamp: moment}))

    def operator_reported_at(self) -> datetime | None:
        """When the operator last got a summary of all projects."""
        with self._database.read() as connection:
            return connection.execute(
                select(cloud_table.c.operator_reported_at)
            ).scalar_one_or_none()

    def note_operator_reported(self, moment: datetime) -> None:
        """Note that the operator has got a summary that goes up to this moment."""
        with self._database.write() as connection:
            connection.execute(update(cloud_table).values(operator_reported_at=moment))

    def _records(self, *law: ColumnElement[bool]) -> Iterator[BackupRecord]:
        order = (
            backup_table.c.server_name,
            backup_table.c.volume_name,
            backup_table.c.planned_at,
            backup_table.c.id,
        )
        with self._database.read() as connection:
            rows = connection.execution_options(yield_per=2000).execute(
                select(*COLUMNS).where(*law).order_by(*order)
            )
            for row in rows:
                yield BackupRecord(*row)


def _charge(number: int, gib: int | None) -> Charge:
    return Charge(number, int(gib or 0))
