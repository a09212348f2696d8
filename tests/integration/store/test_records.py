"""What the reads of the backup records promise on both databases."""

import pytest

from staffeln_cli.model import BackupId, Kind, State, VolumeId
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.store import Store
from tests.build import NOW, a_record
from tests.integration.store.builders import available, planned


def test_thousands_of_ids_are_looked_up_in_one_call(store: Store) -> None:
    records = planned(store, 1200)
    assert len(store.records.by_record_ids(one.id for one in records)) == 1200
    assert len(store.records.of_volumes(one.volume_id for one in records)) == 1200


def test_a_brief_says_of_a_record_what_the_record_says(store: Store) -> None:
    kept, other = available(store), available(store, "v2")
    store.notes.pin(kept, NOW, note="a note", who="somebody")
    store.notes.change_kind(kept.id, Kind.INCREMENTAL, BackupId("full"))
    store.lifecycle.plan([a_record()])  # has no backup yet
    (whole,) = store.records.by_record_ids([kept.id])
    found = store.records.briefs([kept.volume_id, VolumeId("never seen")])
    assert list(found) == [kept.backup_id] != [other.backup_id]
    brief = found[whole.backup_id or BackupId("")]
    assert brief == whole.brief
    assert a_record().brief is None
    assert brief.state is State.AVAILABLE
    assert brief.started_at == NOW


@pytest.mark.parametrize("state", sorted(set(State) - UNFINISHED))
def test_a_brief_knows_every_state(store: Store, state: State) -> None:
    record = a_record(state=state, backup_id=BackupId("b1"))
    store.lifecycle.plan([record])
    assert store.records.briefs([record.volume_id])[BackupId("b1")].state is state


def test_a_record_is_found_by_its_own_id_by_cinders_or_by_its_name(store: Store) -> None:
    record = available(store)
    assert record.backup_id is not None
    assert store.records.by_record_ids([record.id]) == [record]
    assert store.records.by_backup_ids([record.backup_id]) == [record]
    assert store.records.by_names([record.name]) == [record]
    for text in (record.id, record.backup_id, record.name):
        assert store.records.find(text) == record
    assert store.records.by_backup_ids([BackupId(record.id)]) == []
    assert store.records.find("nobody") is None
