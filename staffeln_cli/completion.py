"""Names and ids that a shell completes: by the bare drivers, since SQLAlchemy loads too slowly."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from typing import Any, NamedTuple, cast
from urllib.parse import quote

from staffeln_cli.model.text import one_line

MOST = 100
"""How many are offered."""
_MOST_READ = 10 * MOST
"""How many rows are read for them: several may name the same server."""
_PATIENCE = 0.2
"""Seconds that a database has for its answer."""
_PLAIN = re.compile(r"[A-Za-z0-9][\w.@+-]*", re.ASCII)
"""A shell inserts what is offered without quotes, and tenants choose the names."""
_LIKE_SIGNS = re.compile(r"([\\%_])")


_OF_SQLITE = """
SELECT * FROM (SELECT DISTINCT coalesce({id_column}, ''), {name_column} FROM {table}
               WHERE {name_column} >= ?1 AND {name_column} < ?2 LIMIT {most})
UNION
SELECT * FROM (SELECT DISTINCT {id_column}, {name_column} FROM {table}
               WHERE {id_column} >= ?1 AND {id_column} < ?2 LIMIT {most})
"""
"""Two ranges, which an index of a column serves."""
_OF_POSTGRESQL = """
SELECT DISTINCT * FROM (SELECT coalesce({id_column}, ''), {name_column} FROM {table}
                        WHERE {name_column} LIKE %s OR {id_column} LIKE %s LIMIT {read}) AS found
LIMIT {most}
"""


class NameKind(StrEnum):
    """What is named on the command line."""

    VOLUME = "volume"
    SERVER = "server"
    PROJECT = "project"
    BACKUP = "backup"


class Candidate(NamedTuple):
    """Something that may be meant, and what it is called."""

    text: str
    name: str


class _Source(NamedTuple):
    """Where things of one kind are kept."""

    table: str
    id_column: str
    name_column: str


_SOURCES = {
    NameKind.VOLUME: _Source("volumes", "volume_id", "volume_name"),
    NameKind.SERVER: _Source("volumes", "server_id", "server_name"),
    NameKind.PROJECT: _Source("projects", "project_id", "project_name"),
    NameKind.BACKUP: _Source("backups", "backup_id", "name"),
}


def candidates(database_url: str, kind: NameKind, begun: str) -> list[Candidate]:
    """What begins so: names where a shell can take them, else ids; nothing if there is trouble."""
    source = _SOURCES[kind]
    found = dict.fromkeys(_offered(_rows(database_url, source, begun), begun))
    return sorted(found)[:MOST]


def _offered(rows: list[tuple[str, str]], begun: str) -> Iterator[Candidate]:
    for identity, name in rows:
        if name.startswith(begun) and _PLAIN.fullmatch(name):
            yield Candidate(name, identity)
        elif identity.startswith(begun) and _PLAIN.fullmatch(identity):
            yield Candidate(identity, one_line(name))


def _rows(database_url: str, source: _Source, begun: str) -> list[tuple[str, str]]:
    if database_url.startswith("sqlite:"):
        return _from_sqlite(database_url, source, begun)
    return _from_postgresql(database_url, source, begun)


def _from_sqlite(database_url: str, source: _Source, begun: str) -> list[tuple[str, str]]:
    path = database_url.removeprefix("sqlite:///").partition("?")[0]
    query = _OF_SQLITE.format(**source._asdict(), most=MOST)
    try:
        uri = f"file:{quote(path)}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE)) as connection:
            bounds = (begun, f"{begun}\U0010ffff")
            return connection.execute(query, bounds).fetchall()
    except sqlite3.Error:
        return []


def _from_postgresql(database_url: str, source: _Source, begun: str) -> list[tuple[str, str]]:
    try:
        import psycopg
    except ImportError:
        return []
    pattern = _LIKE_SIGNS.sub(r"\\\1", begun) + "%"
    query = _OF_POSTGRESQL.format(**source._asdict(), most=MOST, read=_MOST_READ)
    try:
        uri = database_url.replace("postgresql+psycopg:", "postgresql:", 1)
        with psycopg.connect(uri, connect_timeout=1, application_name="staffeln") as connection:
            milliseconds = round(_PATIENCE * 1000)
            connection.execute(f"SET LOCAL statement_timeout = {milliseconds}".encode())
            rows = connection.execute(cast(Any, query), (pattern, pattern)).fetchall()
    except psycopg.Error:
        return []
    return cast("list[tuple[str, str]]", rows)
