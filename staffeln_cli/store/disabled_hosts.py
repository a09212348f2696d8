"""The backup hosts that an import has disabled, until they are enabled again."""

from datetime import datetime

from sqlalchemy import delete, select

from staffeln_cli.store.database import Database, upsert
from staffeln_cli.tables import disabled_host_table


class DisabledHosts:
    """The notes on disabled backup hosts of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, host: str, reason: str, moment: datetime) -> None:
        """Note that a host is about to be disabled."""
        with self._database.write() as connection:
            row = upsert(connection, disabled_host_table).values(
                host=host, reason=reason, disabled_at=moment
            )
            connection.execute(row.on_conflict_do_nothing())

    def forget(self, host: str) -> None:
        """The host is enabled again."""
        with self._database.write() as connection:
            connection.execute(
                delete(disabled_host_table).where(disabled_host_table.c.host == host)
            )

    def names(self) -> list[str]:
        """The hosts that are to be enabled again."""
        query = select(disabled_host_table.c.host).order_by(disabled_host_table.c.host)
        with self._database.read() as connection:
            return [str(host) for host in connection.execute(query).scalars()]
