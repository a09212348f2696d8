"""What was last seen of volumes, also when they are long gone."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, case, func, or_, select, update

from staffeln_cli.model import (
    Event,
    InventoryVolume,
    ProjectId,
    ServerId,
    SkipCause,
    VolumeId,
)
from staffeln_cli.planning.evidence import believed
from staffeln_cli.store import events
from staffeln_cli.store.bulk_read import BulkRead
from staffeln_cli.store.bulk_write import BulkWrite
from staffeln_cli.store.database import Database
from staffeln_cli.store.queries import chunks
from staffeln_cli.tables import volume_table

_COLUMNS = tuple(volume_table.c[name] for name in InventoryVolume._fields)
_VOLUMES = BulkRead(InventoryVolume, volume_table.c.volume_id)
_HISTORY = frozenset(
    {
        "first_seen_at",
        "last_started_at",
        "last_success_at",
        "last_failed_at",
        "failures",
        "retained_as",
        "unrestorable_since",
        "proven_at",
        "proof_failed_at",
    }
)
"""Columns that a new look at the cloud never overwrites."""
_ROWS = BulkWrite(
    volume_table,
    InventoryVolume._fields,
    [name for name in InventoryVolume._fields[1:] if name not in _HISTORY],
)


class AbsentVolumes(NamedTuple):
    """What is believed of the volumes that a complete listing lacks, those found apart."""

    gone: Sequence[VolumeId]
    suspected: Sequence[InventoryVolume]
    unproven: Sequence[InventoryVolume]


class Inventory:
    """The volumes of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def volumes(self, volume_ids: Sequence[VolumeId]) -> dict[VolumeId, InventoryVolume]:
        """What is known of these volumes."""
        with self._database.read() as connection:
            return {one.volume_id: one for one in _VOLUMES.among(connection, volume_ids)}

    def all_volumes(self) -> Iterator[InventoryVolume]:
        """Every volume ever seen, in the order of project and name."""
        order = (volume_table.c.project_id, volume_table.c.server_name, volume_table.c.volume_name)
        with self._database.read() as connection:
            rows = connection.execution_options(yield_per=5000).execute(
                select(*_COLUMNS).order_by(*order, volume_table.c.volume_id)
            )
            for row in rows:
                yield InventoryVolume._make(row)

    def volumes_named(self, name: str) -> list[InventoryVolume]:
        """The volumes that were last seen with this name."""
        with self._database.read() as connection:
            rows = connection.execute(select(*_COLUMNS).where(volume_table.c.volume_name == name))
            return [InventoryVolume._make(row) for row in rows]

    def note_retention_terms(
        self, terms: Mapping[VolumeId, str | None], changes: Sequence[Event]
    ) -> None:
        """Remember the terms by which the last pass of retention judged, and what changed."""
        if not terms:
            return
        values = [{"one": volume_id, "held": text} for volume_id, text in terms.items()]
        with self._database.write() as connection:
            connection.execute(
                update(volume_table)
                .where(volume_table.c.volume_id == bindparam("one"))
                .values(retained_as=bindparam("held")),
                values,
            )
            events.add(connection, changes)

    def volumes_of_server(self, server_id: ServerId) -> list[InventoryVolume]:
        """The volumes last seen on this server."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(*_COLUMNS).where(volume_table.c.server_id == server_id)
            )
            return [InventoryVolume._make(row) for row in rows]

    def volumes_of_project(self, project_id: ProjectId) -> list[InventoryVolume]:
        """The volumes that a project was last seen to own."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(*_COLUMNS).where(volume_table.c.project_id == project_id)
            )
            return [InventoryVolume._make(row) for row in rows]

    def servers_called(self, text: str) -> list[tuple[ServerId, str, ProjectId, bool]]:
        """The servers of this id or name on which volumes were seen, and whether any exists.

        Each with its name and project, as last seen.
        """
        called = or_(volume_table.c.server_id == text, volume_table.c.server_name == text)
        exists = func.max(case((volume_table.c.gone_at.is_(None), 1), else_=0))
        columns = (volume_table.c.server_id, volume_table.c.server_name, volume_table.c.project_id)
        query = (
            select(*columns, exists)
            .where(called, volume_table.c.server_id.is_not(None))
            .group_by(*columns)
            .order_by(exists)
        )
        with self._database.read() as connection:
            found = {
                server_id: (ServerId(server_id), name, ProjectId(project_id), bool(there))
                for server_id, name, project_id, there in connection.execute(query)
            }
        return list(found.values())

    def save(self, volumes: Sequence[InventoryVolume]) -> None:
        """Insert or update; the history of backups stays as it was."""
        if not volumes:
            return
        with self._database.write() as connection:
            _ROWS.save(connection, volumes)

    def unseen(
        self, seen: Collection[VolumeId], *, have_rows: bool = True
    ) -> list[InventoryVolume]:
        """The volumes that a complete listing lacks, but for those known to be gone.

        `have_rows`: whether everything seen has a row by now, as it has not in a dry run.
        """
        with self._database.read() as connection:
            there = volume_table.c.gone_at.is_(None)
            number = connection.execute(select(func.count()).where(there)).scalar_one()
            if have_rows and number == len(seen):
                return []
            rows = connection.execute(select(volume_table.c.volume_id).where(there))
            unseen = [VolumeId(value) for value in rows.scalars() if value not in seen]
            return list(_VOLUMES.among(connection, unseen))

    def close_listing(self, absent: "AbsentVolumes", moment: datetime) -> None:
        """After a complete listing: note what is gone or suspected; all else was seen."""
        kept = [*absent.unproven, *absent.suspected]
        left = [{"one": one.volume_id, "then": one.last_seen_at} for one in kept]
        new = [
            one.volume_id
            for one in absent.suspected
            if believed(one.suspected_gone_at, moment) is None
        ]
        with self._database.write() as connection:
            for chunk in chunks(absent.gone):
                _note_gone(connection, chunk, moment)
            connection.execute(
                update(volume_table)
                .where(volume_table.c.gone_at.is_(None))
                .values(last_seen_at=moment)
            )
            for chunk in chunks(new):
                connection.execute(
                    update(volume_table)
                    .where(volume_table.c.volume_id.in_(chunk))
                    .values(suspected_gone_at=moment)
                )
            if left:
                connection.execute(
                    update(volume_table)
                    .where(volume_table.c.volume_id == bindparam("one"))
                    .values(last_seen_at=bindparam("then")),
                    left,
                )

    def count_protected(self) -> int:
        """How many volumes that exist are protected."""
        protected = select(func.count()).where(
            volume_table.c.gone_at.is_(None), volume_table.c.protected.is_(True)
        )
        with self._database.read() as connection:
            number: int = connection.execute(protected).scalar_one()
        return number

    def count_of_project(self, project_id: ProjectId) -> int:
        """How many volumes that exist a project owns."""
        owned = select(func.count()).where(
            volume_table.c.project_id == project_id, volume_table.c.gone_at.is_(None)
        )
        with self._database.read() as connection:
            number: int = connection.execute(owned).scalar_one()
        return number

    def count_servers(self) -> int:
        """How many servers the volumes that exist were last seen on."""
        servers = select(func.count(volume_table.c.server_id.distinct())).where(
            volume_table.c.gone_at.is_(None)
        )
        with self._database.read() as connection:
            number: int = connection.execute(servers).scalar_one()
        return number

    def owners(self) -> set[ProjectId]:
        """The projects that own a volume that exists."""
        owners = (
            select(volume_table.c.project_id).where(volume_table.c.gone_at.is_(None)).distinct()
        )
        with self._database.read() as connection:
            return {ProjectId(value) for value in connection.execute(owners).scalars()}


def _note_gone(connection: Connection, volume_ids: Sequence[VolumeId], moment: datetime) -> None:
    these = volume_table.c.volume_id.in_(volume_ids)
    connection.execute(
        update(volume_table)
        .where(these, volume_table.c.protected.is_(True))
        .values(protection_ended_at=moment, protection_end_cause=SkipCause.GONE)
    )
    connection.execute(
        update(volume_table)
        .where(these)
        .values(
            gone_at=moment,
            suspected_gone_at=None,
            protected=False,
            skip_reason="volume is gone",
            skip_cause=SkipCause.GONE,
        )
    )
