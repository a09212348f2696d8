"""What was last seen of volumes and projects, also when they are long gone."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from staffeln_cli.model import InventoryVolume, Project, ProjectId, ServerId, SkipCause, VolumeId
from staffeln_cli.store.bulk_read import BulkRead
from staffeln_cli.store.database import Database, upsert
from staffeln_cli.store.queries import chunks
from staffeln_cli.tables import ProjectRow, VolumeRow

_COLUMNS = tuple(getattr(VolumeRow, name) for name in InventoryVolume._fields)
_VOLUMES = BulkRead(InventoryVolume, VolumeRow.volume_id)
_HISTORY = frozenset(
    {
        "first_seen_at",
        "last_started_at",
        "last_success_at",
        "last_failed_at",
        "failures",
        "retained_as",
        "unrestorable_since",
    }
)
"""Columns that a new look at the cloud never overwrites."""


class Inventory:
    """The volumes and projects of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def volumes(self, volume_ids: Sequence[VolumeId]) -> dict[VolumeId, InventoryVolume]:
        """What is known of these volumes."""
        with self._database.read() as connection:
            return {one.volume_id: one for one in _VOLUMES.among(connection, volume_ids)}

    def all_volumes(self) -> Iterator[InventoryVolume]:
        """Every volume ever seen, in the order of project and name."""
        order = (VolumeRow.project_id, VolumeRow.server_name, VolumeRow.volume_name)
        with self._database.read() as connection:
            rows = connection.execution_options(yield_per=5000).execute(
                select(*_COLUMNS).order_by(*order, VolumeRow.volume_id)
            )
            for row in rows:
                yield InventoryVolume._make(row)

    def volumes_named(self, name: str) -> list[InventoryVolume]:
        """The volumes that were last seen with this name."""
        with self._database.read() as connection:
            rows = connection.execute(select(*_COLUMNS).where(VolumeRow.volume_name == name))
            return [InventoryVolume._make(row) for row in rows]

    def note_retention_terms(self, terms: Mapping[VolumeId, str | None]) -> None:
        """Remember the terms by which the last pass of retention judged."""
        if not terms:
            return
        values = [{"one": volume_id, "held": text} for volume_id, text in terms.items()]
        with self._database.write() as connection:
            connection.execute(
                update(VolumeRow)
                .where(VolumeRow.volume_id == bindparam("one"))
                .values(retained_as=bindparam("held")),
                values,
            )

    def volumes_of_server(self, server_id: ServerId) -> list[InventoryVolume]:
        """The volumes last seen on this server."""
        with self._database.read() as connection:
            rows = connection.execute(select(*_COLUMNS).where(VolumeRow.server_id == server_id))
            return [InventoryVolume._make(row) for row in rows]

    def save(self, volumes: Sequence[InventoryVolume]) -> None:
        """Insert or update; the history of backups stays as it was."""
        if not volumes:
            return
        with self._database.write() as connection:
            statement = upsert(connection, VolumeRow)
            updates = {
                name: statement.excluded[name]
                for name in InventoryVolume._fields
                if name not in _HISTORY and name != "volume_id"
            }
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[VolumeRow.volume_id], set_=updates
                ),
                [volume._asdict() for volume in volumes],
            )

    def unseen(self, seen: Collection[VolumeId]) -> list[InventoryVolume]:
        """The volumes that a complete listing lacks, but for those known to be gone."""
        with self._database.read() as connection:
            return list(_VOLUMES.among(connection, _unseen(connection, seen)))

    def close_listing(
        self, gone: Sequence[VolumeId], doubtful: Iterable[InventoryVolume], moment: datetime
    ) -> None:
        """After a complete listing: what is gone is marked, what is in doubt stays as it was.

        All other volumes were seen.
        """
        left = [{"one": one.volume_id, "then": one.last_seen_at} for one in doubtful]
        with self._database.write() as connection:
            for chunk in chunks(gone):
                connection.execute(
                    update(VolumeRow)
                    .where(VolumeRow.volume_id.in_(chunk))
                    .values(
                        gone_at=moment,
                        protected=False,
                        skip_reason="volume is gone",
                        skip_cause=SkipCause.GONE,
                    )
                )
            connection.execute(
                update(VolumeRow).where(VolumeRow.gone_at.is_(None)).values(last_seen_at=moment)
            )
            if left:
                connection.execute(
                    update(VolumeRow)
                    .where(VolumeRow.volume_id == bindparam("one"))
                    .values(last_seen_at=bindparam("then")),
                    left,
                )

    def save_projects(self, projects: Iterable[Project], moment: datetime) -> None:
        """Replace what is known of the projects by a complete listing."""
        known = self.projects()
        changed = [one for one in projects if known.pop(one.id, None) != one]
        if not changed and not known:
            return
        with self._database.write() as connection:
            statement = upsert(connection, ProjectRow)
            names = ("project_name", "domain_id", "enabled", "gone_at")
            updates: dict[str, Any] = {name: statement.excluded[name] for name in names}
            if changed:
                connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=[ProjectRow.project_id], set_=updates
                    ),
                    [_project_values(one) for one in changed],
                )
            connection.execute(
                update(ProjectRow)
                .where(ProjectRow.project_id.in_(list(known)), ProjectRow.gone_at.is_(None))
                .values(gone_at=moment)
            )

    def projects(self) -> dict[ProjectId, Project]:
        """The projects of the last listing."""
        columns = (ProjectRow.project_id, ProjectRow.project_name, ProjectRow.domain_id)
        with self._database.read() as connection:
            rows = connection.execute(
                select(*columns, ProjectRow.enabled).where(ProjectRow.gone_at.is_(None))
            )
            return {
                ProjectId(row.project_id): Project(ProjectId(row.project_id), *row[1:])
                for row in rows
            }

    def project_names(self) -> dict[ProjectId, str]:
        """Names of all projects ever seen."""
        with self._database.read() as connection:
            rows = connection.execute(select(ProjectRow.project_id, ProjectRow.project_name))
            return {ProjectId(project_id): name for project_id, name in rows}


def _unseen(connection: Connection, seen: Collection[VolumeId]) -> list[VolumeId]:
    """What is not known to be gone, and was not seen; everything seen has a row by now."""
    there = VolumeRow.gone_at.is_(None)
    number = connection.execute(select(func.count()).where(there)).scalar_one()
    if number == len(seen):
        return []
    rows = connection.execute(select(VolumeRow.volume_id).where(there))
    return [VolumeId(one) for one in rows.scalars() if one not in seen]


def _project_values(project: Project) -> dict[str, object]:
    return {
        "project_id": project.id,
        "project_name": project.name,
        "domain_id": project.domain_id,
        "enabled": project.enabled,
        "gone_at": None,
    }
