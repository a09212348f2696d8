"""The definitions of servers: kept as long as a backup of their volumes is kept."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, or_, select

from staffeln_cli.model import DecidedBy, ProjectId, ServerId, State
from staffeln_cli.model.servers import KeptDefinition
from staffeln_cli.store.bulk_read import BulkRead
from staffeln_cli.store.bulk_write import BulkWrite
from staffeln_cli.store.database import Database
from staffeln_cli.store.queries import chunks
from staffeln_cli.tables import backup_table, server_table, volume_table


class _Digest(NamedTuple):
    server_id: ServerId
    digest: str


_COLUMNS = tuple(server_table.c[name] for name in KeptDefinition._fields)
_DIGESTS = BulkRead(_Digest, server_table.c.server_id)
_ROWS = BulkWrite(server_table, KeptDefinition._fields, KeptDefinition._fields[1:])
_ENDED = (State.DELETED, State.CANCELLED, State.FAILED)
"""Records in these states have no backup; that of a missing one may come back."""


class Servers:
    """The definitions in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def digests(self, server_ids: Sequence[ServerId]) -> dict[ServerId, str]:
        """By which each of these servers is known."""
        with self._database.read() as connection:
            return dict(_DIGESTS.among(connection, server_ids))

    def protected_by_volumes(self) -> set[ServerId]:
        """The servers that need no mark because a volume on them asks for backups itself."""
        by_volume = volume_table.c.protection_decided_by == DecidedBy.VOLUME
        query = (
            select(volume_table.c.server_id)
            .distinct()
            .where(
                by_volume,
                volume_table.c.protected.is_(True),
                volume_table.c.server_id.is_not(None),
            )
        )
        with self._database.read() as connection:
            return {ServerId(value) for value in connection.execute(query).scalars()}

    def save(self, definitions: Sequence[KeptDefinition]) -> None:
        """Insert or replace."""
        if not definitions:
            return
        with self._database.write() as connection:
            _ROWS.save(connection, definitions)

    def forget_unseen(self, seen: Collection[ServerId]) -> None:
        """Forget the servers not seen of whose volumes no backup is kept."""
        with self._database.read() as connection:
            known = connection.execute(select(server_table.c.server_id)).scalars()
            unseen = [ServerId(one) for one in known if one not in seen]
        if not unseen:
            return
        is_kept = (
            select(backup_table.c.id)
            .join(volume_table, volume_table.c.volume_id == backup_table.c.volume_id)
            .where(
                volume_table.c.server_id == server_table.c.server_id,
                backup_table.c.state.not_in(_ENDED),
            )
            .exists()
        )
        with self._database.write() as connection:
            for chunk in chunks(unseen):
                connection.execute(
                    delete(server_table).where(server_table.c.server_id.in_(chunk), ~is_kept)
                )

    def by_id(self, server_id: ServerId) -> KeptDefinition | None:
        """The definition of a server."""
        return next(iter(self._found(server_table.c.server_id == server_id)), None)

    def called(self, text: str) -> list[KeptDefinition]:
        """The definitions of the servers of this id or name."""
        return self._found(
            or_(server_table.c.server_id == text, server_table.c.server_name == text)
        )

    def of_project(self, project_id: ProjectId) -> list[KeptDefinition]:
        """The definitions of a project's servers, by name."""
        return self._found(server_table.c.project_id == project_id)

    def _found(self, law: ColumnElement[bool]) -> list[KeptDefinition]:
        order = (server_table.c.server_name, server_table.c.server_id)
        query = select(*_COLUMNS).where(law).order_by(*order)
        with self._database.read() as connection:
            return [KeptDefinition._make(row) for row in connection.execute(query)]
