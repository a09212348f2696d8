"""Rows written as one JSON text are those that the driver would have written one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Connection, Table, delete, insert, select, text

from staffeln_cli.model import (
    BackupId,
    BackupRecord,
    DecidedBy,
    InventoryVolume,
    Kind,
    ProjectId,
    ServerId,
    SkipCause,
    State,
)
from staffeln_cli.model.servers import KeptDefinition
from staffeln_cli.store import Store
from staffeln_cli.store.bulk_write import BulkWrite
from staffeln_cli.store.database import as_row
from staffeln_cli.store.queries import COLUMNS
from staffeln_cli.tables import backup_table, server_table, volume_table
from tests.build import NOW, a_record, an_inventory_volume

MOMENTS = (
    datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC),
    datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC),
    datetime(2024, 2, 29, 23, 59, 59, 120000, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    None,
)
TEXTS = (
    "",
    "null",
    "true",
    "12",
    " ",
    "'; DROP TABLE volumes; --",
    'say "yes", \\n is no newline, \\u0041 no letter',
    "\x01\x1b[31m\r\n\t\x7f",
    "Größe \U0001f4be \u2028 \ufffd 漢字",
    "%s %(rows)s :rows ? $1 {}",
    "]}, [1]",
    "long " * 20_000,
)
METADATA: tuple[dict[str, str] | None, ...] = (
    None,
    {},
    {text: text for text in TEXTS},
    {"z": "1", "a": "2", "zero \0": "\0 byte", "half": "\ud800"},
)


def volumes() -> list[InventoryVolume]:
    return [
        an_inventory_volume(
            f"v{number}",
            volume_name=text,
            server_name=text,
            server_id=(text or None),
            status=text,
            size_gib=number << 20,
            bootable=number % 2 == 0,
            protected=number % 3 == 0,
            volume_type=text or None,
            skip_reason=text,
            skip_cause=None if number % 2 else SkipCause.UNMARKED,
            protection_decided_by=None if number % 3 else DecidedBy.SERVER,
            first_seen_at=MOMENTS[number % 3],
            gone_at=MOMENTS[number % 4],
            user_metadata=METADATA[number % 4],
        )
        for number, text in enumerate(TEXTS)
    ]


def records() -> list[Any]:
    return [
        replace(
            a_record(f"v{number}"),
            name=f"{number} {text}",
            volume_name=text,
            server_id=None if number % 2 else ServerId(text),
            reason=text or None,
            kind=Kind.FULL if number % 2 else Kind.INCREMENTAL,
            state=State.PLANNED if number % 2 else State.FAILED,
            pinned=number % 3 == 0,
            size_gib=number or None,
            started_at=MOMENTS[number % 4],
            backup_id=None if number % 2 else BackupId(f"b{number}"),
        )
        for number, text in enumerate(TEXTS)
    ]


def definitions() -> list[KeptDefinition]:
    return [
        KeptDefinition(ServerId(f"s{number}"), text, ProjectId("p1"), "digest", text, NOW)
        for number, text in enumerate(TEXTS)
    ]


WRITTEN = {
    "volumes": (volume_table, InventoryVolume._fields, volumes),
    "backups": (backup_table, [column.name for column in COLUMNS], records),
    "servers": (server_table, KeptDefinition._fields, definitions),
}


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    with store.database.write() as connection:
        yield connection


@pytest.mark.parametrize("kind", WRITTEN)
def test_the_rows_are_those_that_are_bound_one_by_one(connection: Connection, kind: str) -> None:
    table, names, facts = WRITTEN[kind][0], WRITTEN[kind][1], WRITTEN[kind][2]()
    connection.execute(insert(table), [by_name(fact) for fact in facts])
    one_by_one = stored(connection, table)
    connection.execute(delete(table))
    assert BulkWrite(table, names).save(connection, facts) == len(facts)
    assert stored(connection, table) == one_by_one


@pytest.mark.parametrize("number", [0, 1, 499, 500, 501, 1200])
def test_all_are_written_however_many_they_are(store: Store, number: int) -> None:
    rows = [an_inventory_volume(f"v{one}") for one in range(number)]
    store.inventory.save(rows)
    assert store.inventory.volumes([one.volume_id for one in rows]) == {
        one.volume_id: one for one in rows
    }


def test_what_is_there_stays_but_for_the_columns_to_update(connection: Connection) -> None:
    write = BulkWrite(server_table, KeptDefinition._fields, ["digest", "definition"])
    before = KeptDefinition(ServerId("s1"), "web", ProjectId("p1"), "old", "{}", NOW)
    write.save(connection, [before])
    news = before._replace(server_name="db", digest="new", definition='{"a": 1}')
    assert write.save(connection, [news]) == 1
    found = connection.execute(select(server_table)).one()
    assert KeptDefinition._make(found) == news._replace(server_name="web")


def test_a_column_that_no_fact_fills_becomes_empty_in_rows_that_are_there(store: Store) -> None:
    before = an_inventory_volume("v1", volume_type="ssd", suspected_gone_at=NOW)
    store.inventory.save([before])
    news = before._replace(volume_type=None, suspected_gone_at=None)
    store.inventory.save([news])
    assert store.inventory.volumes([news.volume_id]) == {news.volume_id: news}


@pytest.mark.parametrize("kind", WRITTEN)
def test_the_columns_that_no_fact_fills_are_those_that_are_bound_as_null(
    connection: Connection, kind: str
) -> None:
    table, names, facts = WRITTEN[kind][0], WRITTEN[kind][1], WRITTEN[kind][2]()
    for fact in facts:
        connection.execute(delete(table))
        connection.execute(insert(table), [by_name(fact)])
        bound = stored(connection, table)
        connection.execute(delete(table))
        BulkWrite(table, names).save(connection, [fact])
        assert stored(connection, table) == bound


def test_of_facts_with_the_same_key_the_last_one_counts(store: Store) -> None:
    first, last = an_inventory_volume("v1"), an_inventory_volume("v1", volume_name="last")
    store.inventory.save([first, an_inventory_volume("v2"), last])
    assert store.inventory.volumes([last.volume_id]) == {last.volume_id: last}


def test_of_the_records_of_a_volume_with_an_unfinished_one_none_is_inserted(store: Store) -> None:
    (first,) = store.lifecycle.plan([known := a_record("v1")])
    late, free = a_record("v1"), a_record("v2")
    assert store.lifecycle.plan([late, free]) == {free.id}
    assert {one.id for one in store.records.in_states([State.PLANNED])} == {first, free.id}
    assert first == known.id


def by_name(fact: Any) -> dict[str, Any]:
    return as_row(fact) if isinstance(fact, BackupRecord) else fact._asdict()


def stored(connection: Connection, table: Table) -> Sequence[Any]:
    """What the database holds, each value as text, with its type where every value has one."""
    shown = (
        "typeof({0}), CAST({0} AS BLOB)" if connection.dialect.name == "sqlite" else "{0}::text"
    )
    columns = ", ".join(shown.format(column.name) for column in table.columns)
    rows = connection.execute(text(f"SELECT {columns} FROM {table.name} ORDER BY 1, 2"))
    return rows.all()
