"""The history kept with a volume agrees with its records, whatever became of them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from staffeln_cli.model import BackupId, BackupRecord, SkipCause, State, VolumeId
from staffeln_cli.model.lifecycle import NEXT
from staffeln_cli.store import Store
from staffeln_cli.store.inventory import AbsentVolumes
from tests.build import NOW, a_backup, a_record, a_record_of, ago, an_inventory_volume
from tests.integration.store.builders import moved

VOLUME = VolumeId("v1")


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    store = Store(sqlite_url, clock=lambda: NOW)
    yield store
    store.close()


def emptied(store: Store) -> Store:
    with store.database.write() as connection:
        for table in ("backups", "volumes"):
            connection.execute(text(f"DELETE FROM {table}"))
    store.inventory.save([an_inventory_volume(VOLUME)])
    return store


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(choices=st.lists(st.integers(0, 99), min_size=1, max_size=30))
def test_history_columns_agree_with_the_rows_after_any_moves(
    sqlite_store: Store, choices: list[int]
) -> None:
    store = emptied(sqlite_store)
    failures, failed_at = 0, None
    last_success = None
    sent: list[BackupRecord] = []
    for hours, choice in enumerate(choices):
        store.lifecycle.plan([a_record(VOLUME)])
        alive = [one for one in store.records.of_volumes([VOLUME]) if NEXT[one.state]]
        record = alive[choice % len(alive)]
        was = record.state
        new = sorted(NEXT[record.state])[choice % len(NEXT[record.state])]
        is_moved = moved(store, record, new, NOW + timedelta(hours=hours))
        (record,) = store.records.by_record_ids([record.id])
        if not is_moved:  # the volume has an unfinished record
            assert (record.state, new) == (State.FAILED, State.CREATING)
        elif new is State.CREATING:
            sent.append(record)
        elif new is State.FAILED:
            failures, failed_at = failures + 1, NOW + timedelta(hours=hours)
        elif State.MISSING in (was, new):  # lost or found again: no success, and no failure either
            left = store.records.in_states({State.AVAILABLE})
            last_success = max((one.started_at for one in left if one.started_at), default=None)
        elif new is State.AVAILABLE and record.started_at:
            is_news = last_success is None or record.started_at >= last_success
            last_success, failures = (
                (record.started_at, 0) if is_news else (last_success, failures)
            )
    row = store.inventory.volumes([VOLUME])[VOLUME]
    assert row.failures == failures
    assert row.last_failed_at == failed_at
    assert row.last_success_at == last_success
    assert row.last_started_at == (sent[-1].started_at if sent else None)


def test_a_new_look_at_the_cloud_never_overwrites_history(store: Store) -> None:
    emptied(store)
    record = a_record(VOLUME)
    store.lifecycle.plan([record])
    for new in (State.STARTING, State.CREATING, State.AVAILABLE):
        (record,) = store.records.by_record_ids([record.id])
        assert moved(store, record, new)
    store.inventory.save([an_inventory_volume(VOLUME, volume_name="renamed", size_gib=9)])
    row = store.inventory.volumes([VOLUME])[VOLUME]
    assert (row.volume_name, row.size_gib) == ("renamed", 9)
    assert row.last_success_at == row.last_started_at == NOW


def test_a_complete_listing_tells_what_is_gone_suspected_and_seen(store: Store) -> None:
    later = NOW + timedelta(days=1)
    here, gone, suspected, unproven = names = [
        VolumeId(name) for name in ("here", "gone", "suspected", "unproven")
    ]
    store.inventory.save([an_inventory_volume(name) for name in names])
    lacking = {one.volume_id: one for one in store.inventory.unseen({here})}
    assert lacking.keys() == {gone, suspected, unproven}
    absent = AbsentVolumes([gone], [lacking[suspected]], [lacking[unproven]])
    store.inventory.close_listing(absent, later)
    rows = store.inventory.volumes(names)
    assert rows[here].last_seen_at == later
    assert rows[unproven] == lacking[unproven]
    assert rows[suspected] == lacking[suspected]._replace(suspected_gone_at=later)
    left = rows[gone]
    assert (left.gone_at, left.protected, left.last_seen_at) == (later, False, NOW)
    assert (left.protection_ended_at, left.protection_end_cause) == (later, SkipCause.GONE)
    assert store.inventory.unseen({here, suspected, unproven}) == []


def test_the_first_suspicion_stays_when_there_are_others(store: Store) -> None:
    store.inventory.save([an_inventory_volume("v1", suspected_gone_at=NOW)])
    (known,) = store.inventory.unseen([])
    store.inventory.close_listing(AbsentVolumes([], [known], []), NOW + timedelta(days=1))
    assert store.inventory.unseen([])[0].suspected_gone_at == NOW


def test_the_first_attempt_that_fails_before_cinder_counts(sqlite_store: Store) -> None:
    store = emptied(sqlite_store)
    failed = a_record(VOLUME, state=State.FAILED, finished_at=NOW, reason="in error")
    store.lifecycle.plan([failed])
    row = store.inventory.volumes([VOLUME])[VOLUME]
    assert (row.failures, row.last_failed_at) == (1, NOW)


def test_a_moment_comes_back_as_it_went(database_url: str) -> None:
    store = Store(database_url)
    moment = NOW + timedelta(microseconds=123456)
    store.lifecycle.plan([a_record(planned_at=moment)])
    assert store.records.in_states({State.PLANNED})[0].planned_at == moment
    store.close()


def a_chain(store: Store, name: str, *days_old: float) -> list[BackupRecord]:
    """The records of a full backup and of incrementals on it."""
    records = []
    for place, age in enumerate(days_old):
        made = a_backup(f"{name}-{place}", days_old=age, incremental=place > 0)
        record = a_record_of(made, chain_id=BackupId(f"{name}-0"), succeeded_at=made.created_at)
        store.lifecycle.adopt(record)
        records.append(record)
    return records


def successes(store: Store) -> tuple[datetime | None, bool]:
    """When the newest backup to restore the volume from started, and whether there is none."""
    row = store.inventory.volumes([VOLUME])[VOLUME]
    return row.last_success_at, row.unrestorable_since is not None


def test_a_broken_backup_takes_what_depends_on_it_with_it_and_brings_it_back(
    store: Store,
) -> None:
    emptied(store)
    older = a_chain(store, "old", 6, 5)
    newer = a_chain(store, "new", 4, 3, 2)
    assert store.notes.broken(newer[1], "in error", NOW)
    assert successes(store) == (newer[0].started_at, False)
    assert store.notes.broken(newer[0], "in error", NOW)
    assert successes(store) == (older[1].started_at, False)
    assert store.notes.broken(older[0], "in error", NOW)
    assert successes(store) == (None, True)
    for record in store.records.broken():
        assert store.notes.whole(record, NOW)
    assert successes(store) == (newer[2].started_at, False)


def test_what_is_not_available_or_broken_already_does_not_break(store: Store) -> None:
    emptied(store)
    (full,) = a_chain(store, "full", 1)
    assert store.notes.broken(full, "in error", NOW)
    assert not store.notes.broken(full, "in error", NOW)
    (found,) = store.records.broken()
    assert store.lifecycle.missing(found, "gone", NOW)
    assert not store.notes.whole(found, NOW)
    assert store.records.broken() == []


def test_the_return_of_a_missing_backup_brings_back_what_depends_on_it(store: Store) -> None:
    emptied(store)
    full, incremental = a_chain(store, "chain", 3, 2)
    assert store.lifecycle.missing(full, "gone", NOW)
    assert successes(store) == (None, True)
    (lost,) = store.records.in_states({State.MISSING})
    backup = a_backup("chain-0", days_old=3)
    assert store.lifecycle.seen_again(lost, backup, NOW)
    assert successes(store) == (incremental.started_at, False)


def test_what_was_made_after_a_loss_was_seen_is_something_to_restore_from(store: Store) -> None:
    emptied(store)
    full, lost = a_chain(store, "chain", 4, 3)
    store.notes.suspect_missing([lost.id], ago(days=2))
    made = a_backup("chain-2", days_old=1, incremental=True)
    later = a_record_of(made, chain_id=full.chain_id)
    store.lifecycle.adopt(later)
    (lost,) = store.records.by_record_ids([lost.id])
    assert store.lifecycle.missing(lost, "gone", NOW)
    assert successes(store) == (later.started_at, False)


def test_a_success_on_a_broken_chain_is_nothing_to_restore_from(store: Store) -> None:
    emptied(store)
    (full,) = a_chain(store, "chain", 3)
    assert store.notes.broken(full, "in error", NOW)
    made = a_backup("chain-1", days_old=1, incremental=True)
    store.lifecycle.adopt(a_record_of(made, chain_id=BackupId("chain-0")))
    assert successes(store) == (None, True)
