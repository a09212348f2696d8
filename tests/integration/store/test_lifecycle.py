"""What the lifecycle of the backup records promises on both databases."""

from contextlib import suppress
from datetime import timedelta
from itertools import chain

import pytest

from staffeln_cli.model import BackupId, BackupRecord, Kind, ProjectId, State, VolumeId
from staffeln_cli.model.lifecycle import NEXT, UNFINISHED
from staffeln_cli.store import Caps, Claim, Store
from staffeln_cli.store.lifecycle import Lifecycle
from tests.build import NOW, a_record, an_inventory_volume
from tests.integration.store.builders import (
    MOVES,
    PLENTY,
    a_claim,
    arrows,
    available,
    backup_of,
    moved,
    planned,
    started,
    state_of,
)


def test_a_volume_has_at_most_one_unfinished_record(store: Store) -> None:
    first, second = a_record(), a_record()
    assert store.lifecycle.plan([first, second]) == {first.id}
    assert store.lifecycle.plan([a_record()]) == set()
    assert store.records.planned_or_unfinished() == {VolumeId("v1"): State.PLANNED}


@pytest.mark.parametrize("state", sorted(UNFINISHED))
def test_the_database_itself_refuses_a_second_unfinished_record(
    store: Store, state: State
) -> None:
    store.lifecycle.plan([a_record()])
    assert store.lifecycle.plan([a_record(state=state)]) == set()


def test_a_finished_record_makes_room_for_the_next(store: Store) -> None:
    available(store)
    assert len(store.lifecycle.plan([a_record()])) == 1


def test_every_method_that_moves_records_is_among_the_moves_tried_here() -> None:
    public = {name for name in vars(Lifecycle) if not name.startswith("_")}
    assert {name for name in public if ("[*]" not in {*chain(*arrows(name))})} == set(MOVES)


@pytest.mark.parametrize("method", sorted(MOVES))
def test_a_method_moves_records_along_the_arrows_that_it_names_and_no_others(
    store: Store, method: str
) -> None:
    for old in State:
        record = in_state(store, old)
        targets = {new for source, new in arrows(method) if source == old}
        if targets:
            assert MOVES[method](store.lifecycle, record, NOW)
            assert {state_of(store, record)} == targets
        else:
            with suppress(ValueError):
                assert not MOVES[method](store.lifecycle, record, NOW)
            assert state_of(store, record) is old


def in_state(store: Store, state: State) -> BackupRecord:
    """A record of a volume of its own; claimed, if it is under way to Cinder."""
    record = a_record(f"volume-{state}", state=State.PLANNED if state is State.STARTING else state)
    store.lifecycle.plan([record])
    if state is State.STARTING:
        assert moved(store, record, state)
    return store.records.by_record_ids([record.id])[0]


def test_the_methods_have_the_moves_of_the_table_and_no_others() -> None:
    table = {(old, new) for old, following in NEXT.items() for new in following}
    assert set(chain(*(arrows(method) for method in MOVES))) == table


def test_a_record_in_another_state_than_a_method_moves_is_a_bug(store: Store) -> None:
    with pytest.raises(ValueError, match="a planned backup cannot become creating"):
        store.lifecycle.created(a_record(), BackupId("b1"), owner="run-1")


def test_of_two_that_move_a_record_one_wins(store: Store) -> None:
    record = started(store)
    assert store.lifecycle.created(record, BackupId("b1"), owner="run-1")
    assert not store.lifecycle.put_back(record, owner="run-1")
    assert state_of(store, record) is State.CREATING


def test_a_move_of_an_owner_whose_claim_is_over_does_nothing(store: Store) -> None:
    record = started(store, "run-1")
    assert not store.lifecycle.created(record, BackupId("b1"), owner="run-2")
    assert store.lifecycle.created(record, BackupId("b1"), owner="run-1")


