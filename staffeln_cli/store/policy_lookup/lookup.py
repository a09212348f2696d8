"""Look up the records that bear on a question, in bounded time whatever the database does."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from queue import SimpleQueue

from staffeln_cli.errors import SchemaOutdated, StaffelnError, StoreUnavailable
from staffeln_cli.model import State
from staffeln_cli.planning.deletion_guard import KnownRecord, Question
from staffeln_cli.store.database import Database
from staffeln_cli.store.policy_lookup.drivers import (
    ConnectionLost,
    DriverConnection,
    Found,
    Row,
    connection_to,
)
from staffeln_cli.tables import SCHEMA_REVISION

log = logging.getLogger(__name__)
TIMEOUT = 0.5
"""Seconds after which a question that a connection has taken is given up."""
SLOW = 0.1
"""Seconds after which a lookup counts as slow."""
ENOUGH = 8
WINDOW = 0.3
"""Where fewer than ENOUGH lookups have ended within this many seconds, and one of those under way
is slow, nobody waits for a connection. At a higher rate, a crowd of 16 has its answers in time."""
_LOG_INTERVAL = 60.0
"""Seconds between two log lines that say that lookups fail."""


class PolicyLookup:
    """Asks the database for the policy endpoint; any number of threads may share it.

    Each connection has a thread of its own, and whoever asks waits for that thread with a
    time-out. So nothing that a connection hangs in (a name server, a network, a disk, a stopped
    database host) delays an answer.

    A server should have one thread more than there are connections. While lookups are slow, that
    thread is refused at once, and so empties the server's queue of requests.
    """

    def __init__(
        self,
        connect: Callable[[], DriverConnection],
        *,
        database: str,
        connections: int,
    ) -> None:
        self._database = database
        self._questions: SimpleQueue[_Asked | None] = SimpleQueue()
        self._idle = threading.Semaphore(connections)
        self._began = [time.monotonic()] * connections
        """When each connection began what it is doing; infinite: it is idle."""
        self._ended = deque([time.monotonic()] * ENOUGH, maxlen=ENOUGH)
        """When the last lookups ended, oldest first."""
        self._failing = False
        """Whether the last line in the log says that lookups fail."""
        self._logged = -inf
        self._threads = [
            threading.Thread(
                target=self._serve,
                args=(number, _Reconnecting(connect)),
                name=f"policy-lookup-{number}",
                daemon=True,  # one that hangs must not keep the process from ending
            )
            for number in range(connections)
        ]
        for thread in self._threads:
            thread.start()

    @classmethod
    def of(cls, database: Database, *, connections: int) -> "PolicyLookup":
        """Return a lookup in this database."""
        connect = connection_to(database.url)
        return cls(connect, database=database.shown, connections=connections)

    def look_up(self, question: Question) -> list[KnownRecord]:
        """Return the records that bear on the question, or raise a StaffelnError, in time.

        The schema's revision is read in the same statement, so that no answer rests on a schema
        of another revision.
        """
        if not self._idle.acquire(timeout=self._worth_waiting()):
            raise self._unavailable("all connections are busy with slow lookups")
        try:
            revision, rows = self._ask(question)
            if revision != SCHEMA_REVISION:
                raise SchemaOutdated(
                    [f"{self._database}: the schema is not at revision {SCHEMA_REVISION}"]
                )
        except StaffelnError as error:
            self._log_failure(error)
            raise
        if self._failing:
            self._failing = False
            log.warning("database %s: answers again", self._database)
        return [_record(row) for row in rows]

    def close(self) -> None:
        """End the threads and their connections; one that hangs is left behind."""
        for _ in self._threads:
            self._questions.put(None)
        end = time.monotonic() + TIMEOUT
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _ask(self, question: Question) -> Found:
        """Have one of the idle connections answer; its thread marks it idle again."""
        asked = _Asked(question, time.monotonic() + TIMEOUT)
        self._questions.put(asked)
        try:
            return asked.found.result(TIMEOUT)
        except TimeoutError:
            raise self._unavailable("no answer in time") from None
        except StoreUnavailable as error:
            raise self._unavailable(str(error)) from error

    def _worth_waiting(self) -> float:
        """Return how many seconds to wait for a connection."""
        slow_from = max(min(self._began) + SLOW, self._ended[0] + WINDOW)
        return min(TIMEOUT, max(0.0, slow_from - time.monotonic()))

    def _serve(self, number: int, connection: "_Reconnecting") -> None:
        """Answer with one connection, until there is nothing more to answer."""
        connection.warm_up()
        self._began[number] = inf
        while (asked := self._questions.get()) is not None:
            self._began[number] = time.monotonic()
            try:
                found = connection.look_up(asked.question, asked.deadline)
            except BaseException as error:  # noqa: BLE001 - raised again where it was asked
                asked.found.set_exception(error)
            else:
                asked.found.set_result(found)
            finally:
                self._began[number] = inf
                self._ended.append(time.monotonic())
                self._idle.release()
        connection.close()

    def _log_failure(self, error: StaffelnError) -> None:
        now = time.monotonic()
        if not self._failing and now - self._logged > _LOG_INTERVAL:
            self._failing, self._logged = True, now
            log.warning("policy lookups fail: %s", error)

    def _unavailable(self, problem: str) -> StoreUnavailable:
        return StoreUnavailable(f"database {self._database}: {problem}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question on its way to a connection, and the answer on its way back."""

    question: Question
    deadline: float
    found: "Future[Found]" = field(default_factory=Future)


class _Reconnecting:
    """A connection that is opened when it is needed, and again after it has failed."""

    def __init__(self, connect: Callable[[], DriverConnection]) -> None:
        self._connect = connect
        self._open: DriverConnection | None = None

    def warm_up(self) -> None:
        """Connect before the first question, if that is possible."""
        with suppress(StoreUnavailable):
            self._open = self._connect()

    def look_up(self, question: Question, deadline: float) -> Found:
        """Return what the database says before the deadline, or raise StoreUnavailable."""
        try:
            return self._look_up(question, deadline)
        except ConnectionLost:  # the server was restarted or the file replaced: ask the new one
            return self._look_up(question, deadline)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _look_up(self, question: Question, deadline: float) -> Found:
        if self._open is None:
            self._open = self._connect()
        if time.monotonic() > deadline:  # nobody waits any more; the next question finds it open
            raise StoreUnavailable("connected too late")
        try:
            return self._open.look_up(question, deadline)
        except BaseException:
            self.close()
            raise


def _record(row: Row) -> KnownRecord:
    record_id, backup_id, state, name, volume_id, started = row
    return KnownRecord(
        record_id=str(record_id),
        backup_id=None if backup_id is None else str(backup_id),
        state=State(str(state)),
        name=str(name),
        volume_id=str(volume_id),
        started_at=None if started is None else datetime.fromtimestamp(float(started), UTC),
    )
