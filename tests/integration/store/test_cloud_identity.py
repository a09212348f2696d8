"""A database belongs to one cloud, and says so before anything is written for another."""

from dataclasses import replace

import pytest

from staffeln_cli.errors import WrongCloud
from staffeln_cli.model import CloudSeen
from staffeln_cli.store import Store
from tests.build import NOW

CLOUD = CloudSeen(
    name="prod",
    auth_url="https://keystone.example",
    region="north",
    identity="id-1",
    block_storage_url="https://cinder.example",
)


def differences(store: Store, **other: str) -> list[str]:
    return store.cloud.differences(replace(CLOUD, **other))


def test_the_first_pass_decides_and_a_dry_run_does_not(store: Store) -> None:
    store.cloud.belongs_to(CLOUD, remember=False)
    assert store.cloud.name() is None
    store.cloud.belongs_to(CLOUD, remember=True)
    assert (store.cloud.name(), differences(store)) == ("prod", [])


def test_another_address_or_region_is_another_cloud_and_is_named(store: Store) -> None:
    store.cloud.belongs_to(CLOUD, remember=True)
    other = replace(CLOUD, auth_url="https://elsewhere", region="")
    with pytest.raises(WrongCloud, match="if this is the same cloud at a new address") as error:
        store.cloud.belongs_to(other, remember=True)
    assert "its Keystone is https://keystone.example, not https://elsewhere" in str(error.value)
    assert "its region is north, not none" in str(error.value)
    assert store.cloud.differences(CLOUD) == []


def test_an_upgrade_may_change_the_id_of_the_service(store: Store) -> None:
    store.cloud.belongs_to(CLOUD, remember=True)
    store.cloud.belongs_to(replace(CLOUD, identity="id-2"), remember=True)
    assert differences(store, identity="id-3") == []


def test_a_cloud_at_a_new_address_is_listed_anew(store: Store) -> None:
    store.cloud.belongs_to(CLOUD, remember=True)
    store.cloud.note_backups_listed(NOW)
    moved = replace(CLOUD, auth_url="https://elsewhere")
    store.cloud.rebind(moved)
    assert store.cloud.differences(moved) == []
    assert store.cloud.backups_listed_at() is None


def test_a_row_of_staffeln_3_0_is_compared_by_what_it_has_and_completed(store: Store) -> None:
    store.cloud.belongs_to(replace(CLOUD, auth_url="https://keystone.example/v3"), remember=True)
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE cloud SET block_storage_url = NULL")
    assert differences(store, identity="id-2", auth_url="https://keystone.example") == []
    assert differences(store, region="south") == ["its region is north, not south"]
    found = differences(store, identity="id-2", auth_url="https://elsewhere")
    assert found == ["its Keystone is https://keystone.example, not https://elsewhere"]
    store.cloud.belongs_to(CLOUD, remember=True)
    assert differences(store, block_storage_url="https://other") == [
        "its Cinder is https://cinder.example, not https://other"
    ]


def test_before_the_first_pass_nothing_differs(store: Store) -> None:
    assert differences(store, region="south") == []
