"""How each database is connected to, and how long anything in it may wait."""

import errno
import os
import socket
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError, NoSuchModuleError, OperationalError

from staffeln_cli.deadlines import Deadlines
from staffeln_cli.errors import ConfigError, StoreUnavailable

BUSY_TIMEOUT = timedelta(seconds=10)
"""How long SQLite waits for another process, deaf to signals."""
_TRIES = 3
"""How often it waits so long for another process's write transaction."""
_BUSY_AFTER_STOP = timedelta(seconds=1)

_WAITS = {
    "lock_timeout": "10s",
    "statement_timeout": "5min",
    "idle_in_transaction_session_timeout": "15s",
}
"""How long PostgreSQL waits in a transaction that writes, before it gives up or ends it.

A host that is stopped in the middle would hold its locks, and with them all others, for good. They
are set for each transaction, since PgBouncer may give the connection to somebody else after it.
"""
_WAITS_OF_READS = _WAITS | {"idle_in_transaction_session_timeout": "10min"}
"""The same for one that only reads, and blocks nobody: its rows may be worked on meanwhile."""

_PATIENCE: dict[str, int | str] = {
    "application_name": "staffeln",
    "connect_timeout": 5,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 40_000,
}
"""What the URL does not say otherwise. A host that vanished without a word is noticed within 40 s:
a leader that waited for it as long as TCP would renew its lock all the time."""


_LONGEST_CONNECT = 10
"""Seconds that a new connection may take whatever the URL says: meanwhile no signal is obeyed."""
_CONNECT_AFTER_STOP = 2
"""The least that libpq knows."""


def engine_of(url: URL, stopping: threading.Event, deadlines: Deadlines) -> Engine:
    try:
        if url.get_backend_name() == "sqlite":
            return _sqlite(url, stopping)
        # Short processes, up to 64 threads: few connections; `_bound` checks each before use.
        engine = create_engine(
            url,
            pool_size=2,
            max_overflow=6,
            pool_timeout=30,
            connect_args={
                **{key: _PATIENCE[key] for key in _PATIENCE.keys() - url.query.keys()},
                "client_encoding": "utf8",  # of SQL_ASCII, texts would be bytes
                "prepare_threshold": None,  # a prepared statement outlives its transaction
            },
        )
        _bound(engine, deadlines)
        _bound_connecting(engine, stopping)
        return engine
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise ConfigError(
            [f"database.url: {error}; for PostgreSQL run: pip install 'staffeln[postgresql]'"]
        ) from error


def _bound(engine: Engine, deadlines: Deadlines) -> None:
    """Have no transaction of PostgreSQL wait for ever: neither there nor here."""

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("staffeln_read")
        waits = _WAITS_OF_READS if reading else _WAITS
        calls = [f"set_config('{name}', '{value}', true)" for name, value in waits.items()]
        # SQLAlchemy translates the error of a connection that has been cut; the rows of this
        # transaction may be streamed, those of this statement may not.
        at_once = {"stream_results": False, "yield_per": None}
        connection.exec_driver_sql(f"SELECT {', '.join(calls)}", execution_options=at_once)

    @event.listens_for(engine, "checkout")
    def check_out(connection: Any, record: Any, _: object) -> None:
        def cut() -> None:
            with socket.socket(fileno=os.dup(connection.fileno())) as twin:
                twin.shutdown(socket.SHUT_RDWR)

        pending = record.info["pending"] = deadlines.begin(cut)
        if record.info.setdefault("was_used", False) and not _answers(engine, connection):
            deadlines.end(pending)
            raise DisconnectionError("the server has ended this connection")
        record.info["was_used"] = True

    @event.listens_for(engine, "checkin")
    def check_in(_: Any, record: Any) -> None:
        pending = record.info.pop("pending", None)
        if pending is not None:
            deadlines.end(pending)


def _bound_connecting(engine: Engine, stopping: threading.Event) -> None:
    """Have no new connection to a silent server wait for long, above all after a stop.

    A server process that is stopped lets the kernel accept connections, and answers none.
    """

    @event.listens_for(engine, "do_connect")
    def connect(_: object, __: object, ___: object, parameters: dict[str, Any]) -> None:
        longest = _CONNECT_AFTER_STOP if stopping.is_set() else _LONGEST_CONNECT
        with suppress(ValueError):  # of what is no number, the driver says so
            wanted = int(parameters["connect_timeout"])
            parameters["connect_timeout"] = min(wanted, longest) if wanted > 0 else longest


def _answers(engine: Engine, connection: Any) -> bool:
    """What `pool_pre_ping` asks, but within the deadlines."""
    try:
        return bool(engine.dialect.do_ping(connection))
    except engine.dialect.loaded_dbapi.Error:
        return False


def _sqlite(url: URL, stopping: threading.Event) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT.total_seconds()})
    path, creating = Path(url.database or ""), threading.Lock()

    @event.listens_for(engine, "do_connect")
    def create_private(*_: object) -> None:
        """The file is readable by its owner only, from its first byte on."""
        with creating:
            _create_private(path)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's own BEGIN below, not the driver's
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("staffeln_read"):
            connection.exec_driver_sql("BEGIN")
            return
        _begin_writing(connection, stopping)

    return engine


def is_found(path: Path) -> bool:
    """Whether there is such a file; StoreUnavailable where that cannot be told."""
    try:
        return path.exists()
    except OSError as error:
        raise StoreUnavailable(f"database {path}: cannot be reached: {error.strerror}") from error


def _create_private(path: Path) -> None:
    """Create the file if there is none; one that is there is not opened, not even for a moment.

    To close it again would drop the locks that SQLite holds on it for all other connections of
    this process. Another process that ends then takes itself for the last one and deletes the
    write-ahead log: what this process commits after that is lost.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        code = errno.EISDIR if path.is_dir() else 0 if os.access(path, os.W_OK) else errno.EACCES
        if code:
            raise OSError(code, os.strerror(code))
    except OSError as error:
        if isinstance(error, FileExistsError) and path.is_file():
            return  # another process was first
        raise StoreUnavailable(
            f"database {path}: cannot be opened for writing: {error.strerror}"
        ) from error


def _begin_writing(connection: Connection, stopping: threading.Event) -> None:
    """Wait for other processes' transactions; SQLite does so without hearing a signal."""
    if stopping.is_set():
        milliseconds = _BUSY_AFTER_STOP // timedelta(milliseconds=1)
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds}")
    for tries_left in reversed(range(_TRIES)):
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError:
            if not tries_left or stopping.is_set():
                raise
        else:
            return
