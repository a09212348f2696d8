"""One run of Staffeln in a process of its own, which may be told to die at a commit.

Run as a child of multiprocessing's fork server, where everything is imported already.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import Pool

from staffeln_cli.cli import staffeln
from staffeln_cli.cli.session import Session
from staffeln_cli.cli.show import bug

PRELOAD = (
    "tests.resilience.process",
    "staffeln_cli.cloud",
    "staffeln_cli.commands.backup",
    "staffeln_cli.commands.check",
    "staffeln_cli.commands.collect",
    "staffeln_cli.commands.report",
    "staffeln_cli.commands.retain",
    "staffeln_cli.commands.verify",
    "staffeln_cli.locks.file",
    "staffeln_cli.locks.redis",
    "staffeln_cli.store",
    "psycopg",
)


@dataclass(frozen=True)
class Frozen:
    """A clock that stands."""

    at: datetime

    def __call__(self) -> datetime:
        """The one moment."""
        return self.at


@dataclass(frozen=True)
class Wrong:
    """The machine's clock, off by so much."""

    by: timedelta

    def __call__(self) -> datetime:
        """The time that this host believes it is."""
        return datetime.now(UTC) + self.by


@dataclass(frozen=True)
class Fast:
    """A clock that went through `speed` seconds in each second since `since`."""

    since: datetime
    speed: float

    def __call__(self) -> datetime:
        """The same moment in every process."""
        return self.since + (datetime.now(UTC) - self.since) * self.speed


@dataclass(frozen=True)
class Death:
    """At which commit to die; `after` it, or just before."""

    commit: int
    after: bool


@dataclass(frozen=True)
class Conditions:
    """What this host is like."""

    clock: Callable[[], datetime] | None = None
    death: Death | None = None
    largest_file: int | None = None
    user: int | None = None
    right_database_clock: bool = False
    """Only this host's own clock is wrong, not that of the database server."""


def main(
    arguments: Sequence[str], environ: Mapping[str, str], output: Path, conditions: Conditions
) -> None:
    """Be the command line, with its output in two files."""
    for number, suffix in ((1, "out"), (2, "err")):
        target = os.open(output.with_suffix(f".{suffix}"), os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(target, number)
        os.close(target)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    _suffer(conditions)
    sys.argv = ["staffeln", *arguments]
    session = Session(clock=conditions.clock)
    try:
        if conditions.right_database_clock:
            from staffeln_cli.store import Store

            url = session.loaded.settings.database.url
            session.runtime.__dict__["unchecked_store"] = Store(url)
        staffeln(obj=session, standalone_mode=True)
    except Exception as error:  # noqa: BLE001 - as staffeln_cli.cli.main
        sys.exit(bug(session, error))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _suffer(conditions: Conditions) -> None:
    if conditions.largest_file is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        limit = (conditions.largest_file, conditions.largest_file)
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    if conditions.user is not None:
        os.setgid(conditions.user)
        os.setuid(conditions.user)
    if conditions.death is not None:
        die_at(conditions.death)


def die_at(death: Death) -> None:
    """Kill this process, for good and without a word, at its n-th commit."""
    commits = 0

    def committing(connection: Connection) -> None:
        nonlocal commits
        commits += 1
        if commits == death.commit:
            if not death.after:
                os.kill(os.getpid(), signal.SIGKILL)
            connection.info["dies"] = True

    def over(_: object, record: object) -> None:
        info = getattr(record, "info", {})
        if info.get("dies"):
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "commit", committing)
    event.listen(Pool, "checkin", over)
