"""The backup records as they are: every read of them that is not for a status view or a report."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Select, and_, func, or_, select

from staffeln_cli.model import (
    BackupId,
    BackupRecord,
    Origin,
    ProjectId,
    RecordBrief,
    RecordId,
    ScheduledPlan,
    State,
    VolumeId,
)
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.planning.chains.broken import newest_start, restorable_by_records
from staffeln_cli.store.bulk_read import BulkRead
from staffeln_cli.store.database import Database
from staffeln_cli.store.queries import (
    COLUMNS,
    Caps,
    chunks,
    count_in_flight,
    is_open,
    next_planned,
    unclaimed,
)
from staffeln_cli.tables import backup_table


class _StateOfVolume(NamedTuple):
    volume_id: VolumeId
    state: State


_STATES = BulkRead(_StateOfVolume, backup_table.c.state)
_BRIEFS = BulkRead(RecordBrief, backup_table.c.volume_id, backup_table.c.backup_id.is_not(None))
_OLDEST_PLAN_FIRST = (backup_table.c.planned_at, backup_table.c.id)


_BRIEFS_BY_OWNER = select(
    backup_table.c.project_id,
    backup_table.c.volume_id,
    *(backup_table.c[name] for name in RecordBrief._fields),
).where(backup_table.c.backup_id.is_not(None))
_NEWEST_UNRESTORABLE = (
    select(backup_table.c.volume_id, func.max(backup_table.c.started_at))
    .where(
        or_(
            backup_table.c.state == State.MISSING,
            and_(backup_table.c.state == State.AVAILABLE, backup_table.c.broken_at.is_not(None)),
        )
    )
    .group_by(backup_table.c.volume_id)
)


class Records:
    """The backup records of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_record_ids(self, ids: Iterable[RecordId]) -> list[BackupRecord]:
        """Records by their own ids."""
        return self._among(backup_table.c.id, ids)

    def by_backup_ids(self, ids: Iterable[BackupId]) -> list[BackupRecord]:
        """Records by Cinder's ids of their backups."""
        return self._among(backup_table.c.backup_id, ids)

    def by_names(self, names: Iterable[str]) -> list[BackupRecord]:
        """Records by the names of their backups."""
        return self._among(backup_table.c.name, names)

    def of_volumes(self, volume_ids: Iterable[VolumeId]) -> list[BackupRecord]:
        """All records of these volumes, in any state, oldest plan first for each."""
        return self._among(backup_table.c.volume_id, volume_ids)

    def find(self, text: str) -> BackupRecord | None:
        """What somebody named by the record's id, by Cinder's or by name; all are unique."""
        named = or_(
            backup_table.c.id == text,
            backup_table.c.backup_id == text,
            backup_table.c.name == text,
        )
        return next(iter(self._where(named)), None)

    def in_states(self, states: Collection[State]) -> list[BackupRecord]:
        """All records in these states, oldest plan first."""
        return self._where(backup_table.c.state.in_(states))

    def open_work(self, longest: timedelta = timedelta(days=1)) -> list[BackupRecord]:
        """What `check` has to follow and nobody follows; `longest` is what a claim can last."""
        return self._where(is_open(), unclaimed(self._database.now(), longest))

    def count(self) -> dict[State, int]:
        """How many records are in each state that has any."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(backup_table.c.state, func.count()).group_by(backup_table.c.state)
            )
            return {state: number for state, number in rows}  # noqa: C416 - mypy knows rows no better

    def count_scheduled(self) -> int:
        """How many backups the schedule has planned that have not started."""
        waiting = select(func.count()).where(
            backup_table.c.state == State.PLANNED, backup_table.c.origin == Origin.SCHEDULED
        )
        with self._database.read() as connection:
            number: int = connection.execute(waiting).scalar_one()
        return number

    def next_to_start(self, caps: Caps) -> list[BackupRecord]:
        """What a pass would start now, in this order, were nobody else starting backups."""
        with self._database.read() as connection:
            room = caps.total - count_in_flight(connection)
            if room <= 0:
                return []
            following = next_planned(caps, (), None, self._database.now()).limit(room)
            order = list(connection.execute(following).scalars())
        found = {one.id: one for one in self.by_record_ids(order)}
        return [found[one] for one in order if one in found]

    def scheduled_plans(self) -> dict[VolumeId, ScheduledPlan]:
        """What the schedule has planned and has not started, by volume."""
        columns = (backup_table.c.volume_id, *(backup_table.c[n] for n in ScheduledPlan._fields))
        query = select(*columns).where(
            backup_table.c.state == State.PLANNED, backup_table.c.origin == Origin.SCHEDULED
        )
        with self._database.read() as connection:
            return {VolumeId(row[0]): ScheduledPlan(*row[1:]) for row in connection.execute(query)}

    def planned_by_project(self) -> dict[ProjectId, int]:
        """How many records of each project are planned."""
        counts = (
            select(backup_table.c.project_id, func.count())
            .where(backup_table.c.state == State.PLANNED)
            .group_by(backup_table.c.project_id)
        )
        with self._database.read() as connection:
            return {ProjectId(one): number for one, number in connection.execute(counts)}

    def available_ids(self) -> set[BackupId]:
        """Cinder's ids of all backups that should be there."""
        available = select(backup_table.c.backup_id).where(backup_table.c.state == State.AVAILABLE)
        with self._database.read() as connection:
            ids = connection.execute(available).scalars()
            return {BackupId(backup_id) for backup_id in ids if backup_id is not None}

    def suspected_missing(self) -> list[BackupRecord]:
        """Available backups that Cinder has said once that it does not have."""
        is_available = backup_table.c.state == State.AVAILABLE
        return self._where(is_available, backup_table.c.suspected_missing_at.is_not(None))

    def broken(self) -> list[BackupRecord]:
        """Available backups that Cinder has shown broken, and not whole again since."""
        is_available = backup_table.c.state == State.AVAILABLE
        return self._where(is_available, backup_table.c.broken_at.is_not(None))

    def depending_on(self, backups: Mapping[BackupId, VolumeId]) -> list[BackupRecord]:
        """Available backups of ours that depend on these of the same volumes, as far as known."""
        found: list[BackupRecord] = []
        for chunk in chunks(list(backups.items())):
            ids, volume_ids = {one for one, _ in chunk}, {one for _, one in chunk}
            is_on_it = or_(backup_table.c.chain_id.in_(ids), backup_table.c.parent_id.in_(ids))
            is_available = backup_table.c.state == State.AVAILABLE
            found += self._where(backup_table.c.volume_id.in_(volume_ids), is_available, is_on_it)
        return found

    def owners(self) -> set[ProjectId]:
        """The projects in which backups should be there."""
        there = backup_table.c.state.in_([State.CREATING, State.AVAILABLE, State.DELETING])
        query = select(backup_table.c.project_id).where(there).distinct()
        with self._database.read() as connection:
            return {ProjectId(value) for value in connection.execute(query).scalars()}

    def briefs(self, volume_ids: Iterable[VolumeId]) -> dict[BackupId, RecordBrief]:
        """What retention judges these volumes' backups by, under Cinder's ids."""
        with self._database.read() as connection:
            found = _BRIEFS.among(connection, list(volume_ids))
            return {brief.backup_id: brief for brief in found}

    def planned_or_unfinished(self) -> dict[VolumeId, State]:
        """The volumes that have an unfinished record, and its state."""
        with self._database.read() as connection:
            return dict(_STATES.among(connection, sorted(UNFINISHED)))

    def newest_restorable(
        self, volume_ids: Sequence[VolumeId]
    ) -> dict[tuple[ProjectId, VolumeId], datetime]:
        """The start of the newest backup that each of these volumes can be restored from.

        By project and volume; those without such a backup are left out.
        """
        of_volume: dict[tuple[ProjectId, VolumeId], list[RecordBrief]] = {}
        with self._database.read() as connection:
            for chunk in chunks(volume_ids):
                rows = connection.execute(
                    _BRIEFS_BY_OWNER.where(backup_table.c.volume_id.in_(chunk))
                )
                for project_id, volume_id, *brief in rows:
                    of_volume.setdefault((project_id, volume_id), []).append(RecordBrief(*brief))
        found = {key: newest_start(restorable_by_records(some)) for key, some in of_volume.items()}
        return {key: moment for key, moment in found.items() if moment is not None}

    def newest_unrestorable(self) -> dict[VolumeId, datetime]:
        """For each volume with missing or broken backups, the start of the newest of them."""
        with self._database.read() as connection:
            rows = connection.execute(_NEWEST_UNRESTORABLE)
            return {VolumeId(volume_id): moment for volume_id, moment in rows if moment}

    def _among(self, column: Column[Any], values: Iterable[str]) -> list[BackupRecord]:
        found: list[BackupRecord] = []
        for chunk in chunks(list(values)):
            found += self._where(column.in_(chunk))
        return found

    def _where(self, *law: ColumnElement[bool]) -> list[BackupRecord]:
        query: Select[Any] = select(*COLUMNS).where(*law).order_by(*_OLDEST_PLAN_FIRST)
        with self._database.read() as connection:
            return [BackupRecord(*row) for row in connection.execute(query)]
