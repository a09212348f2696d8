"""Everything that a database remembers, as plain values for a catalog and back."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Table, func, insert, select

from staffeln_cli.errors import ConfigError
from staffeln_cli.store.database import Database
from staffeln_cli.tables import UtcDateTime, leadership_table, lease_table, metadata

_AT_ONCE = 1000
_LEFT_OUT = frozenset({leadership_table.name, lease_table.name})
"""Who leads is true of running processes only."""
_ORDERED = {"export_records": ("volume_id", "backup_id")}
"""The backups of a volume are next to each other, so that nobody has to keep all of them."""


class CatalogRows:
    """The rows of all tables of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every row with the name of its table, as it was at one moment."""
        with self._database.read() as connection:
            if not self._database.is_sqlite:  # else each statement would see another moment
                connection.execution_options(isolation_level="REPEATABLE READ")
            for table in _tables().values():
                order = [table.c[name] for name in _ORDERED.get(table.name, ())]
                query = select(table).order_by(*order).execution_options(yield_per=_AT_ONCE)
                names = [str(name) for name in table.columns.keys()]  # noqa: SIM118 - no dict
                for row in connection.execute(query):
                    values = zip(names, row, strict=True)
                    yield str(table.name), {name: _plain(value) for name, value in values}

    def count(self) -> Mapping[str, int]:
        """How many rows each table has."""
        with self._database.read() as connection:
            return {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in _tables().items()
            }

    def load(self, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Fill an empty database, all or nothing. ConfigError if it is not empty."""
        tables = _tables()
        waiting: dict[str, list[dict[str, Any]]] = {}
        if any(self.count().values()):
            raise ConfigError(
                [f"{self._database.shown}: is not empty; --state needs a new database"]
            )
        with self._database.write() as connection:
            for name, row in rows:
                if name not in tables:
                    continue
                waiting.setdefault(name, []).append(_typed(tables[name], row))
                if len(waiting[name]) >= _AT_ONCE:
                    connection.execute(insert(tables[name]), waiting.pop(name))
            for name, some in waiting.items():
                connection.execute(insert(tables[name]), some)


def _tables() -> dict[str, Table]:
    return {table.name: table for table in metadata.sorted_tables if table.name not in _LEFT_OUT}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.value if isinstance(value, StrEnum) else value


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(table, name, value) for name, value in row.items() if name in table.c}


def _value(table: Table, name: str, value: Any) -> Any:
    if value is not None and isinstance(table.c[name].type, UtcDateTime):
        return datetime.fromisoformat(value)
    enum = getattr(table.c[name].type, "enum_class", None)
    return enum(value) if enum is not None and value is not None else value
