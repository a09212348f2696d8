"""What the life of restore drills promises on both databases."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from staffeln_cli.model import (
    BackupId,
    Drill,
    DrillState,
    Kind,
    ProjectId,
    ProofLevel,
    State,
    VolumeId,
)
from staffeln_cli.model.drills import NEXT_DRILL_STATES, drill_of
from staffeln_cli.store import Store
from staffeln_cli.store.drills import Drills
from tests.build import NOW, a_drill, a_record, ago, an_inventory_volume
from tests.integration.store.builders import PLENTY, a_claim, available, started

METHODS = ("restoring", "checking", "clearing", "passed", "failed", "cancelled")


def move(store: Store, drill: Drill, method: str, owner: str = "run-1") -> bool:
    """Call a method with plausible facts."""
    drills = store.drills
    if method == "checking":
        return drills.checking(drill, 5.0, 60.0, owner=owner)
    if method == "clearing":
        return drills.clearing(drill, DrillState.PASSED, level=ProofLevel.RESTORED, owner=owner)
    moved: bool = getattr(drills, method)(drill, NOW, owner=owner)
    return moved


def arrows(method: str) -> set[tuple[str, str]]:
    first = (getattr(Drills, method).__doc__ or "").partition(":")[0]
    sources, _, targets = first.partition(" -> ")
    return set(product(sources.split(" | "), targets.split(" | ")))


def drilled(store: Store, *methods: str, **more: Any) -> Drill:
    """A drill of a volume in the inventory, moved by these methods."""
    drill = a_drill(**more)
    if not store.inventory.volumes([drill.volume_id]):
        store.inventory.save([an_inventory_volume(drill.volume_id)])
    assert store.drills.plan(drill, a_claim())
    for method in methods:
        assert move(store, current(store, drill), method)
    return current(store, drill)


def current(store: Store, drill: Drill) -> Drill:
    found = store.drills.by_id(drill.id)
    assert found is not None
    return found


WAYS: dict[DrillState, tuple[str, ...]] = {
    DrillState.PLANNED: (),
    DrillState.RESTORING: ("restoring",),
    DrillState.CHECKING: ("restoring", "checking"),
    DrillState.CLEARING: ("restoring", "clearing"),
    DrillState.PASSED: ("restoring", "checking", "clearing", "passed"),
    DrillState.FAILED: ("restoring", "clearing", "failed"),
    DrillState.CANCELLED: ("cancelled",),
}


def test_the_methods_have_the_moves_of_the_table_and_no_others() -> None:
    named = set().union(*(arrows(method) for method in METHODS))
    assert named == {(old, new) for old, later in NEXT_DRILL_STATES.items() for new in later}


@pytest.mark.parametrize("method", METHODS)
def test_a_method_moves_drills_along_its_arrows_and_no_others(store: Store, method: str) -> None:
    for number, (old, way) in enumerate(WAYS.items()):
        drill = drilled(store, *way, volume=f"{method}-{number}")
        targets = {new for source, new in arrows(method) if source == old}
        if targets:
            assert move(store, drill, method)
            assert {current(store, drill).state} == targets
        else:
            with pytest.raises(ValueError, match="cannot become"):
                move(store, drill, method)


def test_every_column_comes_back_as_it_was(store: Store) -> None:
    drill = drilled(store, "restoring")
    assert store.drills.note_scratch(drill, volume_id=VolumeId("s1"), owner="run-1")
    drill = current(store, drill)
    assert (drill.scratch_volume_id, drill.started_at) == ("s1", NOW)
    assert store.drills.clearing(
        drill,
        DrillState.CANCELLED,
        owner="run-1",
        reason="why",
        suspected=True,
        level=ProofLevel.BOOTED,
        console="login:",
    )
    found = current(store, drill)
    assert found == replace(
        drill,
        state=DrillState.CLEARING,
        verdict=DrillState.CANCELLED,
        reason="why",
        suspected=True,
        level=ProofLevel.BOOTED,
        console="login:",
    )


def test_a_volume_has_one_unfinished_drill(store: Store) -> None:
    first = drilled(store)
    assert not store.drills.plan(a_drill(), a_claim())
    move(store, first, "cancelled")
    assert store.drills.plan(a_drill(), a_claim())


def test_a_drill_that_another_run_has_taken_over_is_left_alone(store: Store) -> None:
    drill = drilled(store)
    for method in ("restoring", "cancelled"):
        assert not move(store, drill, method, owner="run-2")
    assert not store.drills.extend_claim(drill, a_claim("run-2"))
    assert not store.drills.note_scratch(drill, volume_id=VolumeId("s1"), owner="run-2")
    assert current(store, drill) == drill


def test_only_drills_without_a_living_process_are_taken_over(store: Store) -> None:
    drill = drilled(store, "restoring")
    drilled(store, "cancelled", volume="v2")
    assert store.drills.claim_left(a_claim("run-2")) == []
    store.drills.release("run-1")
    assert store.drills.claim_left(a_claim("run-2")) == [drill]
    assert store.drills.claim_left(a_claim("run-3")) == []
    assert move(store, drill, "checking", owner="run-2")
    assert store.drills.extend_claim(drill, a_claim("run-2", minutes=-1))
    assert [one.id for one in store.drills.claim_left(a_claim("run-3"))] == [drill.id]


@pytest.mark.parametrize("state", [State.STARTING, State.CREATING])
def test_no_restore_begins_while_a_backup_of_the_volume_is_created(
    store: Store, state: State
) -> None:
    record = started(store)
    if state is State.CREATING:
        store.lifecycle.created(record, BackupId("b9"), owner="run-1")
    drill = drilled(store)
    assert not move(store, drill, "restoring")
    assert current(store, drill).state is DrillState.PLANNED


def test_no_restore_begins_of_a_backup_that_is_being_deleted(store: Store) -> None:
    record = available(store)
    store.lifecycle.deleting(record, "expired", next_try_at=NOW)
    drill = drilled(store, backup_id=record.backup_id)
    assert not move(store, drill, "restoring")


def test_no_incremental_starts_and_nothing_is_deleted_while_its_chain_is_restored(
    store: Store,
) -> None:
    record = available(store)
    drill = drilled(store, "restoring", backup_id=record.backup_id)
    incremental = a_record(kind=Kind.INCREMENTAL)
    store.lifecycle.plan([incremental, a_record("v2", kind=Kind.INCREMENTAL)])
    others = store.lifecycle.claim_next(a_claim(), caps=PLENTY, limit=9)
    assert [one.volume_id for one in others] == ["v2"]
    assert not store.lifecycle.deleting(record, "expired", next_try_at=NOW)
    move(store, drill, "clearing")
    assert store.lifecycle.claim_next(a_claim(), caps=PLENTY, limit=9)
    assert store.lifecycle.deleting(record, "expired", next_try_at=NOW)


def test_a_full_backup_starts_also_while_a_chain_is_restored(store: Store) -> None:
    drilled(store, "restoring")
    store.lifecycle.plan([a_record()])
    assert store.lifecycle.claim_next(a_claim(), caps=PLENTY, limit=9)


def test_a_volume_knows_when_it_was_proven_and_whether_a_drill_failed(store: Store) -> None:
    def proofs() -> tuple[object, object]:
        (volume,) = store.inventory.volumes([VolumeId("v1")]).values()
        return volume.proven_at, volume.proof_failed_at

    drilled(store, *WAYS[DrillState.CANCELLED])
    assert proofs() == (None, None)
    drilled(store, *WAYS[DrillState.FAILED], backup_at=ago(days=2))
    assert proofs() == (None, NOW)
    drilled(store, *WAYS[DrillState.PASSED], backup_at=ago(days=9))
    assert proofs() == (NOW, NOW), "an older backup says nothing about the newer one"
    drilled(store, *WAYS[DrillState.PASSED], backup_at=ago(days=1))
    assert proofs() == (NOW, None)


def test_a_drill_of_a_former_owners_backup_says_nothing_about_the_present_owners(
    store: Store,
) -> None:
    drilled(store, *WAYS[DrillState.FAILED])
    former = an_inventory_volume("v1")
    store.inventory.save([former.transferred(ProjectId("p2"), None)])
    drilled(store, *WAYS[DrillState.PASSED])
    drilled(store, *WAYS[DrillState.FAILED])
    (volume,) = store.inventory.volumes([VolumeId("v1")]).values()
    assert (volume.proven_at, volume.proof_failed_at) == (None, NOW)
    assert store.drills.of_volumes([VolumeId("v1")]) == {}
    theirs = drilled(store, *WAYS[DrillState.PASSED], project_id=ProjectId("p2"), backup_at=NOW)
    assert store.drills.of_volumes([VolumeId("v1")]) == {VolumeId("v1"): [theirs]}


def test_what_is_forgotten_is_old_and_not_the_newest_of_its_kind(store: Store) -> None:
    ends = (NOW - timedelta(days=9), NOW - timedelta(days=8), NOW)
    for moment in ends:
        drill = drilled(store, "restoring", "checking", "clearing")
        store.drills.passed(drill, moment, owner="run-1")
    drilled(store, *WAYS[DrillState.FAILED], volume="v2")
    assert store.drills.forget(NOW + timedelta(days=1)) == 2
    left = store.drills.ended_in([DrillState.PASSED, DrillState.FAILED])
    assert {(one.volume_id, one.state) for one in left} == {
        ("v1", DrillState.PASSED),
        ("v2", DrillState.FAILED),
    }


def test_a_drill_is_found_by_its_volume_and_by_when_it_ended(store: Store) -> None:
    drill = drilled(store, *WAYS[DrillState.PASSED])
    drilled(store, "restoring", volume="v2")
    assert store.drills.of_volumes([VolumeId("v1")]) == {VolumeId("v1"): [drill]}
    assert store.drills.ended_in([DrillState.PASSED], NOW) == [drill]
    assert store.drills.ended_in([DrillState.PASSED], NOW + timedelta(hours=1)) == []
    assert [one.volume_id for one in store.drills.unfinished()] == ["v2"]
    store.reports.note_reported(drill.project_id, NOW, [], drills=[drill.id])
    assert current(store, drill).reported_at == NOW


def test_a_drill_is_told_by_the_name_of_what_it_made() -> None:
    drill = a_drill()
    assert drill_of(drill.scratch_name) == drill.id
    assert drill_of("orders") is None
