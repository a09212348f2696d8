"""The world as one process sees it: settings, cloud, store, lock, time, signals."""

import getpass
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from staffeln_cli.config import Settings
from staffeln_cli.errors import Stopped
from staffeln_cli.model.restorations import RESTORATION_KEY

if TYPE_CHECKING:  # both import slowly, and not every command needs them
    from staffeln_cli.cloud import Cloud
    from staffeln_cli.store import Leases, Store


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

        select, retention = self.settings.select, self.settings.retention
        return Cloud(
            self.settings.cloud,
            now=self.now,
            stopping=self.stop.event,
            metadata_keys=(
                select.metadata_key,
                select.skip_volume_key,
                retention.metadata_key,
                RESTORATION_KEY,
            ),
        )

    @cached_property
    def unchecked_store(self) -> "Store":
        """The database, whatever its schema."""
        from staffeln_cli.store import Store

        url, stopping = self.settings.database.url, self.stop.event
        return Store(url, clock=self.clock, stopping=stopping)

    @cached_property
    def store(self) -> "Store":
        """The database; SchemaOutdated unless its schema is this code's."""
        self.unchecked_store.database.check_schema()
        return self.unchecked_store

    def close(self) -> None:
        """Close what was opened."""
        for name in ("cloud", "_leases", "unchecked_store"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @property
    def lock_url(self) -> str:
        """`lock.url`, else a folder beside the SQLite file, else the database itself."""
        from staffeln_cli.locks import DATABASE

        if self.settings.lock.url:
            return self.settings.lock.url
        url = self.settings.database.url
        if url.startswith("sqlite:///"):
            return f"file://{Path(url.removeprefix('sqlite:///')).absolute().parent / 'locks'}"
        return DATABASE

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock; LockHeld when another run of this installation has it."""
        from staffeln_cli import locks

        owner = f"{host_name()}:{os.getpid()}"
        installation = self.store.observations.installation_id()  # "" before the first pass
        service: str | Leases = self.lock_url
        if service == locks.DATABASE:
            service = self._leases
        elif installation:  # other installations may use the same folder or service
            name = f"{name}-{installation}"
        with locks.held(service, name, owner=owner, lease=self.settings.lock.lease):
            yield

    @cached_property
    def _leases(self) -> "Leases":
        """The locks in the database."""
        from staffeln_cli.store import Leases

        return Leases(self.settings.database.url, stopping=self.stop.event)


def host_name() -> str:
    """This host, as rows and locks name it."""
    return socket.gethostname()


def caller() -> str:
    """The user and the host, as notes and events name who decided."""
    return f"{user_name()}@{host_name()}"


def user_name() -> str:
    """Who runs this process, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id that has no name
        return "unknown"
