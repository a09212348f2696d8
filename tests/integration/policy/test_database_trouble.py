"""A database that is slow, locked, dead, empty or old: 503 within a second, until it is back."""

import shutil
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from staffeln_cli.store.policy_lookup.drivers import POSTGRESQL_LOOK_UP, SQLITE_LOOK_UP
from tests.conftest import migrate
from tests.integration.policy.conftest import MANUAL, OURS, Endpoint, Serve
from tests.services.postgres import a_postgres, conninfo

WITHIN = 1.0


def refuses(endpoint: Endpoint, backup_id: str = MANUAL, user_id: str = "robot") -> bool:
    """Whether the question is answered by 503, in time, and health says the same."""
    began = time.monotonic()
    answer = endpoint.ask(backup_id, user_id=user_id)
    assert time.monotonic() - began < WITHIN
    assert answer.text not in ("True", '"True"')
    return answer.status_code == endpoint.get("/v1/health").status_code == 503


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def test_a_file_that_does_not_exist_is_not_created(tmp_path: Path, serve: Serve) -> None:
    endpoint = serve(f"sqlite:///{tmp_path / 'none.db'}", trusted_users="robot")
    assert refuses(endpoint)
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_appears_later_is_used(
    tmp_path: Path, empty_sqlite: Path, serve: Serve
) -> None:
    endpoint = serve(f"sqlite:///{tmp_path / 'late.db'}")
    assert refuses(endpoint)
    shutil.copy(empty_sqlite, tmp_path / "late.db")
    assert endpoint.answers_again()


@pytest.mark.parametrize("content", [b"", b"this is not a database" * 1000])
def test_an_empty_file_or_garbage_is_no_database(
    tmp_path: Path, serve: Serve, content: bytes
) -> None:
    (tmp_path / "empty.db").write_bytes(content)
    assert refuses(serve(f"sqlite:///{tmp_path / 'empty.db'}", trusted_users="robot"))


def test_an_empty_postgresql_database_is_refused(postgresql_server: str, serve: Serve) -> None:
    assert refuses(serve(postgresql_server, trusted_users="robot"))


@pytest.mark.parametrize(
    "revision", ["UPDATE alembic_version SET version_num = '0000'", "DELETE FROM alembic_version"]
)
def test_a_schema_of_another_revision_is_refused_even_for_trusted_users(
    database_url: str, endpoint: Endpoint, revision: str
) -> None:
    assert endpoint.ask(MANUAL).content == b"True"
    run_sql(database_url, revision)
    assert refuses(endpoint)
    assert refuses(endpoint, user_id="somebody")


def test_a_table_that_is_missing_is_refused(database_url: str, endpoint: Endpoint) -> None:
    run_sql(database_url, "ALTER TABLE backups RENAME TO elsewhere")
    assert refuses(endpoint)
    run_sql(database_url, "ALTER TABLE elsewhere RENAME TO backups")
    assert endpoint.answers_again()


