"""Nothing that is sent to PostgreSQL outlives its transaction.

PgBouncer in transaction mode gives each transaction another session, and each session to others.
"""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from staffeln_cli import completion
from staffeln_cli.completion import NameKind
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.planning.deletion_guard import Question
from staffeln_cli.store.policy_lookup.drivers import PostgresqlConnection
from tests.acceptance.builders import rounds, some_volumes
from tests.conftest import Staffeln, migrate, staffeln_on
from tests.services.postgres import Postgres, a_postgres

OUTLIVES = re.compile(
    r"""^\s*LOG:\s+(?:
        (?:statement|execute\s\S+):\s*(?:
            SET\s+(?!LOCAL\b|TRANSACTION\b)
          | RESET\b | DISCARD\b | PREPARE\b | LISTEN\b | LOAD\b
          | CREATE\s+(?:GLOBAL\s+|LOCAL\s+)?TEMP
          | DECLARE\b.*\bWITH\s+HOLD\b
          | .*\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(
          | .*\bset_config\s*\([^)]*,\s*(?:false|'f'|0)\s*\)
        )
      | execute\s+(?!<unnamed>)\S+:
    )""",
    re.IGNORECASE | re.VERBOSE,
)
LOOKS = (
    "status",
    "status volumes",
    "status backups",
    "status projects",
    "status runs",
    "status calendar",
    "status usage",
    "status --nagios",
    "doctor",
    "doctor --orphans",
    "db current",
    "db upgrade",
    "db rebind",
)


@pytest.fixture
def server() -> Iterator[Postgres]:
    with a_postgres() as server:
        migrate(server.url)
        server.log_statements()
        yield server


@pytest.mark.parametrize(
    ("line", "outlives"),
    [
        ("LOG:  statement: SET statement_timeout = 5", True),
        ("LOG:  statement: set session characteristics as transaction read only", True),
        ("LOG:  execute <unnamed>: SELECT pg_try_advisory_lock($1)", True),
        ("LOG:  execute <unnamed>: SELECT set_config('a', 'b', false)", True),
        ("LOG:  execute _pg3_4: SELECT 1", True),
        ("LOG:  statement: DECLARE c CURSOR WITH HOLD FOR SELECT 1", True),
        ("LOG:  statement: SET LOCAL statement_timeout = 5", False),
        ("LOG:  statement: SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", False),
        ("LOG:  execute <unnamed>: SELECT set_config('a', 'b', true)", False),
        ("LOG:  execute <unnamed>: SELECT pg_advisory_xact_lock($1)", False),
        ("LOG:  execute <unnamed>: UPDATE backups SET state=$1", False),
    ],
)
def test_what_outlives_a_transaction_is_recognised(line: str, *, outlives: bool) -> None:
    assert bool(OUTLIVES.match(line)) is outlives


def test_no_statement_of_any_command_outlives_its_transaction(
    cloud: SimCloud, server: Postgres, tmp_path: Path
) -> None:
    staffeln = staffeln_on(server.url, cloud, tmp_path)
    staffeln.set(LOCK_URL="database", BACKUP_FULL_BACKUP_DEPTH="1")
    act(cloud, staffeln, tmp_path)
    look(staffeln, server.url)
    sent = [*server.statements("staffeln"), *server.statements("staffeln-policy")]
    assert len(sent) > 1000
    assert any("pg_advisory_xact_lock" in line for line in sent)
    assert any("FROM alembic_version" in line for line in server.statements("staffeln-policy"))
    assert [line for line in sent if OUTLIVES.match(line)] == []


def act(cloud: SimCloud, staffeln: Staffeln, folder: Path) -> None:
    """Every command that changes something; the same statements often enough to be prepared."""
    volume, *_ = some_volumes(cloud, 12)
    rounds(staffeln, cloud, 3)
    cloud.settings.restore_pace = timedelta(0)
    file = str(folder / "saved.jsonl.gz")
    name = staffeln("status", "backups", "-f", "json").json[0]["name"]
    for words in (
        ("keep", name, "--note", "x"),
        ("release", name),
        ("pause", "--all", "--reason", "x"),
        ("resume", "--all"),
        ("explain", volume),
        ("verify", "--volume", volume),
        ("restore", "--volume", volume),
        ("backup", "--volume", volume),
        ("report",),
        ("catalog", "save", file),
        ("catalog", "import", "--dry-run", file),
        ("run",),
    ):
        assert staffeln(*words).exit_code in {0, 3}, words
    cloud.advance(days=30)
    assert staffeln("retain", "-f", "json").counts["deleted"] > 0


def look(staffeln: Staffeln, url: str) -> None:
    """Every command that only reads, the completion of a shell, and the policy endpoint."""
    for words in LOOKS:
        staffeln(*words.split())
    completion.candidates(url, NameKind.VOLUME, "s")
    connection = PostgresqlConnection(make_url(url))
    for _ in range(8):
        connection.look_up(Question("00000000-0000-4000-8000-000000000000"), time.monotonic() + 5)
    connection.close()
