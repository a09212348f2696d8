"""What the policy endpoint is measured with: databases full of records, and Cinder's questions."""

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import psycopg

from staffeln_cli.commands import db
from staffeln_cli.config import load
from staffeln_cli.runtime import Runtime
from tests.services.postgres import a_postgres

STATES = ("available", "available", "available", "deleted")
ZERO = uuid.UUID(int=0)


def a_request(number: int, keep_alive: bool) -> bytes:
    """What oslo.policy sends for one backup, every second of which is Staffeln's."""
    known = number % 2 == 0
    backup_id = identity("backup" if known else "manual", number)
    target = {
        "project_id": "29e97e595ae8464cb13bf5e6bda53b51",
        "user_id": "1c007a9ec86049909fa629ab48f37f5e",
        "id": backup_id,
        "volume_id": identity("volume", number),
        "host": "storage-1",
        "availability_zone": "nova",
        "container": f"b0/a1/{backup_id}",
        "parent_id": None,
        "status": "available",
        "fail_reason": None,
        "size": 1,
        "display_name": f"web_root_{number}" if known else "before the upgrade",
        "display_description": None,
        "service_metadata": f"volume_20261123213220_backup_{backup_id}_zstd_az_nova_loopback",
        "service": "cinder.backup.drivers.posix.PosixBackupDriver",
        "object_count": 32,
        "temp_volume_id": None,
        "temp_snapshot_id": None,
        "num_dependent_backups": 0,
        "snapshot_id": None,
        "data_timestamp": "2026-11-23T21:32:20Z",
        "restore_volume_id": None,
        "metadata": {"staffeln:record": identity("record", number)} if known else {},
        "encryption_key_id": None,
        "created_at": "2026-11-23T21:32:20Z",
        "updated_at": "2026-11-23T21:32:27Z",
        "deleted_at": None,
        "deleted": False,
    }
    credentials = {
        "is_admin": False,
        "user_id": "1c007a9ec86049909fa629ab48f37f5e",
        "user_domain_id": "default",
        "project_id": "29e97e595ae8464cb13bf5e6bda53b51",
        "project_domain_id": "default",
        "roles": ["member", "reader"],
        "is_admin_project": True,
        "service_user_id": None,
        "service_roles": [],
    }
    fields = {"rule": "backup:delete", "target": target, "credentials": credentials}
    body = urlencode({name: json.dumps(value) for name, value in fields.items()}).encode()
    head = (
        f"POST /v1/backup?backup_id={backup_id} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "User-Agent: python-requests/2.34.2\r\nAccept: */*\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def identity(kind: str, number: int) -> str:
    """The same id every time, spread over the index as real ones are."""
    return str(uuid.uuid5(ZERO, f"{kind}{number}"))


def rows_of(number: int) -> Iterator[tuple[object, ...]]:
    """Records of many volumes, a few of them being started."""
    for index in range(number):
        starting = index % 50_000 == 1
        yield (
            identity("record", index),
            f"web_root_{index}",
            None if starting else identity("backup", index),
            identity("volume", index if starting else index % max(1, number // 30)),
            "root",
            "web",
            identity("project", index % 500),
            "full",
            "starting" if starting else STATES[index % len(STATES)],
            "scheduled",
            1,
            "2026-11-22 12:00:00.000000",
            "2026-11-22 12:00:00.000000",
        )


COLUMNS = (
    "id, name, backup_id, volume_id, volume_name, server_name, project_id, kind, state, origin,"
    " attempt, planned_at, started_at"
)


def filled_sqlite(folder: Path, rows: int) -> str:
    """A file with records, and its URL."""
    url = f"sqlite:///{folder / 'staffeln.db'}"
    upgrade(url, folder)
    with closing(sqlite3.connect(folder / "staffeln.db")) as connection, connection:
        marks = ", ".join("?" * 13)
        connection.executemany(f"INSERT INTO backups ({COLUMNS}) VALUES ({marks})", rows_of(rows))
    return url


@contextmanager
def filled_postgresql(folder: Path, rows: int) -> Iterator[str]:
    """A server with records, and its URL as libpq has it."""
    with a_postgres(durable=True) as server:
        upgrade(server.url, folder)
        url = server.url.replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(url, autocommit=True) as connection:
            with connection.cursor().copy(f"COPY backups ({COLUMNS}) FROM STDIN".encode()) as copy:
                for row in rows_of(rows):
                    copy.write_row(row)
            connection.execute("VACUUM ANALYZE backups")
            connection.execute("CHECKPOINT")
        yield url


def upgrade(url: str, folder: Path) -> None:
    """Bring the schema up to date."""
    environ = {"STAFFELN_DATABASE_URL": url, "STAFFELN_LOCK_URL": f"file://{folder}/locks"}
    runtime = Runtime(load(None, environ).settings)
    db.upgrade(runtime)
    runtime.close()