@pytest.mark.parametrize(
    ("planned_as", "made", "chain"),
    [
        (Kind.FULL, Kind.FULL, "b1"),
        (Kind.INCREMENTAL, Kind.INCREMENTAL, "the full"),
        (Kind.INCREMENTAL, Kind.FULL, "b1"),
    ],
)
def test_a_full_begins_a_chain_and_an_incremental_stays_in_its_own(
    store: Store, planned_as: Kind, made: Kind, chain: str
) -> None:
    record = started(store, kind=planned_as, chain_id="the full")
    assert store.lifecycle.created(record, BackupId("b1"), owner="run-1")
    (record,) = store.records.by_record_ids([record.id])
    assert record.chain_id == ("b1" if planned_as is Kind.FULL else "the full")
    is_incremental = made is Kind.INCREMENTAL
    assert store.lifecycle.finished(record, backup_of(record, is_incremental=is_incremental), NOW)
    (record,) = store.records.by_record_ids([record.id])
    assert (record.kind, record.chain_id) == (made, chain)


def test_what_is_put_back_is_no_attempt_and_what_is_planned_again_is_one(store: Store) -> None:
    record = started(store)
    assert store.lifecycle.put_back(record, "over quota", owner="run-1")
    (record,) = store.lifecycle.claim_next(a_claim(), caps=PLENTY, limit=1)
    assert (record.attempt, record.reason) == (1, "over quota")
    later = NOW + timedelta(minutes=5)
    assert store.lifecycle.plan_again(record, "busy", owner="run-1", not_before=later)
    (record,) = store.records.by_record_ids([record.id])
    assert (record.attempt, record.reason, record.not_before) == (2, "busy", later)


def test_a_backup_that_is_seen_again_is_available_and_news_once_more(store: Store) -> None:
    store.inventory.save([an_inventory_volume("v1")])
    record = available(store)
    assert store.lifecycle.missing(record, "it is gone", NOW)
    (record,) = store.records.by_record_ids([record.id])
    later = NOW + timedelta(hours=1)
    assert store.lifecycle.seen_again(record, backup_of(record, size_gib=7), later)
    (record,) = store.records.by_record_ids([record.id])
    assert (record.state, record.reason, record.deleted_at) == (State.AVAILABLE, None, None)
    assert (record.size_gib, record.finished_at) == (7, NOW)
    assert store.inventory.volumes([record.volume_id])[record.volume_id].last_success_at == NOW


def test_a_backup_that_was_finished_after_all_is_a_success_of_its_volume(store: Store) -> None:
    store.inventory.save([an_inventory_volume("v1")])
    record = started(store)
    assert store.lifecycle.created(record, BackupId("b1"), owner="run-1")
    (record,) = store.records.by_record_ids([record.id])
    assert store.lifecycle.failed(record, "timed out", NOW, remains=True)
    (record,) = store.records.by_record_ids([record.id])
    later = NOW + timedelta(hours=1)
    assert store.lifecycle.seen_again(record, backup_of(record), later)
    (record,) = store.records.by_record_ids([record.id])
    assert (record.state, record.remains, record.finished_at) == (State.AVAILABLE, False, later)
    volume = store.inventory.volumes([record.volume_id])[record.volume_id]
    assert (volume.last_success_at, volume.failures) == (NOW, 0)


def test_an_old_backup_that_is_seen_again_is_no_news_about_its_volume(store: Store) -> None:
    store.inventory.save([an_inventory_volume("v1", last_success_at=NOW, failures=2)])
    week_ago = NOW - timedelta(days=7)
    record = a_record(state=State.MISSING, backup_id=BackupId("b1"), started_at=week_ago)
    store.lifecycle.plan([record])
    assert store.lifecycle.seen_again(record, backup_of(record), NOW)
    volume = store.inventory.volumes([record.volume_id])[record.volume_id]
    assert (volume.last_success_at, volume.failures) == (NOW, 2)


def test_what_was_given_up_is_not_taken_back_while_its_volume_has_a_new_plan(
    store: Store,
) -> None:
    failed = a_record(state=State.FAILED, backup_id=BackupId("b1"))
    store.lifecycle.plan([failed])
    store.lifecycle.plan([a_record()])
    assert not store.lifecycle.creating_again(failed, backup_of(failed), NOW)
    assert state_of(store, failed) is State.FAILED


def test_a_backup_that_was_pinned_meanwhile_is_not_deleted(store: Store) -> None:
    record = available(store)
    assert store.notes.pin(record, NOW, note="before the move", who="somebody")
    assert not store.lifecycle.deleting(record, "expired", next_try_at=NOW)
    assert state_of(store, record) is State.AVAILABLE


