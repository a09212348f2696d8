"""The restore of a drill: asked for once, and followed to its end."""

from datetime import timedelta

from staffeln_cli.errors import Refused
from staffeln_cli.model import Drill, NewVolume
from staffeln_cli.model.drills import DRILL_KEY
from staffeln_cli.model.statuses import VOLUME_BEING_RESTORED
from staffeln_cli.operations import scratch
from staffeln_cli.operations.drill.watch import Watch, cancel, suspect, tell_cancelled
from staffeln_cli.runtime import Run

_GIVEN_UP_AFTER = timedelta(days=2)
"""How long a restore may take; a volume of 20 TB at 120 MB/s is restored within."""
_STILL_IDLE_AFTER = timedelta(minutes=1)
_RESTORE_FAILED = "error_restoring"


def begin(run: Run, watch: Watch) -> None:
    """Write the intention, ask Cinder once; a lost reply is found by the volume's name."""
    drill, drills, now = watch.drill, run.store.drills, run.now()
    if not drills.restoring(drill, now, owner=run.id):
        reason = "a backup of the volume is being created, or this one is being deleted"
        if drills.cancelled(drill, run.now(), owner=run.id, reason=reason):
            tell_cancelled(drill, reason)
        return
    restoring = run.store.drills.by_id(drill.id)
    if restoring is None:
        return
    watch.is_ours = True
    try:
        project_id = run.cloud.login().project_id
        volume_id = run.cloud.volumes.restore(drill.backup_id, project_id, _wanted(drill))
    except Refused as refusal:
        cancel(run, restoring, f"Cinder refused to restore: {refusal}")
    else:
        drills.note_scratch(restoring, volume_id=volume_id, owner=run.id)


def _wanted(drill: Drill) -> NewVolume:
    return NewVolume(
        name=drill.scratch_name,
        size_gib=drill.size_gib,
        volume_type=drill.volume_type,
        availability_zone=drill.availability_zone,
        metadata={DRILL_KEY: drill.id},
    )


def follow(run: Run, watch: Watch) -> None:
    """See how far the restore is."""
    drill = watch.drill
    volume = scratch.volume_of(run, drill)
    age = run.now() - (drill.started_at or drill.planned_at)
    if volume is None:
        if drill.scratch_volume_id is not None:
            cancel(
                run, drill, f"somebody else deleted the scratch volume {drill.scratch_volume_id}"
            )
        elif age >= run.settings.cloud.settle_time:
            cancel(run, drill, "the request to restore never reached Cinder")
    elif volume.status in VOLUME_BEING_RESTORED:
        if age > _GIVEN_UP_AFTER or _has_broken_off(run, watch):
            reason = f"Cinder does not go on: the scratch volume is still {volume.status}"
            cancel(run, drill, reason)
    elif volume.status == "available":
        run.store.drills.checking(drill, *_durations(run, watch), owner=run.id)
    else:
        _judge_failure(run, drill, volume.status)


def _has_broken_off(run: Run, watch: Watch) -> bool:
    """Whether the backup is idle although the scratch volume waits: cinder-backup was restarted.

    The volume may be `creating` throughout, so that only the backup says when its restore begins.
    """
    now, drill = run.now(), watch.drill
    backup = run.cloud.backups.look(drill.backup_id)
    if backup is None or backup.status == "restoring":
        watch.idle_since = None
        watch.began_at = watch.began_at or now
        return False
    watch.idle_since = watch.idle_since or now
    patience = _STILL_IDLE_AFTER if watch.began_at else run.settings.cloud.settle_time
    return now - watch.idle_since > patience


def _durations(run: Run, watch: Watch) -> tuple[float | None, float | None]:
    """Seconds waiting and restoring, where this process has watched all the time."""
    started_at = watch.drill.started_at
    if started_at is None or not watch.is_ours:
        return None, None
    began_at = watch.began_at or started_at
    waiting = (began_at - started_at).total_seconds()
    return waiting, (run.now() - began_at).total_seconds()


def _judge_failure(run: Run, drill: Drill, status: str) -> None:
    reason = f"the scratch volume ended in status {status}"
    if status == _RESTORE_FAILED:
        reason = f"Cinder could not restore it: {reason}"
        suspect(run, drill, reason, "a restart of cinder-backup")
    else:  # Cinder could not make the volume, or not here
        cancel(run, drill, reason)
