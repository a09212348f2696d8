"""Migrated PostgreSQL databases, emptied and used again: most tests are shorter than a copy."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psycopg
from sqlalchemy.engine import make_url

from tests.services.postgres import conninfo

_SCHEMA = """
SELECT string_agg(fact, E'\\n' ORDER BY fact) FROM (
  SELECT concat_ws(' ', relname, relkind, relacl, reloptions, relrowsecurity) FROM pg_class
  WHERE relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT concat_ws(' ', attrelid::regclass, attname, atttypid, atttypmod, attnotnull, attacl)
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
  WHERE relnamespace = 'public'::regnamespace AND attnum > 0
  UNION ALL
  SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL
  SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
  UNION ALL
  SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL
  SELECT concat_ws(' ', nspname, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
  UNION ALL
  SELECT concat_ws(' ', datacl, datconnlimit, datallowconn) FROM pg_database
  WHERE datname = current_database()
  UNION ALL
  SELECT concat_ws(' ', setrole, setconfig) FROM pg_db_role_setting
  UNION ALL
  SELECT version_num FROM alembic_version
) AS facts (fact)
"""
"""All that a test may change besides rows."""
_IN_USE = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


@dataclass
class SpareDatabases:
    """Copies of the database `migrated` of one server, each for one test at a time."""

    server: str
    """URL of the database `postgres` of the server."""
    _spare: list[str] = field(default_factory=list)
    _schema: str = ""
    """Of a copy that no test has used yet."""

    @contextmanager
    def borrowed(self) -> Iterator[str]:
        """The URL of an empty one; it is kept if the test leaves it as it was, but for rows."""
        url = self._spare.pop() if self._spare else self._created()
        yield url
        with suppress(psycopg.Error):
            if self._is_emptied(url):
                self._spare.append(url)
                return
        self._run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _created(self) -> str:
        name = f"t{secrets.token_hex(6)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE migrated")
        url = self.server.replace("/postgres?", f"/{name}?")
        if not self._schema:
            with psycopg.connect(conninfo(url)) as connection:
                self._schema = _text(connection, _SCHEMA)
        return url

    def _is_emptied(self, url: str) -> bool:
        with psycopg.connect(conninfo(url)) as connection:
            if _is_used(connection) or _text(connection, _SCHEMA) != self._schema:
                return False
            names = [name for (name,) in connection.execute(_TABLES) if name != "alembic_version"]
            connection.execute("SET LOCAL session_replication_role = replica")  # in any order
            for name in names:
                connection.execute(f'DELETE FROM "{name}"'.encode())
        return True

    def _run(self, statement: str) -> None:
        with psycopg.connect(conninfo(self.server), autocommit=True) as connection:
            connection.execute(statement.encode())


def _is_used(connection: psycopg.Connection) -> bool:
    """Whether the test has left connections open; one that was closed ends a moment later."""
    for _ in range(20):
        if _text(connection, _IN_USE) == "0":
            return False
        time.sleep(0.005)
    return True


def _text(connection: psycopg.Connection, query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])
