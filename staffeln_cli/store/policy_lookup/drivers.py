"""Single connections of the database drivers, used without SQLAlchemy for their deadlines."""

import select
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from sqlalchemy.engine import URL

from staffeln_cli.errors import StoreUnavailable
from staffeln_cli.model.redaction import without_secrets
from staffeln_cli.model.text import first_line
from staffeln_cli.planning.deletion_guard import Question

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

_BUSY_TIMEOUT = 0.4
"""Seconds that SQLite waits for a lock; less than TIMEOUT of a lookup."""
_CONNECTION_DEFAULTS = {
    "connect_timeout": 2,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 2000,
    "application_name": "staffeln-policy",
}
"""Connection parameters that the URL may override."""
_BEGIN = (
    b"BEGIN READ ONLY",
    b"SET LOCAL statement_timeout = 500",  # for statements that nobody waits for any more
    b"SET LOCAL search_path TO DEFAULT",
)
"""Settings of one transaction: a pooler may have given the session to others before, and will
give it to others afterwards."""

_LOOK_UP = """
SELECT version_num, NULL, NULL, NULL, NULL, NULL, NULL FROM alembic_version
UNION ALL
SELECT NULL, id, backup_id, state, name, volume_id, {seconds} FROM backups
WHERE backup_id = {p}1 OR name = {p}2 OR id = {p}3
    OR volume_id = {p}4 AND state = 'starting' AND state IN ('creating', 'planned', 'starting')
"""
"""The schema's revision, then the records that bear on a question: four index lookups.

The last of them repeats the words of the partial index, or SQLite would not use it. Times are
read as seconds, which depend on no setting of the session.
"""
SQLITE_LOOK_UP = _LOOK_UP.format(p="?", seconds="CAST(strftime('%s', started_at) AS INTEGER)")
POSTGRESQL_LOOK_UP = _LOOK_UP.format(p="$", seconds="extract(epoch FROM started_at)")

Row = Sequence[str | int | None]
"""Of a record: id, backup id, state, name, volume id, and the seconds of its start."""
Found = tuple[str | None, list[Row]]
"""The schema's revision, and records."""


class ConnectionLost(StoreUnavailable):
    """The connection leads nowhere any more; a new one may."""


class DriverConnection(Protocol):
    """A connection, used by one thread at a time."""

    ends_in_time: bool
    """Whether a lookup returns by its deadline, whatever the database does."""

    def look_up(self, question: Question, deadline: float) -> Found:
        """Return the answer before the deadline (monotonic), or raise StoreUnavailable."""

    def close(self) -> None:
        """Close it without waiting."""


def connection_to(url: URL) -> Callable[[], DriverConnection]:
    """Return a function that connects to this database or raises StoreUnavailable."""
    if url.get_backend_name() == "sqlite":
        return partial(SqliteConnection, url)
    import psycopg  # noqa: F401 - now, and not within the time of the first answer

    return partial(PostgresqlConnection, url)


class SqliteConnection:
    """A connection to a file that exists; lost when another file has taken its place."""

    ends_in_time = False  # a disk may hang

    def __init__(self, url: URL) -> None:
        self._path = Path(url.database or "").absolute()
        try:
            self._identity = self._found()
            self._connection = sqlite3.connect(
                f"file:{quote(str(self._path))}?mode=rw",  # "rw" creates no file; WAL needs it
                uri=True,
                timeout=_BUSY_TIMEOUT,
                isolation_level=None,
            )
            self._connection.execute("PRAGMA query_only = ON")
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(first_line(error)) from error

    def look_up(self, question: Question, deadline: float) -> Found:
        """Look up; SQLite's own time-out for locks ends before the deadline."""
        del deadline
        try:
            if self._found() != self._identity:
                raise ConnectionLost(f"{self._path} is another file now")
            rows = self._connection.execute(SQLITE_LOOK_UP, _parameters(question)).fetchall()
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(first_line(error)) from error
        return _revision_and_records(rows)

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def _found(self) -> tuple[int, int]:
        status = self._path.stat()
        return status.st_dev, status.st_ino


class PostgresqlConnection:
    """A connection whose every wait ends, by libpq's asynchronous calls.

    Neither `statement_timeout` nor `connect_timeout` ends the wait for a host that is silent.
    """

    ends_in_time = True

    def __init__(self, url: URL) -> None:
        import psycopg

        self._error = psycopg.Error
        self._status = psycopg.pq.ExecStatus
        self._severity = psycopg.pq.DiagnosticField.SEVERITY_NONLOCALIZED
        given = url.get_dialect()().create_connect_args(url)[1]
        try:
            self.session = psycopg.connect(
                **{**_CONNECTION_DEFAULTS, **given, "client_encoding": "UTF8"}
            )
        except psycopg.Error as error:
            reason = without_secrets(first_line(error), url.render_as_string(hide_password=False))
            raise StoreUnavailable(reason) from error
        self._pgconn = self.session.pgconn
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._poll = select.poll()

    def look_up(self, question: Question, deadline: float) -> Found:
        """Look up in a transaction of its own, for which one round trip is enough."""
        parameters = [None if text is None else text.encode() for text in _parameters(question)]
        try:
            for statement in _BEGIN:
                self._pgconn.send_query_params(statement, None)
            self._pgconn.send_query_params(POSTGRESQL_LOOK_UP.encode(), parameters)
            self._pgconn.send_query_params(b"COMMIT", None)
            self._pgconn.pipeline_sync()
            rows = self._rows(deadline)
        except self._error as error:
            raise ConnectionLost(first_line(error)) from error
        return _revision_and_records(rows)

    def close(self) -> None:
        """Close it; `statement_timeout` ends what the server still does."""
        self.session.close()

    def _rows(self, deadline: float) -> list[Row]:
        """Wait for all results of what was sent, and return the rows of them."""
        while self._pgconn.flush():
            self._wait(select.POLLOUT, deadline)
        rows: list[Row] = []
        while (result := self._next_result(deadline)).status != self._status.PIPELINE_SYNC:
            if result.status == self._status.FATAL_ERROR:
                # Of another severity than ERROR, or none, are errors that end the session.
                ended = result.error_field(self._severity) != b"ERROR"
                kind = ConnectionLost if ended else StoreUnavailable
                raise kind(first_line(result.get_error_message()))
            rows += [
                [_text(result.get_value(row, column)) for column in range(result.nfields)]
                for row in range(result.ntuples)
            ]
        return rows

    def _next_result(self, deadline: float) -> "PGresult":
        """Wait for the next result; between those of two statements libpq returns none."""
        for _ in range(2):
            while self._pgconn.is_busy():
                self._wait(select.POLLIN, deadline)
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is not None:
                return result
        raise ConnectionLost("the results ended early")

    def _wait(self, event: int, deadline: float) -> None:
        left = deadline - time.monotonic()
        self._poll.register(self._pgconn.socket, event)
        if left <= 0 or not self._poll.poll(left * 1000):
            raise StoreUnavailable("no answer in time")


def _parameters(question: Question) -> list[str | None]:
    return [question.backup_id, question.name, question.record_id, question.volume_id]


def _revision_and_records(rows: Sequence[Row]) -> Found:
    revisions = [str(row[0]) for row in rows if row[0] is not None]
    records = [row[1:] for row in rows if row[0] is None]
    return revisions[0] if len(revisions) == 1 else None, records


def _text(value: bytes | None) -> str | None:
    """Decode; a database of the encoding SQL_ASCII may hold texts in any other encoding."""
    return None if value is None else value.decode(errors="surrogateescape")
