"""What the backup records promise on both databases."""

from datetime import timedelta

import pytest

from staffeln_cli.model import BackupId, ProjectId, State, VolumeId
from staffeln_cli.model.lifecycle import NEXT, UNFINISHED
from staffeln_cli.store import Caps, Claim, Store
from tests.build import NOW, a_record
from tests.integration.store.builders import PLENTY, a_claim, available, planned, started, state_of


def test_a_volume_has_at_most_one_unfinished_record(store: Store) -> None:
    first, second = a_record(), a_record()
    assert store.backups.plan([first, second]) == {first.id}
    assert store.backups.plan([a_record()]) == set()
    assert store.backups.planned_or_unfinished() == {VolumeId("v1"): State.PLANNED}


@pytest.mark.parametrize("state", sorted(UNFINISHED))
def test_the_database_itself_refuses_a_second_unfinished_record(
    store: Store, state: State
) -> None:
    store.backups.plan([a_record()])
    assert store.backups.plan([a_record(state=state)]) == set()


def test_a_finished_record_makes_room_for_the_next(store: Store) -> None:
    available(store)
    assert len(store.backups.plan([a_record()])) == 1


def test_only_the_legal_moves_can_be_made(store: Store) -> None:
    pairs = [(old, new) for old in State for new in State]
    for number, (old, new) in enumerate(pairs):
        record = a_record(f"v{number}", state=old)
        store.backups.plan([record])
        if new in NEXT[old]:
            assert store.backups.move(record, new, moment=NOW)
            assert state_of(store, record) is new
        else:
            with pytest.raises(ValueError, match=f"{old} backup cannot become {new}"):
                store.backups.move(record, new, moment=NOW)
            assert state_of(store, record) is old


def test_of_two_that_move_a_record_one_wins(store: Store) -> None:
    record = started(store)
    assert store.backups.move(record, State.CREATING, moment=NOW)
    assert not store.backups.move(record, State.PLANNED, moment=NOW)
    assert state_of(store, record) is State.CREATING


def test_a_move_of_an_owner_whose_claim_is_over_does_nothing(store: Store) -> None:
    record = started(store, "run-1")
    assert not store.backups.move(record, State.CREATING, moment=NOW, owner="run-2")
    assert store.backups.move(record, State.CREATING, moment=NOW, owner="run-1")


def test_start_takes_the_longest_waiting_first(store: Store) -> None:
    for days, volume in ((1, "a"), (3, "b"), (2, "c")):
        store.backups.plan([a_record(volume, waiting_since=NOW - timedelta(days=days))])
    store.backups.plan([a_record("never")])
    taken = store.backups.start(a_claim(), caps=PLENTY, limit=3)
    assert [one.volume_id for one in taken] == ["never", "b", "c"]
    assert {one.state for one in taken} == {State.STARTING}


def test_start_keeps_to_the_caps_with_what_is_in_flight(store: Store) -> None:
    planned(store, 5, project_id=ProjectId("big"))
    planned(store, 5, project_id=ProjectId("small"))
    caps = Caps(total=5, per_project=3)
    taken = [one for _ in range(9) for one in store.backups.start(a_claim(), caps=caps, limit=1)]
    projects = [one.project_id for one in taken]
    assert sorted(projects.count(ProjectId(name)) for name in ("big", "small")) == [2, 3]


def test_start_passes_over_projects_that_wait_and_records_that_pause(store: Store) -> None:
    planned(store, 1, project_id=ProjectId("poor"))
    planned(store, 1, project_id=ProjectId("rich"))
    store.backups.plan([a_record("later", not_before=NOW + timedelta(minutes=1))])
    taken = store.backups.start(a_claim(), caps=PLENTY, limit=9, waiting=[ProjectId("poor")])
    assert [one.project_id for one in taken] == ["rich"]


def test_a_claim_that_expired_lets_another_take_over(database_url: str) -> None:
    now = NOW
    store = Store(database_url, clock=lambda: now)
    record = started(store, "dead")
    assert store.backups.claim_open_work(a_claim("heir")) == []
    now += timedelta(minutes=3)
    claim = Claim("heir", now + timedelta(minutes=3))
    assert [one.id for one in store.backups.claim_open_work(claim)] == [record.id]
    assert not store.backups.extend_claim(record.id, a_claim("dead"))
    store.close()


def test_what_is_given_back_is_free_at_once_but_for_what_is_in_doubt(store: Store) -> None:
    doubtful = started(store, volume="doubtful")
    sure = started(store, volume="sure")
    store.backups.move(sure, State.CREATING, moment=NOW)
    assert len(store.backups.claim_open_work(a_claim("run-1"))) == 1
    store.backups.give_back("run-1")
    assert [one.id for one in store.backups.claim_open_work(a_claim("run-2"))] == [sure.id]
    assert state_of(store, doubtful) is State.STARTING


def test_only_planned_records_are_cancelled(store: Store) -> None:
    started(store, volume="busy")
    store.backups.plan([a_record("idle")])
    volumes = [VolumeId("busy"), VolumeId("idle"), VolumeId("none")]
    assert store.backups.cancel_planned(volumes, "gone", NOW) == 1


def test_old_finished_rows_are_forgotten_and_no_others(store: Store) -> None:
    kept = available(store, "kept")
    old = NOW - timedelta(days=91)
    store.backups.plan(
        [
            a_record("a", state=State.CANCELLED, finished_at=old),
            a_record("b", state=State.FAILED, finished_at=old),
            a_record("c", state=State.DELETED, deleted_at=old),
            a_record("d", state=State.DELETED, deleted_at=NOW),
            a_record("e", state=State.FAILED, finished_at=old, remains=True),
        ]
    )
    assert store.backups.forget(NOW - timedelta(days=90)) == 3
    assert state_of(store, kept) is State.AVAILABLE


def test_thousands_of_ids_are_looked_up_in_one_call(store: Store) -> None:
    records = planned(store, 1200)
    assert len(store.backups.by_ids(one.id for one in records)) == 1200
    assert len(store.backups.of_volumes(one.volume_id for one in records)) == 1200


def test_a_brief_says_of_a_record_what_the_record_says(store: Store) -> None:
    kept, other = available(store), available(store, "v2")
    store.backups.note(kept.id, pinned=True, pin_note="a note", chain_id="full")
    store.backups.plan([a_record()])  # has no backup yet
    (whole,) = store.backups.by_ids([kept.id])
    found = store.backups.briefs([kept.volume_id, VolumeId("never seen")])
    assert list(found) == [kept.backup_id] != [other.backup_id]
    brief = found[whole.backup_id or BackupId("")]
    assert brief == whole.brief
    assert a_record().brief is None
    assert brief.state is State.AVAILABLE
    assert brief.started_at == NOW


@pytest.mark.parametrize("state", sorted(set(State) - UNFINISHED))
def test_a_brief_knows_every_state(store: Store, state: State) -> None:
    record = a_record(state=state, backup_id=BackupId("b1"))
    store.backups.plan([record])
    assert store.backups.briefs([record.volume_id])[BackupId("b1")].state is state
