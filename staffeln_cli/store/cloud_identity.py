"""Which cloud a database belongs to, so that another one's emptiness is no evidence of absence."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, Row, select, update

from staffeln_cli.errors import WrongCloud
from staffeln_cli.model import CloudSeen
from staffeln_cli.model.cloud import keystone_of
from staffeln_cli.store.database import Database, upsert
from staffeln_cli.tables import cloud_table


class CloudIdentity:
    """The one Keystone and Cinder endpoint that this database belongs to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def belongs_to(self, cloud: CloudSeen, *, remember: bool = True) -> None:
        """Remember the cloud on first use; WrongCloud when the database belongs to another.

        A new service id at the same URL, and the first sight of a URL, are remembered, too.
        """
        with self._database.read() as connection:
            row = _row(connection)
        if row is None and remember:
            with self._database.write() as connection:
                _insert(connection, cloud)
                row = _row(connection)  # another process may have been first
        if row is None:
            return
        self._compare(row, cloud)
        changed = (row.identity, row.block_storage_url) != (
            cloud.identity,
            cloud.block_storage_url,
        )
        if remember and changed:
            with self._database.write() as connection:
                connection.execute(update(cloud_table).values(**asdict(cloud)))

    def rebind(self, cloud: CloudSeen) -> None:
        """Say that this is the cloud; its backups are listed anew at the next check."""
        with self._database.write() as connection:
            _insert(connection, cloud)
            values = {**asdict(cloud), "backups_listed_at": None}
            connection.execute(update(cloud_table).values(**values))

    def differences(self, cloud: CloudSeen) -> list[str]:
        """What of a cloud differs from the one that the database belongs to, in words."""
        with self._database.read() as connection:
            row = _row(connection)
        return _differences(row, cloud) if row is not None else []

    def name(self) -> str | None:
        """The cloud's name in clouds.yaml when it was first used; None before the first pass."""
        with self._database.read() as connection:
            return connection.execute(select(cloud_table.c.name)).scalar_one_or_none()

    def backups_listed_at(self) -> datetime | None:
        """When `check` last saw a complete listing of the backups."""
        with self._database.read() as connection:
            return connection.execute(select(cloud_table.c.backups_listed_at)).scalar_one_or_none()

    def note_backups_listed(self, moment: datetime) -> None:
        """Remember that a complete listing of the backups was seen."""
        with self._database.write() as connection:
            connection.execute(update(cloud_table).values(backups_listed_at=moment))

    def _compare(self, row: Row[tuple[object, ...]], cloud: CloudSeen) -> None:
        found = _differences(row, cloud)
        if found:
            raise WrongCloud(
                [
                    f"database {self._database.shown}: belongs to another cloud:"
                    f" {'; '.join(found)}; use that cloud, or another database; if this is the"
                    " same cloud at a new address, run: staffeln db rebind"
                ]
            )


def _row(connection: Connection) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(*cloud_table.columns)).one_or_none()


def _insert(connection: Connection, cloud: CloudSeen) -> None:
    values = upsert(connection, cloud_table).values(id=1, **asdict(cloud))
    connection.execute(values.on_conflict_do_nothing())


def _differences(row: Row[tuple[object, ...]], cloud: CloudSeen) -> list[str]:
    """The service's type and id may change in an upgrade, its addresses and region may not."""
    if row.block_storage_url is None:
        return _differences_of_old(row, cloud)
    compared = (
        ("Keystone", row.auth_url, cloud.auth_url),
        ("Cinder", row.block_storage_url, cloud.block_storage_url),
        ("region", row.region or "none", cloud.region or "none"),
    )
    return [f"its {what} is {old}, not {new}" for what, old, new in compared if old != new]


def _differences_of_old(row: Row[tuple[object, ...]], cloud: CloudSeen) -> list[str]:
    """Until 3.0 the row has the service id, and a region only where one was configured."""
    keystone = keystone_of(row.auth_url)
    differs = bool(row.region) and row.region != cloud.region
    found = [f"its region is {row.region}, not {cloud.region or 'none'}"] if differs else []
    if row.identity != cloud.identity and keystone != cloud.auth_url:
        found.append(f"its Keystone is {keystone}, not {cloud.auth_url}")
    return found
