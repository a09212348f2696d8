"""Rows as facts without a Python object between: the database writes JSON, msgspec reads it.

That takes a fifth of what rows take that are fetched one by one, and the database works while
other threads go on: a driver has Python stop and start at every row.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Text,
    case,
    cast,
    func,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute

from staffeln_cli.store.queries import chunks
from staffeln_cli.tables import Base, UtcDateTime

_Fact = TypeVar("_Fact", bound=tuple[Any, ...])
_ISO_8601 = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


class Facts(Generic[_Fact]):
    """How rows of a table become named tuples, whose fields are called like its columns."""

    def __init__(self, fact: type[_Fact], table: type[Base]) -> None:
        names: Sequence[str] = fact._fields  # type: ignore[attr-defined]  # of every named tuple
        self._columns = [getattr(table, name) for name in names]
        self._decoder = msgspec.json.Decoder(list[fact])  # type: ignore[valid-type]  # known at run time

    def where(self, connection: Connection, *law: ColumnElement[bool]) -> list[_Fact]:
        """The rows for which this holds, in any order."""
        told = _told_by_sqlite if connection.dialect.name == "sqlite" else _told_by_postgresql
        text = connection.execute(select(told(self._columns)).where(*law)).scalar_one()
        return self._decoder.decode(text)

    def among(
        self,
        connection: Connection,
        column: InstrumentedAttribute[Any],
        values: Sequence[str],
        *law: ColumnElement[bool],
    ) -> Iterator[_Fact]:
        """The rows whose `column` is one of these values, some hundreds of values at a time."""
        for chunk in chunks(values):
            yield from self.where(connection, column.in_(chunk), *law)


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
