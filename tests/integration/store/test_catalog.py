"""The rows of a database as a catalog has them, and how they return into an empty one."""

import json

import pytest

from staffeln_cli.errors import ConfigError
from staffeln_cli.model import State, VolumeId
from staffeln_cli.store import Store
from staffeln_cli.store.queries import insert
from tests.build import NOW, a_record, an_inventory_volume


def filled(store: Store, number: int = 1) -> None:
    store.inventory.save(
        [an_inventory_volume("v1", last_success_at=NOW, user_metadata={"role": "db"})]
    )
    with store.database.write() as connection:
        insert(connection, [a_record("v1", state=State.AVAILABLE) for _ in range(number)])


def test_all_rows_return_as_they_were_by_way_of_json(store: Store, sqlite_url: str) -> None:
    filled(store)
    rows = json.loads(json.dumps(list(store.catalog.rows())))
    volume = store.inventory.volumes([VolumeId("v1")])
    records = store.records.of_volumes([VolumeId("v1")])
    counted = store.catalog.count()
    with store.database.write() as connection:
        for name in ("backups", "volumes"):
            connection.exec_driver_sql(f"DELETE FROM {name}")
    store.catalog.load((name, row) for name, row in rows)
    assert store.inventory.volumes([VolumeId("v1")]) == volume
    assert store.records.of_volumes([VolumeId("v1")]) == records
    assert store.catalog.count() == counted


def test_tables_and_columns_of_another_release_are_passed_over(store: Store) -> None:
    filled(store)
    rows = list(store.catalog.rows())
    with store.database.write() as connection:
        for name in ("backups", "volumes"):
            connection.exec_driver_sql(f"DELETE FROM {name}")
    newer = [(name, row | {"of_the_future": 1}) for name, row in rows]
    store.catalog.load([*newer, ("table_of_the_future", {"id": 1})])
    assert len(store.records.of_volumes([VolumeId("v1")])) == 1


def test_a_database_with_rows_is_not_filled_over(store: Store) -> None:
    filled(store)
    with pytest.raises(ConfigError, match="is not empty; --state needs a new database"):
        store.catalog.load([])


def test_many_rows_return_in_several_statements(store: Store) -> None:
    filled(store, number=2500)
    rows = list(store.catalog.rows())
    with store.database.write() as connection:
        for name in ("backups", "volumes"):
            connection.exec_driver_sql(f"DELETE FROM {name}")
    store.catalog.load(rows)
    assert store.catalog.count()["backups"] == 2500
