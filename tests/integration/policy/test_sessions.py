"""Sessions of PostgreSQL: what others have set in them, and what is left in them for others."""

import secrets
import time
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy.engine import make_url

from staffeln_cli.model import State
from staffeln_cli.planning.deletion_guard import Question
from staffeln_cli.store.policy_lookup.drivers import Found, PostgresqlConnection
from tests.build import NOW
from tests.conftest import migrate
from tests.integration.policy.conftest import (
    MANUAL,
    OURS,
    Serve,
    write_record,
)
from tests.services.postgres import conninfo

ODD_SETTINGS = {
    "DateStyle": "German",
    "TimeZone": "Asia/Tokyo",
    "IntervalStyle": "iso_8601",
    "bytea_output": "escape",
    "extra_float_digits": "0",
}


def settings_of(connection: PostgresqlConnection) -> list[tuple[str, str]]:
    """What the session holds for whoever has it next."""
    connection.session.pgconn.exit_pipeline_mode()
    found = connection.session.execute(
        "SELECT name, setting FROM pg_settings UNION ALL"
        " SELECT 'prepared', statement FROM pg_prepared_statements"
        " UNION ALL SELECT 'temporary', relname FROM pg_class WHERE relpersistence = 't'"
    ).fetchall()
    connection.session.rollback()
    connection.session.pgconn.enter_pipeline_mode()
    return sorted(found)


@pytest.fixture
def connection(postgresql_url: str) -> Iterator[PostgresqlConnection]:
    """A connection, as a pooler would hand it on."""
    connection = PostgresqlConnection(make_url(postgresql_url))
    yield connection
    connection.close()


def looked_up(connection: PostgresqlConnection) -> Found:
    return connection.look_up(Question(OURS), time.monotonic() + 10)


def test_a_session_is_left_as_it_was_found(connection: PostgresqlConnection) -> None:
    before = settings_of(connection)
    for _ in range(3):
        looked_up(connection)
    assert settings_of(connection) == before


def test_what_others_have_set_in_the_session_changes_no_answer(
    connection: PostgresqlConnection, postgresql_url: str
) -> None:
    write_record(postgresql_url, State.STARTING, OURS)
    expected = looked_up(connection)
    session = connection.session
    session.pgconn.exit_pipeline_mode()
    for name, value in {
        **ODD_SETTINGS,
        "search_path": "nowhere",
        "statement_timeout": "1",
    }.items():
        session.execute("SELECT set_config(%s, %s, false)", [name, value])
    session.commit()
    session.pgconn.enter_pipeline_mode()
    found = looked_up(connection)
    assert found == expected
    assert float(found[1][0][-1] or 0) == NOW.timestamp()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "UTF8"])
def test_a_database_of_any_encoding_and_settings_protects_as_any_other(
    postgresql_server: str, serve: Serve, encoding: str
) -> None:
    name = f"e{secrets.token_hex(6)}"
    with psycopg.connect(conninfo(postgresql_server), autocommit=True) as server:
        server.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}'"
            " LC_COLLATE 'C' LC_CTYPE 'C'".encode()
        )
        for setting, value in ODD_SETTINGS.items():
            server.execute(f"ALTER DATABASE {name} SET {setting} = '{value}'".encode())
        url = postgresql_server.replace("/postgres?", f"/{name}?")
        as_utf8 = f"{url}&client_encoding=utf8"  # SQLAlchemy reads SQL_ASCII not otherwise
        migrate(as_utf8)
        write_record(as_utf8, State.STARTING, None, name="wöb_rööt")
        endpoint = serve(url)
        try:
            lost = {"display_name": "another", "volume_id": "another"}
            assert endpoint.ask(OURS, **lost | {"display_name": "wöb_rööt"}).text == "False"
            assert endpoint.ask(OURS, **lost).text == "True"
            at_the_time = {"display_name": "x", "created_at": NOW.isoformat()}
            assert endpoint.ask(OURS, **at_the_time).text == "False"
            before = {"created_at": (NOW - timedelta(minutes=6)).isoformat()}
            assert endpoint.ask(MANUAL, **before).text == "True"
            odd = endpoint.ask(OURS, **lost | {"display_name": "💾"})
            assert (odd.status_code, odd.text == "True") in {(200, True), (503, False)}
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
