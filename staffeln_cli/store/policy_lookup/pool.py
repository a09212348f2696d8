"""A few connections, opened in the background, and look-ups that wait for nothing else."""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from staffeln_cli.errors import SchemaOutdated, StoreUnavailable
from staffeln_cli.model import State
from staffeln_cli.planning.deletion_guard import Question, Remembered
from staffeln_cli.store.database import Database
from staffeln_cli.store.policy_lookup.drivers import (
    ConnectionLost,
    DriverConnection,
    Found,
    PostgresqlConnection,
    SqliteConnection,
)
from staffeln_cli.tables import SCHEMA_REVISION

log = logging.getLogger(__name__)
PATIENCE = 0.5
"""Seconds in which a look-up has its answer or has failed."""
_REST = 0.5
"""Seconds without another try after a look-up that failed slowly: nobody queues up behind it."""
_RETRY = 0.2
"""Seconds between attempts to connect."""
_TOGETHER = 32
_NOTHING = Question(backup_id="")


class PolicyLookup:
    """What the policy endpoint may ask the database; threads may share it."""

    def __init__(self, database: Database, *, connections: int = 2) -> None:
        self._database = database
        self._ready: SimpleQueue[DriverConnection] = SimpleQueue()
        self._wanted = threading.Semaphore(connections)
        self._closing = threading.Event()
        self._failure: str | None = None
        """Why connecting keeps failing; none: it does not, or that is not known yet."""
        self._resting_until = 0.0
        self._opener = threading.Thread(target=self._open, name="guarded", daemon=True)
        self._opener.start()

    @property
    def together(self) -> int:
        """How many questions one look-up should be asked, if so many wait.

        To PostgreSQL the way is longer than the look-up. SQLite is near, but may hang in a disk:
        with one request, not with many.
        """
        return 1 if self._database.is_sqlite else _TOGETHER

    def look_up(self, questions: Sequence[Question]) -> list[list[Remembered]]:
        """The records that bear on each, or StoreUnavailable or SchemaOutdated, in time.

        The schema's revision is read in the same statement: no answer ever rests on another one.
        """
        began = time.monotonic()
        if began < self._resting_until:
            raise self._unavailable("did not answer a moment ago")
        try:
            revision, records = self._found(_asked(questions), began + PATIENCE)
        except StoreUnavailable:
            now = time.monotonic()
            if now - began > PATIENCE / 2:
                self._resting_until = now + _REST
            raise
        if _text(revision) != SCHEMA_REVISION:
            raise SchemaOutdated(
                [f"{self._database.shown}: its schema is not at revision {SCHEMA_REVISION}"]
            )
        found: list[list[Remembered]] = [[] for _ in questions]
        for number, *row in msgspec.json.decode(records or "[]"):
            found[int(number)].append(_remembered(row))
        return found

    def check(self) -> None:
        """Raise what a look-up would raise now."""
        self.look_up([_NOTHING])

    def close(self) -> None:
        """Close what is open, and open nothing more."""
        self._closing.set()
        self._wanted.release()
        self._opener.join(PATIENCE)
        while True:
            try:
                self._ready.get_nowait().close()
            except Empty:
                return

    def _found(self, asked: bytes, deadline: float) -> Found:
        while True:
            connection = self._take(deadline)
            try:
                found = connection.look_up(asked, deadline)
            except ConnectionLost:
                self._replace(connection)  # a restarted server, a restored file: ask the new one
            except BaseException:
                self._replace(connection)
                raise
            else:
                self._ready.put(connection)
                return found

    def _take(self, deadline: float) -> DriverConnection:
        left = deadline - time.monotonic()
        try:
            # While the database refuses, nobody waits for it: 503 at once.
            return self._ready.get(timeout=0 if self._failure else max(0.0, left))
        except Empty:
            raise self._unavailable(self._failure or "no connection in time") from None

    def _replace(self, connection: DriverConnection) -> None:
        connection.close()
        self._wanted.release()

    def _open(self) -> None:
        """Open what is wanted. Only this thread ever waits for a name server or a connection."""
        while not self._closing.is_set():
            self._wanted.acquire()
            connection = self._opened()
            if connection is not None:
                self._ready.put(connection)

    def _opened(self) -> DriverConnection | None:
        kind = SqliteConnection if self._database.is_sqlite else PostgresqlConnection
        pause = _RETRY / 4  # once may be a restart, which whoever asks now can wait for
        while not self._closing.is_set():
            try:
                connection: DriverConnection = kind(self._database.url)
            except StoreUnavailable as error:
                if pause == _RETRY:
                    self._fails(str(error))
                self._closing.wait(pause)
                pause = _RETRY
            else:
                if self._failure is not None:
                    log.warning("database %s: answers again", self._database.shown)
                self._failure = None
                return connection
        return None

    def _fails(self, why: str) -> None:
        if self._failure is None:
            log.warning("database %s: %s", self._database.shown, why)
        self._failure = why

    def _unavailable(self, what: str) -> StoreUnavailable:
        return StoreUnavailable(f"database {self._database.shown}: {what}")


def _asked(questions: Sequence[Question]) -> bytes:
    return msgspec.json.encode(
        [
            (number, one.backup_id, one.name, one.record_id, one.volume_id)
            for number, one in enumerate(questions)
        ]
    )


def _text(value: str | bytes | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else value


def _remembered(row: Sequence[Any]) -> Remembered:
    record_id, backup_id, state, name, volume_id, started_at = row
    return Remembered(record_id, backup_id, State(state), name, volume_id, _moment(started_at))


def _moment(text: str | None) -> datetime | None:
    """SQLite holds naive UTC; PostgreSQL was asked for UTC."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
