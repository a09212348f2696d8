"""A restore drill: what it finds out about a backup, and that it leaves nothing behind."""

from datetime import timedelta

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import DrillState, Kind, ProofLevel, State, VolumeId
from staffeln_cli.operations.drill import follow_left
from staffeln_cli.runtime import Run
from staffeln_cli.store.queries import insert
from tests.acceptance.builders import sent
from tests.build import a_record
from tests.integration.operations.drills import carried_on, left, now, planned, step

pytestmark = pytest.mark.usefixtures("restores_take_no_time")


def test_a_backup_that_is_restored_like_its_source_is_proven(cloud: SimCloud, run: Run) -> None:
    drill = carried_on(run, planned(run, cloud))
    assert (drill.state, drill.level, drill.reason) == (
        DrillState.PASSED,
        ProofLevel.RESTORED,
        None,
    )
    volume = run.store.inventory.volumes([drill.volume_id])[drill.volume_id]
    assert volume.proven_at == run.now()
    assert left(cloud) == []


def test_waiting_for_cinder_and_restoring_are_measured_apart(cloud: SimCloud, run: Run) -> None:
    cloud.settings.restore_pace = timedelta(minutes=2)
    drill = carried_on(run, planned(run, cloud))
    assert drill.state is DrillState.PASSED
    assert drill.waiting_seconds == pytest.approx(0, abs=1)
    assert drill.restoring_seconds == pytest.approx(120, rel=0.06)


def test_after_its_time_a_pass_leaves_the_drill_to_a_later_one(cloud: SimCloud, run: Run) -> None:
    cloud.settings.restore_pace = timedelta(hours=2)
    drill = carried_on(run, planned(run, cloud), timedelta(minutes=2))
    assert drill.state is DrillState.RESTORING
    cloud.advance(hours=2)
    later = carried_on(run, drill)
    assert (later.state, later.restoring_seconds) == (DrillState.PASSED, None)


def test_a_drill_that_another_run_has_taken_over_is_left_to_it(cloud: SimCloud, run: Run) -> None:
    cloud.settings.restore_pace = timedelta(hours=2)
    drill = planned(run, cloud)
    step(run, drill)
    cloud.advance(hours=1)
    other = Run(run.runtime, "check")
    assert [one.id for one in run.store.drills.claim_left(other.claim())] == [drill.id]
    assert carried_on(run, drill).state is DrillState.RESTORING


def test_a_restore_does_not_begin_while_a_backup_of_the_volume_is_created(
    cloud: SimCloud, run: Run
) -> None:
    drill = planned(run, cloud)
    with run.store.database.write() as connection:
        insert(connection, [a_record(drill.volume_id, state=State.CREATING)])
    assert step(run, drill).state is DrillState.CANCELLED
    assert sent(cloud, "POST", "/volumes") == []


def test_a_restore_that_cinder_refuses_cancels_and_says_nothing_about_the_backup(
    cloud: SimCloud, run: Run
) -> None:
    drill = planned(run, cloud)
    cloud.faults.fail_next("POST", "/volumes$", status=403)
    ended = carried_on(run, drill)
    assert ended.state is DrillState.CANCELLED
    assert (ended.reason or "").startswith("Cinder refused to restore: HTTP 403")
    assert run.failures == []


def test_a_restore_whose_reply_is_lost_is_found_by_its_name(cloud: SimCloud, run: Run) -> None:
    drill = planned(run, cloud)
    cloud.faults.lose_reply_next("POST", "/volumes$", acting=True)
    assert carried_on(run, drill).state is DrillState.PASSED
    assert len(sent(cloud, "POST", "/volumes")) == 1


def test_a_restore_that_never_reached_cinder_is_cancelled_after_the_settle_time(
    cloud: SimCloud, run: Run
) -> None:
    drill, began = planned(run, cloud), cloud.now()
    cloud.faults.lose_reply_next("POST", "/volumes$", acting=False)
    ended = carried_on(run, drill)
    assert ended.reason == "the request to restore never reached Cinder"
    assert cloud.now() - began >= run.settings.cloud.settle_time


def test_a_restore_whose_volume_somebody_deletes_is_cancelled(cloud: SimCloud, run: Run) -> None:
    cloud.settings.restore_pace = timedelta(hours=1)
    drill = step(run, planned(run, cloud))
    cloud.things.remove_volume(drill.scratch_volume_id or "")
    ended = carried_on(run, drill)
    assert ended.state is DrillState.CANCELLED
    assert "somebody else deleted the scratch volume" in (ended.reason or "")


def test_a_restore_that_fails_is_tried_once_more_and_then_believed(
    cloud: SimCloud, run: Run
) -> None:
    ends = {}
    for attempt in (1, 2):
        drill = planned(run, cloud, attempt=attempt)
        cloud.things.set_backup(drill.backup_id, spoiled=True)
        ends[attempt] = carried_on(run, drill)
    assert (ends[1].state, ends[1].suspected) == (DrillState.CANCELLED, True)
    assert (ends[2].state, ends[2].suspected) == (DrillState.FAILED, False)
    (failure,) = run.failures
    assert (failure.id, failure.kind) == (ends[2].backup_id, "backup")
    assert "2 times in a row; none is proven" in failure.reason
    assert left(cloud) == []


def test_a_restore_that_fails_has_the_next_planned_backup_be_a_full_one(
    cloud: SimCloud, run: Run
) -> None:
    drill = planned(run, cloud, attempt=2)
    cloud.things.set_backup(drill.backup_id, spoiled=True)
    run.store.lifecycle.plan([a_record(drill.volume_id, kind=Kind.INCREMENTAL)])
    assert carried_on(run, drill).state is DrillState.FAILED
    (record,) = run.store.records.of_volumes([drill.volume_id])
    assert record.kind is Kind.FULL


