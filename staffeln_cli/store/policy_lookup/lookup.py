"""Look up the records that bear on a question, in bounded time whatever the database does."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from math import inf
from queue import Empty, SimpleQueue

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
is slow, nobody waits for a connection. At a higher rate, a crowd of 16 has its answers in time.
Nobody waits longer than this either: with TIMEOUT, a question takes 0.8 s at most."""
_Answers = SimpleQueue[Found | BaseException]
_LOG_INTERVAL = 60.0
"""Seconds between two log lines that say that lookups fail."""


class PolicyLookup:
    """Asks the database for the policy endpoint; any number of threads may share it.

    Each connection has a thread of its own, which connects, and looks up wherever a lookup may
    take longer than its deadline; whoever asks waits for that thread with a time-out. So nothing
    that a connection hangs in (a name server, a network, a disk, a stopped database host) delays
    an answer. An open connection whose lookups end in time is used by whoever asks, which saves
    two changes of the thread.

    A server should have one thread more than there are connections. While lookups are slow, that
    thread is refused at once, and so empties the server's queue of requests.
    """

    def __init__(
        self, connect: Callable[[], DriverConnection], *, database: str, connections: int
    ) -> None:
        self._database = database
        self._ended = deque([time.monotonic()] * ENOUGH, maxlen=ENOUGH)
        """When the last lookups ended, oldest first."""
        self._idle: SimpleQueue[_ConnectionThread] = SimpleQueue()
        self._threads = [
            _ConnectionThread(connect, self._idle, self._ended) for _ in range(connections)
        ]
        self._failing = False
        """Whether the last line in the log says that lookups fail."""
        self._logged = -inf
        for thread in self._threads:
            self._idle.put(thread)
            thread.start()

    @classmethod
    def of(cls, database: Database, *, connections: int) -> "PolicyLookup":
        """Return a lookup in this database."""
        connect = connection_to(database.url)
        return cls(connect, database=database.shown, connections=connections)

    def look_up(self, question: Question) -> list[KnownRecord]:
        """Return the records that bear on the question, or raise a StaffelnError, in time.

        The schema's revision is read in the same statement, so that no answer depends on a schema
        of another revision.
        """
        try:
            thread = self._idle.get(timeout=self._worth_waiting())
        except Empty:
            raise self._unavailable("all connections are busy with slow lookups") from None
        try:
            revision, rows = self._ask(thread, question)
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
        for thread in self._threads:
            thread.end()
        end = time.monotonic() + TIMEOUT
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _ask(self, thread: "_ConnectionThread", question: Question) -> Found:
        deadline = time.monotonic() + TIMEOUT
        try:
            found = thread.answer_here(question, deadline)
            if found is not None:
                return found
            left = max(0.0, deadline - time.monotonic())
            answer = thread.ask(question, deadline).get(timeout=left)
            if isinstance(answer, BaseException):
                raise answer
        except Empty:
            raise self._unavailable("no answer in time") from None
        except StoreUnavailable as error:
            raise self._unavailable(str(error)) from error
        return answer

    def _worth_waiting(self) -> float:
        """Return how many seconds to wait for a connection."""
        oldest = min(thread.began for thread in self._threads)
        slow_from = max(oldest + SLOW, self._ended[0] + WINDOW)
        return min(WINDOW, max(0.0, slow_from - time.monotonic()))

    def _log_failure(self, error: StaffelnError) -> None:
        now = time.monotonic()
        if not self._failing and now - self._logged > _LOG_INTERVAL:
            self._failing, self._logged = True, now
            log.warning("policy lookups fail: %s", error)

    def _unavailable(self, problem: str) -> StoreUnavailable:
        return StoreUnavailable(f"database {self._database}: {problem}")


class _ConnectionThread(threading.Thread):
    """A thread that answers with its own connection, one question after the other."""

    def __init__(
        self,
        connect: Callable[[], DriverConnection],
        idle: "SimpleQueue[_ConnectionThread]",
        ended: deque[float],
    ) -> None:
        super().__init__(
            name="policy-lookup", daemon=True
        )  # does not keep the process from ending
        self.began = time.monotonic()
        """When it began what it is doing; infinite: it is idle."""
        self._connection = _Reconnecting(connect)
        self._questions: SimpleQueue[tuple[Question, float, _Answers] | None] = SimpleQueue()
        self._idle = idle
        self._ended = ended

    def answer_here(self, question: Question, deadline: float) -> Found | None:
        """Look up in the caller's thread, or return None where this thread has to do it.

        The caller has taken this thread from the idle ones, so that it waits for a question.
        """
        if not self._connection.ends_in_time:
            return None
        self.began = time.monotonic()
        is_lost = False
        try:
            return self._connection.look_up_once(question, deadline)
        except ConnectionLost:
            is_lost = True
            return None
        finally:
            if not is_lost:
                self._has_ended()

    def ask(self, question: Question, deadline: float) -> "_Answers":
        """Begin to look up; the queue will have the answer."""
        answers: _Answers = SimpleQueue()
        self._questions.put((question, deadline, answers))
        return answers

    def end(self) -> None:
        """Ask the thread to end when it is idle."""
        self._questions.put(None)

    def run(self) -> None:
        """Answer until the end is asked for."""
        self._connection.warm_up()
        self.began = inf
        while (asked := self._questions.get()) is not None:
            question, deadline, answers = asked
            self.began = time.monotonic()
            found: Found | BaseException
            try:
                found = self._connection.look_up(question, deadline)
            except BaseException as error:  # noqa: BLE001 - raised again where it was asked
                found = error
            self._has_ended()
            answers.put(found)
        self._connection.close()

    def _has_ended(self) -> None:
        self.began = inf
        self._ended.append(time.monotonic())
        self._idle.put(self)


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
            return self.look_up_once(question, deadline)
        except ConnectionLost:  # the server was restarted or the file replaced: ask the new one
            return self.look_up_once(question, deadline)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._open is not None:
            self._open.close()
            self._open = None

    @property
    def ends_in_time(self) -> bool:
        """Whether it is open, and a lookup returns by its deadline whatever the database does."""
        return self._open is not None and self._open.ends_in_time

    def look_up_once(self, question: Question, deadline: float) -> Found:
        """The same; a connection that is lost is closed, and not opened again."""
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
