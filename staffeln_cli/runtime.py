"""What a run is given: settings, cloud, store, lock, time; and the frame around each pass."""

import logging
import os
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from staffeln_cli.config import Settings
from staffeln_cli.errors import LockHeld, StaffelnError, Stopped
from staffeln_cli.model import Decision, Failure, Outcome, RunId

if TYPE_CHECKING:  # both import slowly, and not every command needs them
    from staffeln_cli.cloud import Cloud
    from staffeln_cli.store import Claim, Store

log = logging.getLogger(__name__)
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")
PARTLY_FAILED = 3


class Progress(Protocol):
    """Hears how far a run has come."""

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """`done` of `total` are through; the total may be unknown."""


def silent(what: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


def utc_now() -> datetime:
    """The time by this host's clock."""
    return datetime.now(UTC)


class Stop:
    """A signal's request to end: the item in hand is finished, no further one begun."""

    def __init__(self) -> None:
        self.event = threading.Event()
        """Set once an end was asked for."""
        self.signal_number: int | None = None

    def request(self, signal_number: int) -> None:
        """Ask for an end; safe in a signal handler."""
        self.signal_number = signal_number
        self.event.set()

    @property
    def is_requested(self) -> bool:
        """Whether an end was asked for."""
        return self.event.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than until an end is asked for."""
        self.event.wait(seconds)

    def check(self) -> None:
        """Raise Stopped if an end was asked for."""
        if self.signal_number is not None:
            raise Stopped(self.signal_number)


@dataclass
class Runtime:
    """The world as one process sees it. Cloud and store are opened when first used."""

    settings: Settings
    clock: Callable[[], datetime] | None = None
    """Simulated time, for the demonstration and for tests; None: the real one."""
    progress: Progress = silent
    stop: Stop = field(default_factory=Stop)
    run_id: str = "-"
    """The run that log lines belong to."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self.clock() if self.clock else utc_now()

    @cached_property
    def cloud(self) -> "Cloud":
        """The cloud; logs in when first asked for something."""
        from staffeln_cli.cloud import Cloud

        return Cloud(self.settings.cloud, stopping=self.stop.event)

    @cached_property
    def unchecked_store(self) -> "Store":
        """The database, whatever its schema."""
        from staffeln_cli.store import Store

        return Store(self.settings.database.url, clock=self.clock)

    @cached_property
    def store(self) -> "Store":
        """The database; SchemaOutdated unless its schema is this code's."""
        self.unchecked_store.database.check_schema()
        return self.unchecked_store

    def close(self) -> None:
        """Close what was opened."""
        for name in ("cloud", "unchecked_store"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @property
    def lock_url(self) -> str:
        """`lock.url`, else a folder beside the SQLite file, else one in the run folder."""
        if self.settings.lock.url:
            return self.settings.lock.url
        url = self.settings.database.url
        if url.startswith("sqlite:///"):
            return f"file://{Path(url.removeprefix('sqlite:///')).absolute().parent / 'locks'}"
        return f"file://{Path(os.environ.get('XDG_RUNTIME_DIR', '/run/lock')) / 'staffeln'}"

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock; LockHeld when another run has it."""
        from staffeln_cli import locks

        owner = f"{host_name()}:{os.getpid()}"
        with locks.held(self.lock_url, name, owner=owner, lease=self.settings.lock.lease):
            yield


class Run:
    """One pass of one command: what it may use, and what it reports."""

    def __init__(self, runtime: Runtime, command: str, *, dry_run: bool = False) -> None:
        self.runtime = runtime
        self.settings = runtime.settings
        self.command = command
        self.dry_run = dry_run
        self.id = RunId(f"{runtime.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}")
        self.started_at = runtime.now()
        self.counts: Counter[str] = Counter()
        self.figures: tuple[str, ...] = ()
        """Which counts its outcome has."""
        self.failures: list[Failure] = []
        self.decisions: list[Decision] = []
        self._lock = threading.Lock()
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
        """Name an item that failed; the pass goes on."""
        log.warning("%s %s: %s", kind, item, reason, extra={"shown": True})
        with self._lock:
            self.failures.append(Failure(kind, item, reason, name))

    def decide(self, decision: Decision) -> None:
        """Note what is done, or would be; shown by --dry-run."""
        with self._lock:
            self.decisions.append(decision)

    def claim(self) -> "Claim":
        """A right to records that outlasts one request with its token, and the doubt after it."""
        from staffeln_cli.store import Claim

        patience = self.settings.cloud.request_timeout * 3
        return Claim(self.id, self.store.database.now() + patience)

    def parallel(
        self, work: Callable[[_Item], _Answer], items: Iterable[_Item]
    ) -> Iterator[tuple[_Item, _Answer]]:
        """Do the work on all items, `cloud.workers` at a time; answers as they come.

        The first exception ends it, after the items in hand; so does a request to stop.
        """
        workers = self.settings.cloud.workers
        waiting = iter(items)
        pending: dict[Future[_Answer], _Item] = {}
        with ThreadPoolExecutor(workers, thread_name_prefix=self.command) as pool:
            try:
                while True:
                    while len(pending) < workers and not self.runtime.stop.is_requested:
                        item = next(waiting, None)
                        if item is None:
                            break
                        pending[pool.submit(work, item)] = item
                    if not pending:
                        return
                    for future in wait(pending, return_when=FIRST_COMPLETED).done:
                        yield pending.pop(future), future.result()
            finally:
                wait(pending)

    def outcome(self, error: StaffelnError | None = None, *, word: str | None = None) -> Outcome:
        """How the pass went, or how it ended early."""
        code = PARTLY_FAILED if self.failures else 0
        if error is not None:
            code = error.exit_code
        usual = "failed" if error else "partial" if self.failures else "ok"
        return Outcome(
            command=self.command,
            run_id=self.id,
            outcome=word or usual,
            started_at=self.started_at,
            duration_s=round(time.monotonic() - self._began, 3),
            api_requests=self._requests() - self._requests_before,
            dry_run=self.dry_run,
            counts={name: self.counts[name] for name in self.figures},
            failures=tuple(self.failures),
            decisions=tuple(self.decisions),
            note=str(error) if error else None,
            exit_code=code,
        )

    def _requests(self) -> int:
        cloud = self.runtime.__dict__.get("cloud")
        return cloud.request_count if cloud is not None else 0


def cycle(  # noqa: PLR0913 - the switches of a pass, all by name
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
    run.figures = tuple(counts)
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
        return run.outcome(error)
    return run.outcome()


@contextmanager
def _recorded(run: Run, *, leader: bool) -> Iterator[None]:
    """Lead if need be, see that cloud and database belong together, and keep a row of the run."""
    database = run.store.database
    with ExitStack() as frame:
        if run.dry_run:
            database.read_only = True
            frame.callback(setattr, database, "read_only", False)
        elif leader:
            frame.enter_context(run.runtime.lock(run.command))
            database.fence = database.raise_fence(run.command, run.id)
            frame.callback(setattr, database, "fence", None)
        run.store.cloud.belongs_to(run.cloud.login().cloud, remember=not run.dry_run)
        if run.dry_run:
            yield
            return
        run.store.runs.begin(run.id, run.command, host_name(), run.started_at)
        try:
            yield
        except StaffelnError as error:
            _end(run, run.outcome(error))
            raise
        _end(run, run.outcome())


def _end(run: Run, outcome: Outcome) -> None:
    """Write the row's end; a pass that failed because of the database cannot, and need not."""
    run.store.database.fence = None  # the row is the run's own, whoever leads now
    try:
        run.store.backups.give_back(run.id)
        run.store.runs.end(outcome, run.now())
    except StaffelnError as error:
        log.warning("could not note the end of run %s: %s", run.id, error)


def host_name() -> str:
    """This host, as rows and locks name it."""
    return socket.gethostname()