def test_a_restore_whose_volume_cinder_could_not_make_is_cancelled(
    cloud: SimCloud, run: Run
) -> None:
    cloud.settings.restore_pace = timedelta(hours=1)
    drill = step(run, planned(run, cloud))
    cloud.things.set_volume(drill.scratch_volume_id or "", status="error")
    ended = carried_on(run, drill)
    assert ended.state is DrillState.CANCELLED
    assert ended.reason == "the scratch volume ended in status error"
    assert left(cloud) == []


def test_a_restore_that_a_restart_of_cinder_backup_cut_off_is_not_waited_for(
    cloud: SimCloud, run: Run
) -> None:
    cloud.settings.restore_pace = timedelta(days=1)
    drill = step(run, planned(run, cloud))
    cloud.things.set_backup(drill.backup_id, status="available")
    began = cloud.now()
    ended = carried_on(run, drill)
    assert (ended.reason or "").startswith("Cinder does not go on: the scratch volume is")
    assert cloud.now() - began < timedelta(hours=1)
    assert left(cloud) == []


def test_a_restore_that_takes_more_than_two_days_is_given_up(cloud: SimCloud, run: Run) -> None:
    cloud.settings.restore_pace = timedelta(days=9)
    drill = step(run, planned(run, cloud))
    cloud.advance(days=2, minutes=1)
    assert step(run, drill).verdict is DrillState.CANCELLED


def test_a_restored_volume_that_differs_from_its_source_has_failed(
    cloud: SimCloud, run: Run
) -> None:
    ended = carried_on(run, planned(run, cloud, encrypted=True, volume_type="luks"))
    assert ended.state is DrillState.CANCELLED, "a type that Cinder lacks is refused"
    cloud.settings.volume_types = {"lvm": False, "luks": True}
    drill = planned(run, cloud, encrypted=True, volume_type="luks")
    cloud.settings.restore_pace = timedelta(hours=1)
    volume = step(run, drill).scratch_volume_id or ""
    cloud.things.set_volume(volume, encrypted=False, volume_type="lvm")
    cloud.settings.restore_pace = timedelta(0)
    ended = carried_on(run, drill)
    assert (ended.state, ended.reason) == (
        DrillState.FAILED,
        "restored, but its encryption is False, not True; its volume type is lvm, not luks",
    )


def test_a_restored_volume_gets_the_bootable_flag_that_cinder_restores_only_with_image_metadata(
    cloud: SimCloud, run: Run
) -> None:
    assert carried_on(run, planned(run, cloud, bootable=True)).state is DrillState.PASSED
    assert len(sent(cloud, "POST", "/action")) == 1


def test_a_restored_volume_that_somebody_deletes_before_it_is_compared_is_cancelled(
    cloud: SimCloud, run: Run
) -> None:
    drill = planned(run, cloud)
    assert run.store.drills.restoring(drill, run.now(), owner=run.id)
    restoring = now(run, drill)
    assert run.store.drills.note_scratch(restoring, volume_id=VolumeId("gone"), owner=run.id)
    assert run.store.drills.checking(restoring, None, None, owner=run.id)
    ended = carried_on(run, drill)
    assert ended.reason == "somebody else deleted the scratch volume gone"


def test_the_end_waits_until_cinder_has_let_the_volume_go(cloud: SimCloud, run: Run) -> None:
    drill = planned(run, cloud)
    cloud.faults.fail_next("DELETE", "/volumes/", status=503, times=2)
    began = cloud.now()
    assert carried_on(run, drill).state is DrillState.PASSED
    assert cloud.now() - began >= timedelta(minutes=1), "it is asked again after a minute"
    assert left(cloud) == []


def test_the_end_comes_although_somebody_else_removes_the_volume(
    cloud: SimCloud, run: Run
) -> None:
    drill = planned(run, cloud)

    def remove() -> None:
        for one in cloud.volumes(name=drill.scratch_name):
            cloud.things.remove_volume(one["id"])

    cloud.on_request = lambda request: remove() if request.method == "DELETE" else None
    assert carried_on(run, drill).state is DrillState.PASSED


def test_drills_that_nobody_follows_are_gone_on_with_without_waiting(
    cloud: SimCloud, run: Run
) -> None:
    drill = planned(run, cloud)
    cloud.settings.restore_pace = timedelta(hours=1)
    step(run, drill)
    run.store.drills.release(run.id)
    later = Run(run.runtime, "check")
    follow_left(later)
    assert now(run, drill).state is DrillState.RESTORING
    cloud.advance(hours=1)
    follow_left(later)
    assert now(run, drill).state is DrillState.PASSED


def test_drills_that_nobody_follows_do_not_begin_after_the_death_of_the_run_that_planned_them(
    cloud: SimCloud, run: Run
) -> None:
    drill = planned(run, cloud)
    run.store.drills.release(run.id)
    follow_left(Run(run.runtime, "check"))
    ended = now(run, drill)
    assert (ended.state, ended.reason) == (
        DrillState.CANCELLED,
        "the run that planned it ended before it began",
    )
    assert sent(cloud, "POST", "/volumes") == []


def test_drills_that_nobody_follows_are_left_alone_while_they_are_claimed(
    cloud: SimCloud, run: Run
) -> None:
    drill = planned(run, cloud)
    follow_left(Run(run.runtime, "check"))
    assert now(run, drill).state is DrillState.PLANNED
