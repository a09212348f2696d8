"""The frame around each pass: lock, row, claims, parallel work, and what came of it."""

import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import datetime
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from staffeln_cli.errors import LockHeld, NotFound, StaffelnError, Stopped, Unavailable
from staffeln_cli.model import Decision, Failure, Outcome, RunId, UnreadableRow
from staffeln_cli.planning.evidence import CLOCK_TOLERANCE
from staffeln_cli.runtime.runtime import Runtime, host_name

if TYPE_CHECKING:  # both import slowly, and not every command needs them
    from staffeln_cli.cloud import Cloud
    from staffeln_cli.store import Claim, Store

log = logging.getLogger(__name__)
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")
PARTLY_FAILED = 3


class Run:
    """One pass of one command: what it may use, and what it reports."""

    def __init__(self, runtime: Runtime, command: str, *, dry_run: bool = False) -> None:
        from staffeln_cli.runtime.decisions import Decisions

        self.runtime = runtime
        self.settings = runtime.settings
        self.command = command
        self.dry_run = dry_run
        self.id = RunId(f"{runtime.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}")
        self.started_at = runtime.now()
        self.counts: Counter[str] = Counter()
        self.count_names: tuple[str, ...] = ()
        """Which counts its outcome has."""
        self.shows_decisions = dry_run
        """Whether its decisions are shown."""
        self.failures: list[Failure] = []
        self.next_steps: list[str] = []
        """Commands that people may want to type next."""
        self.remarks: list[str] = []
        """What people may want to know of a pass that went well."""
        self._unreadable: dict[tuple[str, str], UnreadableRow] = {}
        self.decisions = Decisions()
        self._lock = threading.Lock()
        self._at_work: Collection[Future[Any]] = ()
        self._began = time.monotonic()
        self._requests_before = self._requests()

    @property
    def cloud(self) -> "Cloud":
        """The cloud."""
        return self.runtime.cloud

    @property
    def store(self) -> "Store":
        """The database."""
        return self.runtime.store

    def now(self) -> datetime:
        """The present moment."""
        return self.runtime.now()

    def count(self, name: str, number: int = 1) -> None:
        """Add to a figure of the outcome; threads may call it."""
        with self._lock:
            self.counts[name] += number

    def fail(self, kind: str, item: str, reason: str, *, name: str = "") -> None:
        """Name an item that failed; the pass goes on. What was not understood is named once."""
        if (kind, item) in self._unreadable:
            return
        self._note_failure(kind, item, reason, name)

    def skip_unreadable(self, row: UnreadableRow) -> None:
        """Name an item whose row in a listing is not understood: nothing is concluded from it."""
        with self._lock:
            is_news = (row.kind, row.id) not in self._unreadable
            self._unreadable[row.kind, row.id] = row
        if is_news:
            reason = f"its row in the listing is not understood, so it is left alone: {row.reason}"
            self._note_failure(row.kind, row.id, reason, "")

    def unreadable(self, kind: str) -> list[UnreadableRow]:
        """The items of this kind whose rows were not understood so far."""
        with self._lock:
            return [row for row in self._unreadable.values() if row.kind == kind]

    def _note_failure(self, kind: str, item: str, reason: str, name: str) -> None:
        log.warning("%s %s: %s", kind, item, reason, extra={"shown": True})
        with self._lock:
            self.failures.append(Failure(kind, item, reason, name))

    def decide(self, decision: Decision) -> None:
        """Note what is done, or would be, where that is to be shown."""
        if self.shows_decisions:
            with self._lock:
                self.decisions.add([decision])

    def remark(self, text: str) -> None:
        """Say something that is no trouble: on a terminal, in JSON and in the log."""
        log.info("%s", text)
        self.remarks.append(text)

    def claim(self) -> "Claim":
        """A right to records that outlasts one request with its token, and the doubt after it."""
        from staffeln_cli.store import Claim

        patience = self.settings.cloud.request_timeout * 3
        longest = patience * 2 + CLOCK_TOLERANCE  # other hosts may be configured otherwise
        return Claim(self.id, self.store.database.now() + patience, longest)

    def parallel(
        self,
        work: Callable[[_Item], _Answer],
        items: Iterable[_Item],
        *,
        workers: int | None = None,
    ) -> Iterator[tuple[_Item, _Answer]]:
        """Do the work on all items, `cloud.workers` (or so many) at a time; answers as they come.

        The first exception ends it, after the items in hand; so does a request to stop.
        """
        workers = workers or self.settings.cloud.workers
        waiting = iter(items)
        pending: dict[Future[_Answer], _Item] = {}
        self._at_work = pending.keys()
        ended: SimpleQueue[Future[_Answer]] = SimpleQueue()
        with ThreadPoolExecutor(workers, thread_name_prefix=self.command) as pool:
            try:
                while True:
                    while len(pending) < workers and not self.runtime.stop.is_requested:
                        item = next(waiting, None)
                        if item is None:
                            break
                        future = pool.submit(work, item)
                        pending[future] = item
                        future.add_done_callback(ended.put)
                    if not pending:
                        return
                    future = ended.get()
                    yield pending.pop(future), future.result()
            finally:
                wait(pending)

    def rest(self) -> None:
        """Wait until no thread is at work, also where an error stopped the loop over answers."""
        wait(tuple(self._at_work))

    def outcome(self, error: Exception | None = None, *, word: str | None = None) -> Outcome:
        """How the pass went, or how it ended early; what is no error of ours is a bug."""
        code = PARTLY_FAILED if self.failures else 0
        if error is not None:
            code = getattr(error, "exit_code", StaffelnError.exit_code)
        usual = "failed" if error else "partial" if self.failures else "ok"
        return Outcome(
            command=self.command,
            run_id=self.id,
            outcome=word or usual,
            started_at=self.started_at,
            duration_s=round(time.monotonic() - self._began, 3),
            api_requests=self._requests() - self._requests_before,
            dry_run=self.dry_run,
            counts={name: self.counts[name] for name in self.count_names},
            failures=tuple(self.failures),
            decisions=self.decisions,
            note=str(error) if error else None,
            shows_decisions=self.shows_decisions,
            next_steps=tuple(self.next_steps),
            remarks=tuple(self.remarks),
            exit_code=code,
        )

    def _requests(self) -> int:
        cloud = self.runtime.__dict__.get("cloud")
        return cloud.request_count if cloud is not None else 0


