"""How long backups take is learned with each that succeeds, on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from staffeln_cli.model import BackupRecord, Kind, State, VolumeId
from staffeln_cli.store import Store
from tests.build import NOW, a_backup, a_record, an_inventory_volume


def a_volume(store: Store, name: str = "v1", **more: Any) -> None:
    store.inventory.save([an_inventory_volume(name, **more)])


def took(store: Store, minutes: float, volume: str = "v1", **more: Any) -> BackupRecord:
    """A backup that started now, and was seen to be available so much later."""
    record = a_record(volume, state=State.CREATING, started_at=NOW, **more)
    assert store.lifecycle.plan([record])
    incremental = record.kind is Kind.INCREMENTAL
    backup = a_backup(record.name, incremental=incremental)
    assert store.lifecycle.finished(record, backup, NOW + timedelta(minutes=minutes))
    return record


def next_one(store: Store, volume: str = "v1", **more: Any) -> timedelta | None:
    record = a_record(volume, **more)
    assert store.lifecycle.plan([record])
    return store.durations.expected(record)


def test_the_next_backup_takes_as_long_as_the_last(store: Store) -> None:
    a_volume(store)
    took(store, 20)
    assert next_one(store) == timedelta(minutes=20)


def test_full_and_incremental_backups_are_learned_apart(store: Store) -> None:
    a_volume(store)
    took(store, 60)
    took(store, 2, kind=Kind.INCREMENTAL)
    assert next_one(store, kind=Kind.INCREMENTAL) == timedelta(minutes=2)
    assert store.durations.rates() == {(None, Kind.FULL): 360, (None, Kind.INCREMENTAL): 12}


def test_a_new_volume_takes_as_long_as_others_of_its_type(store: Store) -> None:
    a_volume(store, volume_type="ssd")
    a_volume(store, "new", volume_type="ssd", size_gib=30)
    a_volume(store, "other", volume_type="hdd")
    took(store, 20)
    assert next_one(store, "new") == timedelta(minutes=60)
    assert next_one(store, "other") is None


def test_a_listing_of_the_cloud_forgets_nothing(store: Store) -> None:
    a_volume(store)
    took(store, 20)
    a_volume(store, size_gib=12)
    assert next_one(store) == timedelta(minutes=20)


def test_a_backup_of_a_volume_without_a_row_teaches_nothing(store: Store) -> None:
    took(store, 20)
    assert next_one(store) is None


@pytest.mark.parametrize("state", [State.FAILED, State.MISSING])
def test_a_backup_that_comes_back_later_teaches_nothing(store: Store, state: State) -> None:
    a_volume(store)
    record = a_record(state=state, started_at=NOW)
    store.lifecycle.plan([record])
    store.lifecycle.seen_again(record, a_backup(record.name), NOW + timedelta(days=3))
    assert next_one(store) is None


def test_what_waits_and_runs_is_listed_with_its_volume(store: Store) -> None:
    a_volume(store, volume_type="ssd", size_gib=30)
    took(store, 5)
    store.lifecycle.plan([a_record(), a_record("unknown", state=State.CREATING)])
    found = {one.volume_id: one for one in store.durations.unfinished()}
    here, unknown = found[VolumeId("v1")], found[VolumeId("unknown")]
    assert (here.state, here.usual_full_s, here.volume_type) == (State.PLANNED, 300, "ssd")
    assert (here.size_gib, unknown.size_gib, unknown.volume_type) == (30, 0, None)
