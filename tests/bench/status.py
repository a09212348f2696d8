"""`status`, `status calendar` and completion over a million records of 30,000 volumes.

STAFFELN_TEST_BACKUPS makes it smaller; with STAFFELN_TEST_POSTGRESQL=1 the database is PostgreSQL.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, insert, text

from staffeln_cli.model import Kind, Origin, State
from staffeln_cli.tables import backup_table, project_table, run_table, volume_table
from tests.bench.measure import middle, run, say, title
from tests.services.postgres import a_postgres

BACKUPS, VOLUMES, PROJECTS, PER_SERVER = 1_000_000, 30_000, 300, 3
STAFFELN = [sys.executable, "-m", "staffeln_cli"]
SCRIPT = str(Path(sys.executable).parent / "staffeln")
RUNS = 3
SHOWN = (
    ("status",),
    ("status", "-f", "json"),
    ("status", "--prometheus", "-"),
    ("status", "calendar"),
    ("status", "calendar", "--days", "90"),
    ("status", "projects"),
)
COMPLETED = (
    "staffeln explain volume-1",
    "staffeln restore staffeln-01",
    "staffeln backup --server server-0",
)


def main() -> None:
    number = int(os.environ.get("STAFFELN_TEST_BACKUPS", BACKUPS))
    with _database() as environ:
        volumes = max(1, VOLUMES * number // BACKUPS)
        seed(environ["STAFFELN_DATABASE_URL"], number, volumes)
        title(f"status, {number:,} records, {volumes:,} volumes (1.5 s)")
        os.sync()
        run([*STAFFELN, "status"], environ)
        for words in SHOWN:
            runs = [run([*STAFFELN, *words], environ, most=0) for _ in range(RUNS)]
            wall, cpu = middle(runs, lambda one: one.wall), middle(runs, lambda one: one.cpu)
            memory = f"{middle(runs, lambda one: one.memory):.0f} MiB"
            say(f"staffeln {' '.join(words)}", f"{wall:.2f} s", f"CPU {cpu:.2f} s", memory)
        title("completion in the shell, over the same (0.3 s)")
        for begun in COMPLETED:
            asked = environ | {"_STAFFELN_COMPLETE": "bash_complete", "COMP_WORDS": begun}
            asked["COMP_CWORD"] = str(len(begun.split()) - 1)
            runs = [run([SCRIPT], asked) for _ in range(RUNS)]
            wall, cpu = middle(runs, lambda one: one.wall), middle(runs, lambda one: one.cpu)
            say(begun, f"{wall:.2f} s", f"CPU {cpu:.2f} s")


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        environ = {"STAFFELN_LOCK_URL": f"file://{folder}/locks", "OS_CLOUD": "none"}
        if os.environ.get("STAFFELN_TEST_POSTGRESQL") == "1":
            with a_postgres(durable=True) as server:
                environ["STAFFELN_DATABASE_URL"] = server.url
                run([*STAFFELN, "db", "upgrade"], environ)
                yield environ
            return
        environ["STAFFELN_DATABASE_URL"] = f"sqlite:///{folder}/status.db"
        run([*STAFFELN, "db", "upgrade"], environ)
        yield environ


def seed(url: str, number: int, volumes: int) -> None:
    """A backup each night, of which the last days are kept; of a third the next one waits.

    One volume in 300 is overdue.
    """
    engine = create_engine(url)
    now = datetime.now(UTC).replace(microsecond=0)
    nights = number // volumes
    with engine.begin() as connection:
        _insert(connection, project_table, ({**_project(one)} for one in range(PROJECTS)))
        _insert(connection, volume_table, (_volume(one, now, nights) for one in range(volumes)))
        backups = (_backup(one, night, now) for one in range(volumes) for night in range(nights))
        _insert(connection, backup_table, backups)
        _insert(connection, run_table, [_run(now)])
        if engine.dialect.name != "sqlite":
            connection.execute(text("ANALYZE"))
    engine.dispose()


def _insert(connection: Connection, table: Any, rows: Any) -> None:
    part = []
    for row in rows:
        part.append(row)
        if len(part) == 5000:
            connection.execute(insert(table), part)
            part = []
    if part:
        connection.execute(insert(table), part)


def _project(number: int) -> dict[str, object]:
    return {
        "project_id": f"{number:032x}",
        "project_name": f"project-{number:03}",
        "domain_id": "default",
        "enabled": True,
    }


def _names(number: int) -> dict[str, object]:
    server = number // PER_SERVER
    return {
        "volume_id": f"{number:036x}",
        "volume_name": f"volume-{number:05}",
        "server_id": f"{server:036x}",
        "server_name": f"server-{server:05}",
        "project_id": f"{server % PROJECTS:032x}",
    }


def _volume(number: int, now: datetime, nights: int) -> dict[str, object]:
    success = now - timedelta(days=5 if number % 300 == 0 else 0, hours=3)
    return {
        **_names(number),
        "status": "in-use",
        "size_gib": 20 + number % 80,
        "bootable": number % PER_SERVER == 0,
        "encrypted": False,
        "protected": True,
        "first_seen_at": now - timedelta(days=nights),
        "last_seen_at": now,
        "protected_since": now - timedelta(days=nights),
        "last_started_at": success,
        "last_success_at": success,
        "usual_full_s": 1800,
        "usual_incremental_s": 300,
    }


def _backup(number: int, night: int, now: datetime) -> dict[str, object]:
    started = now - timedelta(days=night, hours=3)
    state = _state(number, night)
    succeeded = state in (State.AVAILABLE, State.DELETED)
    waits = state is State.PLANNED
    return {
        **_names(number),
        "id": f"{number:05}{night:03}",
        "name": f"staffeln-{number:05}-{night:03}",
        "backup_id": None if waits else f"{number:032x}{night:04x}",
        "kind": Kind.INCREMENTAL if night % 7 else Kind.FULL,
        "state": state,
        "origin": Origin.SCHEDULED,
        "attempt": 1,
        "size_gib": 20 + number % 80,
        "planned_at": started,
        "started_at": None if waits else started,
        "finished_at": None if waits else started + timedelta(minutes=20),
        "succeeded_at": started + timedelta(minutes=20) if succeeded else None,
        "deleted_at": now if state is State.DELETED else None,
    }


def _state(number: int, night: int) -> State:
    if number % 300 == 0 and night < 5:
        return State.FAILED
    if number % 3 == 1 and night == 0:
        return State.PLANNED
    return State.DELETED if night > 17 else State.AVAILABLE


def _run(now: datetime) -> dict[str, object]:
    return {
        "id": "1",
        "command": "collect",
        "host": "host1",
        "started_at": now - timedelta(minutes=5),
        "ended_at": now - timedelta(minutes=4),
        "outcome": "ok",
        "counts": {},
        "failures": [],
    }