def run_pass(  # noqa: PLR0913 - the switches of a pass, all by name
    runtime: Runtime,
    command: str,
    work: Callable[[Run], None],
    *,
    counts: Iterable[str],
    leader: bool = False,
    dry_run: bool = False,
) -> Outcome:
    """One pass of a cycle command, from the lock to the row that says how it went.

    `counts` are the figures its outcome always has. Foreseen errors end the pass and come back in
    the outcome; a lock that another run holds is one of the good ends.
    """
    run = Run(runtime, command, dry_run=dry_run)
    run.count_names = tuple(counts)
    runtime.run_id = run.id
    try:
        runtime.stop.check()
        with ExitStack() as frame:
            frame.enter_context(_recorded(run, leader=leader))
            work(run)
            runtime.stop.check()
    except LockHeld as held:
        log.info("%s: %s", command, held)
        return run.outcome(held, word="skipped")
    except StaffelnError as error:
        return run.outcome(_cause(run, error))
    return run.outcome()


def run_offline(
    runtime: Runtime,
    command: str,
    work: Callable[[Run], None],
    *,
    counts: Iterable[str],
    recorded: bool = False,
) -> Outcome:
    """A run that asks no cloud; `recorded`, with a row in the database that says how it went."""
    run = Run(runtime, command)
    run.count_names = tuple(counts)
    runtime.run_id = run.id
    try:
        runtime.stop.check()
        if recorded:
            run.store.runs.begin(run.id, run.command, host_name(), run.started_at)
        with _ending(run) if recorded else nullcontext():
            work(run)
            runtime.stop.check()
    except StaffelnError as error:
        return run.outcome(_cause(run, error))
    return run.outcome()


@contextmanager
def _recorded(run: Run, *, leader: bool) -> Iterator[None]:
    """Lead if need be, see that cloud and database belong together, and keep a row of the run."""
    database = run.store.database
    with ExitStack() as frame:
        if leader and not run.dry_run:
            frame.enter_context(run.runtime.lock(run.command))
        login = run.cloud.login()
        run.cloud.check_clock()  # before anything is written
        if run.dry_run:
            frame.enter_context(database.session(read_only=True))
        elif leader:
            fence = database.raise_fence(run.command, run.id)
            frame.enter_context(database.session(fence=fence))
        run.cloud.name_unreadable(run.skip_unreadable)
        run.store.cloud.belongs_to(login.cloud, remember=not run.dry_run)
        if run.dry_run:
            yield
            return
        run.store.observations.create_installation_id()
        run.store.runs.begin(run.id, run.command, host_name(), run.started_at)
        with _ending(run):
            yield


@contextmanager
def _ending(run: Run) -> Iterator[None]:
    """Write how the run ended; a bug, too, leaves neither an open row nor claims."""
    try:
        yield
    except NotFound as error:  # before anything was done: no news for monitoring
        _end(run, run.outcome(error, word="skipped"))
        raise
    except Exception as error:
        _end(run, run.outcome(_cause(run, error)))
        raise
    _end(run, run.outcome())


def _cause(run: Run, error: Exception) -> Exception:
    """Why a pass ended: after a signal, requests are cut off, which is no trouble of theirs."""
    number = run.runtime.stop.signal_number
    return Stopped(number) if number is not None and isinstance(error, Unavailable) else error


def _end(run: Run, outcome: Outcome) -> None:
    """Write the row's end; a pass that failed because of the database cannot, and need not."""
    run.rest()
    try:
        with run.store.database.session():  # the row is the run's own, whoever leads now
            run.store.claims.release(run.id)
            run.store.runs.end(outcome, run.now())
    except StaffelnError as error:
        log.warning("could not note the end of run %s: %s", run.id, error)
