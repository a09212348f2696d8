"""Rows as facts without a Python object between: the database writes JSON, msgspec reads it.

Rows that are fetched one by one take 1.5 to 1.7 times as long, and hold up other threads: a driver
has Python stop and start at every row.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Text,
    bindparam,
    case,
    cast,
    func,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute

from staffeln_cli.store.queries import chunks
from staffeln_cli.tables import UtcDateTime

_Fact = TypeVar("_Fact", bound=tuple[Any, ...])
_ISO_8601 = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


class BulkRead(Generic[_Fact]):
    """Rows of a table, found by one of its columns, as named tuples of fields called like columns.

    The statement is made once: to make one takes as long as to fetch a hundred rows.
    """

    def __init__(
        self, fact: type[_Fact], by: InstrumentedAttribute[Any], *law: ColumnElement[bool]
    ) -> None:
        names: Sequence[str] = fact._fields  # type: ignore[attr-defined]  # of every named tuple
        columns = [getattr(by.class_, name) for name in names]
        where = (by.in_(bindparam("values", expanding=True)), *law)
        self._statements = {
            "sqlite": select(_told_by_sqlite(columns)).where(*where),
            "postgresql": select(_told_by_postgresql(columns)).where(*where),
        }
        self._decoder = msgspec.json.Decoder(list[fact])  # type: ignore[valid-type]  # known at run time

    def among(self, connection: Connection, values: Sequence[str]) -> Iterator[_Fact]:
        """The rows whose column is one of these values, in any order."""
        statement = self._statements[connection.dialect.name]
        for chunk in chunks(values):
            text: str = connection.execute(statement, {"values": chunk}).scalar_one()
            yield from self._decoder.decode(text)


def _told_by_sqlite(columns: Sequence[Any]) -> ColumnElement[str]:
    return func.json_group_array(func.json_array(*(_in_sqlite(one) for one in columns)))


def _in_sqlite(column: Any) -> ColumnElement[Any]:
    if isinstance(column.type, UtcDateTime):  # text without a zone, see tables
        return type_coerce(column, Text).concat("Z")
    if isinstance(column.type, Boolean):  # a number there
        return func.json(case((column, "true"), else_="false"))
    return type_coerce(column, Text)


def _told_by_postgresql(columns: Sequence[Any]) -> ColumnElement[str]:
    rows = func.json_agg(func.json_build_array(*(_in_postgresql(one) for one in columns)))
    return func.coalesce(cast(rows, Text), "[]")


def _in_postgresql(column: Any) -> ColumnElement[Any]:
    if isinstance(column.type, UtcDateTime):  # else in the session's zone and style
        return func.to_char(func.timezone("UTC", column), _ISO_8601)
    return type_coerce(column, Text)
