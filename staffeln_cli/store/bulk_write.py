"""Bulk writes: rows go to the database as one JSON text, which it inserts by one statement.

Rows that are bound one by one take twice as long, and hold up other threads: a driver has Python
stop and start at every row.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import String

from staffeln_cli.store.database import upsert
from staffeln_cli.tables import UtcDateTime

_AT_ONCE = 500
"""Rows of one statement: a text of half a MiB or so."""


class BulkWrite:
    """Rows of a table, written from facts whose fields are called like its columns.

    The first column is the key. A row that is there already stays, but for the columns in
    `updates`; of facts with the same key the last one counts.
    """

    def __init__(self, table: Table, names: Sequence[str], updates: Collection[str] = ()) -> None:
        self._table = table
        self._columns = [table.c[name] for name in names]
        self._values: Callable[[Any], tuple[Any, ...]] = attrgetter(*names)
        self._updates = updates
        self._statements: dict[tuple[str, ...], sqlite.Insert] = {}
        """By dialect and columns; to make one takes as long as to write some rows."""

    def save(self, connection: Connection, facts: Sequence[Any]) -> int:
        """Write the facts; return how many rows were inserted or updated."""
        if not facts:
            return 0
        values = {row[0]: row for row in map(self._values, facts)}  # an upsert takes none twice
        given = zip(self._columns, zip(*values.values(), strict=True), strict=False)
        told = [(column, some) for column, some in given if _says_more(column, some)]
        statement = self._statement(connection, [column for column, _ in told])
        encodable = (_encodable(column, connection.dialect, some) for column, some in told)
        rows, written = list(zip(*encodable, strict=True)), 0
        for start in range(0, len(rows), _AT_ONCE):
            text = msgspec.json.encode(rows[start : start + _AT_ONCE]).decode()
            done = connection.execute(
                statement, {"rows": text}, execution_options={"preserve_rowcount": True}
            )
            written += done.rowcount
        return written

    def _statement(self, connection: Connection, columns: Sequence[Column[Any]]) -> sqlite.Insert:
        dialect = connection.dialect.name
        key = (dialect, *(column.name for column in columns))
        if key not in self._statements:
            rows = _from_sqlite if dialect == "sqlite" else _from_postgresql
            insert = upsert(connection, self._table).from_select(columns, rows(columns))
            self._statements[key] = self._on_conflict(insert)
        return self._statements[key]

    def _on_conflict(self, insert: sqlite.Insert) -> sqlite.Insert:
        if not self._updates:
            return insert.on_conflict_do_nothing()
        news = {name: insert.excluded[name] for name in self._updates}
        return insert.on_conflict_do_update(index_elements=[self._columns[0]], set_=news)


def _says_more(column: Column[Any], values: Sequence[Any]) -> bool:
    """Whether a column of these values has to be written: one that is not is NULL anyway.

    Two thirds of the columns of a plan are, and each takes its time in every row.
    """
    return column.server_default is not None or values.count(None) < len(values)


def _encodable(
    column: Column[Any], dialect: Dialect, values: Sequence[Any]
) -> Sequence[Any] | Iterator[Any]:
    """The values of one column so that JSON holds exactly what a driver would be given."""
    if isinstance(column.type, UtcDateTime):
        return map(column.type.bind_processor(dialect), values)
    if isinstance(column.type, JSON):  # as text: what is in it, NUL say, is not for the outer JSON
        return (None if value is None else json.dumps(value) for value in values)
    return values


def _from_sqlite(columns: Sequence[Column[Any]]) -> Select[Any]:
    rows = func.json_each(bindparam("rows", type_=Text)).table_valued("value")
    # The limit keeps this a query of its own: joined to the one around it, SQLite would write the
    # text of a row anew for each column that is taken from it.
    listed = select(rows.c.value).limit(_AT_ONCE).subquery("listed")
    values = (
        func.json_extract(listed.c.value, literal_column(f"'$[{number}]'"))
        for number in range(len(columns))
    )
    # Without a WHERE, SQLite would take ON CONFLICT for the condition of a join.
    return select(*values).where(literal_column("true"))


def _from_postgresql(columns: Sequence[Column[Any]]) -> Select[Any]:
    from sqlalchemy.dialects.postgresql import JSONB

    rows = cast(bindparam("rows", type_=Text), JSONB)
    listed = func.jsonb_array_elements(rows).table_valued("value", name="listed")
    return select(*(_typed(column, listed.c.value, n) for n, column in enumerate(columns)))


def _typed(column: Column[Any], row: ColumnElement[Any], number: int) -> ColumnElement[Any]:
    value = row.op("->>")(literal_column(str(number)))
    return value if isinstance(column.type, String) else cast(value, column.type)
