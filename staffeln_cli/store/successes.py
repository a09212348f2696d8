"""The backups that were made, volume by volume, for evidence and recovery times."""

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, func, select

from staffeln_cli.model import BackupId, ProjectId, ServerId, State, VolumeId
from staffeln_cli.store.database import Database
from staffeln_cli.store.queries import chunks
from staffeln_cli.tables import UtcDateTime, backup_table


class Success(NamedTuple):
    """A backup that was once available, and what became of it."""

    project_id: ProjectId
    volume_id: VolumeId
    started_at: datetime
    name: str
    volume_name: str
    server_id: ServerId | None
    server_name: str
    state: State
    chain_id: BackupId | None
    backup_id: BackupId | None
    size_gib: int | None
    deleted_at: datetime | None
    broken_at: datetime | None
    pinned: bool
    pin_note: str | None
    pinned_by: str | None


class NewestChain(NamedTuple):
    """What a restore of the newest backup reads."""

    size_gib: int
    length: int
    """The full backup and the incrementals on it."""


_COLUMNS = tuple(backup_table.c[name] for name in Success._fields)


class Successes:
    """The successful backups of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_volume(self) -> Iterator[tuple[tuple[ProjectId, VolumeId], list[Success]]]:
        """Each volume's in each project, oldest first."""
        query = (
            select(*_COLUMNS)
            .where(
                backup_table.c.succeeded_at.is_not(None),
                backup_table.c.started_at.is_not(None),
            )
            .order_by(*_COLUMNS[:4])
        )
        with self._database.read() as connection:
            rows = connection.execution_options(yield_per=5000).execute(query)
            found = map(Success._make, rows)
            for key, group in groupby(found, lambda one: (one.project_id, one.volume_id)):
                yield key, list(group)

    def chains(
        self, volume_ids: Collection[VolumeId] | None = None
    ) -> dict[tuple[ProjectId, VolumeId], NewestChain]:
        """The newest chain of each volume, or of some, in each project, as our records have it."""
        if volume_ids is None:
            return self._chains()
        found: dict[tuple[ProjectId, VolumeId], NewestChain] = {}
        for chunk in chunks(list(volume_ids)):
            found |= self._chains(backup_table.c.volume_id.in_(chunk))
        return found

    def _chains(self, *law: ColumnElement[bool]) -> dict[tuple[ProjectId, VolumeId], NewestChain]:
        volume = (backup_table.c.project_id, backup_table.c.volume_id)
        newest = func.max(backup_table.c.started_at, type_=UtcDateTime())
        size = func.coalesce(func.max(backup_table.c.size_gib), 0)
        length = case((backup_table.c.chain_id.is_(None), 1), else_=func.count())
        query = (
            select(*volume, size, length)
            .where(backup_table.c.state == State.AVAILABLE, *law)
            .where(backup_table.c.broken_at.is_(None))
            .where(backup_table.c.started_at.is_not(None))
            .group_by(*volume, backup_table.c.chain_id)
            .order_by(newest)
        )
        with self._database.read() as connection:
            return {  # of several chains the newest comes last, and stays
                (ProjectId(project_id), VolumeId(volume_id)): NewestChain(size_gib, number)
                for project_id, volume_id, size_gib, number in connection.execute(query)
            }
