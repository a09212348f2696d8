"""Single connections of the database drivers, which wait no longer than they are told."""

import os
import select
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from sqlalchemy.engine import URL

from staffeln_cli.errors import StoreUnavailable
from staffeln_cli.model.text import first_line

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

_BUSY_TIMEOUT = 0.4
"""Seconds that SQLite waits for a lock; less than the patience of a look-up."""
_PATIENT = {
    "connect_timeout": 2,  # nobody waits for it but the thread that connects
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 2000,
    "application_name": "staffeln-policy",
}
"""What libpq should do about a server that does not answer; the URL may say otherwise."""
_SESSION = (
    "SET statement_timeout = 500; SET default_transaction_read_only = on; SET TimeZone = 'UTC'"
)

_LOOK_UP = """
SELECT (SELECT version_num FROM alembic_version), (
    SELECT {all}({one}({0}, backups.id, backup_id, state, name, volume_id, started_at))
    FROM {asked} JOIN backups
    ON backup_id = {1} OR name = {2} OR backups.id = {3}
        OR volume_id = {4} AND state = 'starting' AND state IN ('creating', 'planned', 'starting'))
"""
"""One row: the schema's revision, and what bears on questions, as JSON: four index probes each.

The questions are JSON, too: a list of lists of a number, then the parameters. The last probe
repeats the words of the partial index, or SQLite would not use it. A single row, because Python's
threads pass on their turn at each, which costs more than the row itself.
"""
POSTGRESQL_LOOK_UP = _LOOK_UP.format(
    *(f"(asked.value->>{number})" for number in range(5)),
    all="json_agg",
    one="json_build_array",
    asked="json_array_elements($1::json) AS asked",
)
SQLITE_LOOK_UP = _LOOK_UP.format(
    *(f"json_extract(asked.value, '$[{number}]')" for number in range(5)),
    all="json_group_array",
    one="json_array",
    asked="json_each(?1) AS asked",
)

Found = tuple[str | bytes | None, str | bytes | None]
"""The schema's revision, and JSON (or nothing) of records, each after its question's number."""


class ConnectionLost(Exception):
    """The connection leads nowhere any more; a new one may."""


class DriverConnection(Protocol):
    """A connection for one statement."""

    def look_up(self, asked: bytes, deadline: float) -> Found:
        """The answer before the deadline (monotonic), else ConnectionLost or StoreUnavailable."""

    def close(self) -> None:
        """End it, without waiting."""


class SqliteConnection:
    """A file that exists, only read; lost when another file has taken its place."""

    def __init__(self, url: URL) -> None:
        self._path = Path(url.database or "").absolute()
        try:
            self._identity = self._found()
            self._connection = sqlite3.connect(
                f"file:{quote(str(self._path))}?mode=rw",  # "rw" creates no file; WAL needs it
                uri=True,
                timeout=_BUSY_TIMEOUT,
                isolation_level=None,
                check_same_thread=False,
            )
            self._connection.execute("PRAGMA query_only = ON")
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(first_line(error)) from error

    def look_up(self, asked: bytes, deadline: float) -> Found:
        """Bounded by SQLite's own time-out for locks: the deadline is further off."""
        del deadline
        try:
            if self._found() != self._identity:
                raise ConnectionLost(f"{self._path} is another file now")
            found: Found = self._connection.execute(SQLITE_LOOK_UP, [asked.decode()]).fetchone()
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(first_line(error)) from error
        return found

    def close(self) -> None:
        """End it."""
        self._connection.close()

    def _found(self) -> tuple[int, int]:
        status = os.stat(self._path)  # noqa: PTH116 - on the way of every request
        return status.st_dev, status.st_ino


class PostgresqlConnection:
    """A prepared statement, sent and awaited by libpq's asynchronous calls: every wait ends."""

    def __init__(self, url: URL) -> None:
        import psycopg

        self._errors = psycopg.Error
        self._ok = psycopg.pq.ExecStatus.TUPLES_OK
        given = url.get_dialect()().create_connect_args(url)[1]
        try:
            connection = psycopg.connect(**{**_PATIENT, **given}, autocommit=True)
            connection.execute(_SESSION)
            prepared = connection.pgconn.prepare(b"look_up", POSTGRESQL_LOOK_UP.encode())
        except psycopg.Error as error:
            raise StoreUnavailable(first_line(error)) from error
        if prepared.status != psycopg.pq.ExecStatus.COMMAND_OK:
            connection.close()
            raise StoreUnavailable(first_line(prepared.get_error_message()))
        self._connection = connection
        self._raw = connection.pgconn
        self._raw.nonblocking = 1
        self._poll = select.poll()

    def look_up(self, asked: bytes, deadline: float) -> Found:
        """The answer before the deadline, by this process's clock."""
        try:
            self._raw.send_query_prepared(b"look_up", [asked])
            while self._raw.flush():
                self._wait(select.POLLOUT, deadline)
            result = self._results(deadline)[0]
        except self._errors as error:
            raise ConnectionLost(first_line(error)) from error
        if result.status != self._ok:
            raise StoreUnavailable(first_line(result.get_error_message()))
        return result.get_value(0, 0), result.get_value(0, 1)

    def close(self) -> None:
        """End it; what is under way is left to the server's time-out."""
        self._connection.close()

    def _results(self, deadline: float) -> list["PGresult"]:
        results: list[PGresult] = []
        while True:
            while self._raw.is_busy():
                self._wait(select.POLLIN, deadline)
                self._raw.consume_input()
            result = self._raw.get_result()
            if result is None:
                return results
            results.append(result)

    def _wait(self, event: int, deadline: float) -> None:
        left = deadline - time.monotonic()
        self._poll.register(self._raw.socket, event)
        if left <= 0 or not self._poll.poll(left * 1000):
            raise StoreUnavailable("no answer in time")
