"""The retention of volumes in projects that they have left."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, not_, select, update

from staffeln_cli.model import FormerOwner, InventoryVolume, ProjectId, VolumeId
from staffeln_cli.store.database import Database
from staffeln_cli.tables import backup_table, former_owner_table, volume_table

_COLUMNS = tuple(former_owner_table.c[name] for name in FormerOwner._fields)
_KEPT = frozenset({"volume_id", "first_seen_at", "last_seen_at"})


class FormerOwners:
    """The former owners of the volumes of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[tuple[ProjectId, VolumeId], FormerOwner]:
        """Every former owner; transfers are rare."""
        with self._database.read() as connection:
            found = [FormerOwner._make(row) for row in connection.execute(select(*_COLUMNS))]
        return {(one.project_id, one.volume_id): one for one in found}

    def transfer(self, left: Sequence[FormerOwner], now_as: Sequence[InventoryVolume]) -> None:
        """Remember the owners that volumes have left; `now_as` are the rows of the new owners.

        The history of backups in the former project ends: the rows replace it.
        """
        with self._database.write() as connection:
            _forget(connection, [(one.project_id, one.volume_id) for one in left])
            _forget(connection, [(one.project_id, one.volume_id) for one in now_as])
            connection.execute(insert(former_owner_table), [one._asdict() for one in left])
            for row in now_as:
                values = {k: v for k, v in row._asdict().items() if k not in _KEPT}
                connection.execute(
                    update(volume_table)
                    .where(volume_table.c.volume_id == row.volume_id)
                    .values(values)
                )

    def note_retention_terms(self, terms: Mapping[tuple[ProjectId, VolumeId], str | None]) -> None:
        """Remember the terms by which the last pass of retention judged."""
        if not terms:
            return
        values = [
            {"project": project_id, "volume": volume_id, "held": text}
            for (project_id, volume_id), text in terms.items()
        ]
        with self._database.write() as connection:
            connection.execute(
                update(former_owner_table)
                .where(
                    former_owner_table.c.project_id == bindparam("project"),
                    former_owner_table.c.volume_id == bindparam("volume"),
                )
                .values(last_applied_retention=bindparam("held")),
                values,
            )

    def forget(self, before: datetime) -> None:
        """Remove former owners that left before this and have no backup of the volume left."""
        has_records = select(backup_table.c.id).where(
            backup_table.c.project_id == former_owner_table.c.project_id,
            backup_table.c.volume_id == former_owner_table.c.volume_id,
        )
        with self._database.write() as connection:
            connection.execute(
                delete(former_owner_table).where(
                    former_owner_table.c.left_at < before, not_(has_records.exists())
                )
            )


def _forget(connection: Connection, pairs: Sequence[tuple[ProjectId, VolumeId]]) -> None:
    """An owner that left before and returned has one row at most."""
    for project_id, volume_id in pairs:
        connection.execute(
            delete(former_owner_table).where(
                former_owner_table.c.project_id == project_id,
                former_owner_table.c.volume_id == volume_id,
            )
        )