def test_another_process_that_writes_does_not_delay_the_answer(
    sqlite_url: str, serve: Serve
) -> None:
    endpoint = serve(sqlite_url)
    with closing(sqlite3.connect(file_of(sqlite_url), isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM backups")
        assert endpoint.ask(MANUAL).content == b"True"


def test_a_locked_file_is_refused_in_time_and_used_again_when_it_is_free(
    sqlite_url: str, serve: Serve
) -> None:
    endpoint = serve(sqlite_url)
    with closing(sqlite3.connect(file_of(sqlite_url), isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert refuses(endpoint)
    assert endpoint.answers_again()


def test_a_file_put_in_place_of_the_old_one_is_the_one_asked(
    sqlite_url: str, serve: Serve, tmp_path: Path
) -> None:
    endpoint = serve(sqlite_url)
    assert endpoint.ask(OURS).content == b"True"
    shutil.copy(file_of(sqlite_url), tmp_path / "restored.db")
    with closing(sqlite3.connect(tmp_path / "restored.db")) as restored:
        restored.execute("UPDATE alembic_version SET version_num = '0000'")
        restored.commit()
    (tmp_path / "restored.db").replace(file_of(sqlite_url))
    assert refuses(endpoint)
    file_of(sqlite_url).unlink()
    assert refuses(endpoint)


def test_a_table_locked_in_postgresql_is_refused_in_time(
    postgresql_url: str, serve: Serve
) -> None:
    endpoint = serve(postgresql_url)
    with psycopg.connect(conninfo(postgresql_url)) as other:
        other.execute("LOCK TABLE backups IN ACCESS EXCLUSIVE MODE")
        assert refuses(endpoint)
    assert endpoint.answers_again()


def test_connections_that_a_server_has_closed_are_replaced_unseen(
    postgresql_url: str, serve: Serve, postgresql_server: str
) -> None:
    endpoint = serve(postgresql_url)
    assert endpoint.ask(MANUAL).content == b"True"
    for _ in range(5):
        with psycopg.connect(conninfo(postgresql_server), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'staffeln-policy'"
            )
        assert endpoint.ask(MANUAL).content == b"True"


def test_a_server_killed_in_the_middle_is_refused_at_once(serve: Serve) -> None:
    with a_postgres() as server:
        migrate(server.url)
        endpoint = serve(server.url, trusted_users="robot")
        assert endpoint.ask(MANUAL).content == b"True"
        server.stop()
        assert refuses(endpoint)
        began = time.monotonic()
        for _ in range(20):
            assert endpoint.ask(MANUAL).status_code == 503
        assert time.monotonic() - began < WITHIN


def test_an_address_where_nobody_answers_is_refused_in_time(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=8) as silent:
        port = silent.getsockname()[1]
        endpoint = serve(f"postgresql+psycopg://u:secret@127.0.0.1:{port}/db?sslmode=disable")
        assert refuses(endpoint)
        assert refuses(endpoint)


def test_no_answer_tells_the_password(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    endpoint = serve("postgresql+psycopg://u:secret@127.0.0.1:1/db", access_log="true")
    assert "secret" not in endpoint.ask(MANUAL).text
    assert "secret" not in endpoint.get("/v1/health").text
    assert "secret" not in capfd.readouterr().err


def test_failed_look_ups_are_counted(tmp_path: Path, serve: Serve) -> None:
    endpoint = serve(f"sqlite:///{tmp_path / 'none.db'}")
    endpoint.ask(MANUAL)
    figures = endpoint.get("/metrics").text
    assert 'staffeln_policy_requests_total{answer="unavailable"} 1.0' in figures
    assert "staffeln_policy_database_errors_total 1.0" in figures


def test_one_look_up_touches_no_row_but_by_an_index(sqlite_url: str, postgresql_url: str) -> None:
    with closing(sqlite3.connect(file_of(sqlite_url))) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {SQLITE_LOOK_UP}", ["0"] * 4).fetchall()
    steps = [line[3] for line in plan if "backups" in line[3]]
    assert len(steps) == 4
    assert all(step.startswith("SEARCH backups USING INDEX") for step in steps)
    assert "one_unfinished_backup_per_volume" in steps[-1]
    with psycopg.connect(conninfo(postgresql_url)) as server:
        server.execute("SET enable_seqscan = off")
        server.execute(b"PREPARE look_up AS " + POSTGRESQL_LOOK_UP.encode())
        rows = server.execute("EXPLAIN EXECUTE look_up ('1', '2', '3', '4')").fetchall()
    assert sum("Index" in row[0] and " on " in row[0] for row in rows) >= 4
    assert not any("Seq Scan on backups" in row[0] for row in rows)


def run_sql(url: str, statement: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(file_of(url))) as connection:
            connection.execute(statement)
            connection.commit()
    else:
        with psycopg.connect(conninfo(url)) as connection:
            connection.execute(statement.encode())
