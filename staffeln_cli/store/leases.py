"""Locks that are rows of the database; its own clock says which of them have expired."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Interval, delete, func, literal, select, update

from staffeln_cli.store.database import Database, upsert
from staffeln_cli.tables import lease_table


class Leases:
    """The leases of one database.

    Each method is one statement, which commits by itself: a host that is stopped in the middle
    keeps no row locked. They have connections of their own, so that neither a leader's fence nor
    threads that wait for a connection delay a renewal.
    """

    def __init__(self, url: str, *, stopping: threading.Event | None = None) -> None:
        self._database = Database(url, stopping=stopping)

    @property
    def shown(self) -> str:
        """The database, as messages name it."""
        return self._database.shown

    def take(self, name: str, *, owner: str, token: str, duration: timedelta) -> bool:
        """Take a lease that is free or has expired; False while another run has it."""
        with self._database.statement() as connection:
            now = _now(connection)
            row = upsert(connection, lease_table).values(
                name=name, owner=owner, token=token, expires_at=_after(now, duration)
            )
            taken = row.on_conflict_do_update(
                index_elements=[lease_table.c.name],
                set_={
                    "owner": row.excluded.owner,
                    "token": row.excluded.token,
                    "expires_at": row.excluded.expires_at,
                },
                where=lease_table.c.expires_at <= now,
            )
            return connection.execute(taken.returning(lease_table.c.name)).first() is not None

    def owner(self, name: str) -> str | None:
        """Who last took a lease; None once it was released."""
        with self._database.read() as connection:
            known = connection.execute(
                select(lease_table.c.owner).where(lease_table.c.name == name)
            )
            return known.scalar_one_or_none()

    def renew(self, name: str, *, token: str, duration: timedelta) -> bool:
        """Keep a lease for so much longer; False if another run has taken it."""
        with self._database.statement() as connection:
            renewed = (
                update(lease_table)
                .where(lease_table.c.name == name, lease_table.c.token == token)
                .values(expires_at=_after(_now(connection), duration))
            )
            return connection.execute(renewed).rowcount == 1

    def release(self, name: str, *, token: str) -> bool:
        """Give a lease back; False if it is another run's by now, which is not disturbed."""
        with self._database.statement() as connection:
            own = delete(lease_table).where(
                lease_table.c.name == name, lease_table.c.token == token
            )
            return connection.execute(own).rowcount == 1

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()


def _now(connection: Connection) -> Any:
    """The server's clock at the moment of the statement; SQLite's file is of this host alone."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    return func.clock_timestamp()


def _after(now: Any, duration: timedelta) -> Any:
    if isinstance(now, datetime):
        return now + duration
    return now + literal(duration, Interval)
