"""The SQL schema of a migrated database is the recorded one (see `recording.py`)."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Inspector, create_engine, inspect
from sqlalchemy.engine.interfaces import ReflectedIndex

from tests.conftest import Staffeln
from tests.contract.recording import compare


def test_the_schema_of_a_migrated_database_is_as_recorded(staffeln_on_each: Staffeln) -> None:
    url = staffeln_on_each.environ["STAFFELN_DATABASE_URL"]
    assert staffeln_on_each("db", "upgrade").exit_code == 0
    revision = staffeln_on_each("db", "current").stdout

    engine = create_engine(url)
    lines = list(_lines(inspect(engine)))
    engine.dispose()

    name = f"schema_{engine.dialect.name}.txt"
    compare(name, f"revision {revision}" + "".join(f"{line}\n" for line in lines))


def _lines(schema: Inspector) -> Iterator[str]:
    for view in sorted(schema.get_view_names()):
        yield f"\nview {view}"
    for table in sorted(schema.get_table_names()):
        yield f"\ntable {table}"
        for column in schema.get_columns(table):
            null = "NULL" if column["nullable"] else "NOT NULL"
            default = column["default"]
            type_ = column["type"].compile(schema.dialect)
            yield f"  column {column['name']}: {type_} {null} default {default}"
        yield from sorted(_constraints(schema, table))


def _constraints(schema: Inspector, table: str) -> Iterator[str]:
    primary = schema.get_pk_constraint(table)
    yield f"  primary key {primary['name']}: {_among(primary['constrained_columns'])}"
    for unique in schema.get_unique_constraints(table):
        yield f"  unique {unique['name']}: {_among(unique['column_names'])}"
    for check in schema.get_check_constraints(table):
        yield f"  check {check['name']}: {check['sqltext']}"
    for foreign in schema.get_foreign_keys(table):
        yield (
            f"  foreign key {foreign['name']}: {_among(foreign['constrained_columns'])} references"
            f" {foreign['referred_table']} {_among(foreign['referred_columns'])}"
            f"{_options(foreign['options'])}"
        )
    for index in schema.get_indexes(table):
        yield _index(index)


def _index(index: ReflectedIndex) -> str:
    kind = "unique index" if index["unique"] else "index"
    columns = index.get("expressions") or index["column_names"]
    return f"  {kind} {index['name']}: {_among(columns)}{_options(index['dialect_options'])}"


def _among(columns: Any) -> str:
    return f"({', '.join(map(str, columns))})"


def _options(options: Mapping[str, Any]) -> str:
    """What has a value, such as the condition of a partial index."""
    said = {name: str(value) for name, value in sorted(options.items()) if value is not None}
    return "".join(f" {name}={value}" for name, value in said.items() if value != "[]")
