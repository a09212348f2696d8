"""The endpoint under waitress on loopback, and records for it to find."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from queue import Queue
from typing import Any

import psycopg
import pytest
import requests
from sqlalchemy import insert

from staffeln_cli.commands import serve_policy
from staffeln_cli.config import load
from staffeln_cli.model import BackupId, ProjectId, RecordId, State
from staffeln_cli.runtime import Runtime
from staffeln_cli.store import Database
from staffeln_cli.tables import backup_table
from tests.build import NOW, a_record
from tests.services.postgres import conninfo

OURS = "b0a1c607-a207-4431-90b7-210de0181f8c"
MANUAL = "11111111-a207-4431-90b7-210de0181f8c"


def a_target(backup_id: str, **values: Any) -> dict[str, Any]:
    """The backup row that Cinder posts, as seen on a real one."""
    return {
        "id": backup_id,
        "project_id": "29e97e595ae8464cb13bf5e6bda53b51",
        "user_id": "1c007a9ec86049909fa629ab48f37f5e",
        "volume_id": "8a02883a-6759-4fa2-9a02-987c52a59bee",
        "status": "available",
        "display_name": "before the upgrade",
        "display_description": None,
        "parent_id": None,
        "size": 1,
        "metadata": {"who": "me"},
        "created_at": "2026-11-22T22:00:01Z",
        "deleted": False,
    } | values


def credentials(user_id: str = "1c007a9ec86049909fa629ab48f37f5e") -> dict[str, Any]:
    return {
        "user_id": user_id,
        "project_id": "29e97e595ae8464cb13bf5e6bda53b51",
        "roles": ["member"],
    }


@dataclass(frozen=True)
class Endpoint:
    """A served endpoint, spoken to as oslo.policy does."""

    url: str

    def ask(
        self, backup_id: str, *, user_id: str = "somebody", **target: Any
    ) -> requests.Response:
        """POST the form."""
        return self.post(
            f"?backup_id={backup_id}",
            data={
                "rule": json.dumps("backup:delete"),
                "target": json.dumps(a_target(backup_id, **target)),
                "credentials": json.dumps(credentials(user_id)),
            },
        )

    def post(self, query: str, **request: Any) -> requests.Response:
        return requests.post(f"{self.url}/v1/backup{query}", timeout=10, **request)

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=10)

    def answers_again(self) -> bool:
        """Whether it recovers by itself, soon."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if self.ask(MANUAL).content == b"True":
                return True
            time.sleep(0.1)
        return False


Serve = Callable[..., Endpoint]


def make_slow(url: str, seconds: float) -> None:
    """Let every read of the schema's revision take some time."""
    with psycopg.connect(conninfo(url)) as connection:
        connection.execute("ALTER TABLE alembic_version RENAME TO revisions")
        connection.execute(
            "CREATE VIEW alembic_version AS SELECT version_num FROM revisions"
            f" WHERE pg_sleep({seconds}) IS NOT NULL".encode()
        )


@contextmanager
def served(url: str, **policy: str) -> Iterator[Endpoint]:
    """`serve-policy` on a free port, until the end of the block."""
    environ = {f"STAFFELN_POLICY_{key.upper()}": value for key, value in policy.items()}
    runtime = Runtime(load(None, {"STAFFELN_DATABASE_URL": url, **environ}).settings)
    addresses: Queue[str] = Queue()
    thread = threading.Thread(
        target=serve_policy.run,
        args=(runtime,),
        kwargs={"host": "127.0.0.1", "port": 0, "listening": addresses.put},
    )
    thread.start()
    try:
        yield Endpoint(addresses.get(timeout=10))
    finally:
        runtime.stop.request(15)
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start endpoints that end with the test."""
    with ExitStack() as stack:
        yield lambda url, **policy: stack.enter_context(served(url, **policy))


@pytest.fixture
def endpoint(database_url: str, serve: Serve) -> Endpoint:
    """An endpoint on each kind of database."""
    return serve(database_url, trusted_users="robot")


Remember = Callable[..., None]


@pytest.fixture
def remember(database_url: str) -> Remember:
    """Write backup records."""
    return partial(write_record, database_url)


def write_record(url: str, state: State, backup_id: str | None = OURS, **values: Any) -> None:
    """Write one backup record."""
    columns: dict[str, Any] = {
        "id": RecordId("4fa2fb16-a207-4431-90b7-210de0181f8c"),
        "name": "web_root_20261122T120000Z_4fa2",
        "project_id": ProjectId("29e97e595ae8464cb13bf5e6bda53b51"),
        "state": state,
        "started_at": NOW,
        "backup_id": BackupId(backup_id) if backup_id else None,
    }
    record = asdict(a_record("8a02883a-6759-4fa2-9a02-987c52a59bee", **(columns | values)))
    database = Database(url)
    with database.write() as connection:
        connection.execute(insert(backup_table).values(**record))
    database.close()