def test_an_adopted_backup_is_a_success_of_its_volume_and_remains_say_nothing(
    store: Store,
) -> None:
    store.inventory.save([an_inventory_volume("v1")])
    hour_ago = NOW - timedelta(hours=1)
    remains = a_record(state=State.FAILED, backup_id=BackupId("b1"), remains=True)
    store.lifecycle.adopt(remains)
    found = a_record(state=State.AVAILABLE, backup_id=BackupId("b2"), started_at=hour_ago)
    store.lifecycle.adopt(found)
    volume = store.inventory.volumes([found.volume_id])[found.volume_id]
    assert (volume.failures, volume.last_failed_at) == (0, None)
    assert volume.last_success_at == hour_ago


def test_start_takes_the_waiting_order_first(store: Store) -> None:
    for days, volume in ((1, "a"), (3, "b"), (2, "c")):
        store.lifecycle.plan([a_record(volume, waiting_since=NOW - timedelta(days=days))])
    store.lifecycle.plan([a_record("never")])
    taken = store.lifecycle.claim_next(a_claim(), caps=PLENTY, limit=3)
    assert [one.volume_id for one in taken] == ["never", "b", "c"]
    assert {one.state for one in taken} == {State.STARTING}


def test_start_keeps_to_the_caps_with_what_is_in_flight(store: Store) -> None:
    planned(store, 5, project_id=ProjectId("big"))
    planned(store, 5, project_id=ProjectId("small"))
    caps = Caps(total=5, per_project=3)
    taken = [
        one for _ in range(9) for one in store.lifecycle.claim_next(a_claim(), caps=caps, limit=1)
    ]
    projects = [one.project_id for one in taken]
    assert sorted(projects.count(ProjectId(name)) for name in ("big", "small")) == [2, 3]


def test_start_passes_over_projects_that_wait_and_records_that_pause(store: Store) -> None:
    planned(store, 1, project_id=ProjectId("poor"))
    planned(store, 1, project_id=ProjectId("rich"))
    store.lifecycle.plan([a_record("later", not_before=NOW + timedelta(minutes=1))])
    taken = store.lifecycle.claim_next(
        a_claim(), caps=PLENTY, limit=9, waiting=[ProjectId("poor")]
    )
    assert [one.project_id for one in taken] == ["rich"]


def test_a_claim_that_expired_lets_another_take_over(database_url: str) -> None:
    now = NOW
    store = Store(database_url, clock=lambda: now)
    record = started(store, "dead")
    assert store.claims.claim_open_work(a_claim("heir")) == []
    now += timedelta(minutes=3)
    claim = Claim("heir", now + timedelta(minutes=3))
    assert [one.id for one in store.claims.claim_open_work(claim)] == [record.id]
    assert not store.claims.extend_claim(record.id, a_claim("dead"))
    store.close()


def test_what_is_given_back_is_free_at_once_but_for_what_is_in_doubt(store: Store) -> None:
    doubtful = started(store, volume="doubtful")
    sure = started(store, volume="sure")
    assert moved(store, sure, State.CREATING)
    assert len(store.claims.claim_open_work(a_claim("run-1"))) == 1
    store.claims.release("run-1")
    assert [one.id for one in store.claims.claim_open_work(a_claim("run-2"))] == [sure.id]
    assert state_of(store, doubtful) is State.STARTING


def test_only_planned_records_are_cancelled(store: Store) -> None:
    started(store, volume="busy")
    store.lifecycle.plan([a_record("idle")])
    volumes = [VolumeId("busy"), VolumeId("idle"), VolumeId("none")]
    assert store.lifecycle.cancel_planned(volumes, "gone", NOW) == 1


def test_old_finished_rows_are_forgotten_and_no_others(store: Store) -> None:
    kept = available(store, "kept")
    old = NOW - timedelta(days=91)
    store.lifecycle.plan(
        [
            a_record("a", state=State.CANCELLED, finished_at=old),
            a_record("b", state=State.FAILED, finished_at=old),
            a_record("c", state=State.DELETED, deleted_at=old),
            a_record("d", state=State.DELETED, deleted_at=NOW),
            a_record("e", state=State.FAILED, finished_at=old, remains=True),
        ]
    )
    assert store.lifecycle.forget(NOW - timedelta(days=90)) == 3
    assert state_of(store, kept) is State.AVAILABLE
