"""The backups that were made, volume by volume, for evidence and recovery times."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import ColumnElement, select

from staffeln_cli.model import BackupId, ProjectId, ServerId, State, VolumeId
from staffeln_cli.store.database import Database
from staffeln_cli.tables import backup_table


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
    pinned: bool
    pin_note: str | None
    pinned_by: str | None


_COLUMNS = tuple(backup_table.c[name] for name in Success._fields)


class Successes:
    """The successful backups of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_volume(
        self, *law: ColumnElement[bool]
    ) -> Iterator[tuple[tuple[ProjectId, VolumeId], list[Success]]]:
        """Each volume's in each project, oldest first."""
        query = (
            select(*_COLUMNS)
            .where(
                backup_table.c.succeeded_at.is_not(None),
                backup_table.c.started_at.is_not(None),
                *law,
            )
            .order_by(*_COLUMNS[:4])
        )
        with self._database.read() as connection:
            rows = connection.execution_options(yield_per=5000).execute(query)
            found = map(Success._make, rows)
            for key, group in groupby(found, lambda one: (one.project_id, one.volume_id)):
                yield key, list(group)

    def available(self) -> dict[VolumeId, list[Success]]:
        """The backups that are there, of each volume."""
        is_there = backup_table.c.state == State.AVAILABLE
        return {volume_id: group for (_, volume_id), group in self.by_volume(is_there)}


def newest(successes: Sequence[Success]) -> tuple[Success, int] | None:
    """The newest available backup of a volume, and how many backups a restore of it reads."""
    there = [one for one in successes if one.state is State.AVAILABLE]
    if not there:
        return None
    last = there[-1]
    chain = [one for one in there if last.chain_id is not None and one.chain_id == last.chain_id]
    return last, max(len(chain), 1)
