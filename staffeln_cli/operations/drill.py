"""Carry on a restore drill from wherever it stands: restore, check, remove, conclude."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from staffeln_cli.errors import CloudUnavailable, Refused, ResultUnknown
from staffeln_cli.model import Drill, DrillState, Kind, NewVolume, ProofLevel, State, Volume
from staffeln_cli.model.drills import DRILL_KEY, DRILL_UNFINISHED
from staffeln_cli.model.naming import called
from staffeln_cli.model.statuses import VOLUME_BEING_RESTORED
from staffeln_cli.operations import scratch
from staffeln_cli.planning.verification import newest_proven
from staffeln_cli.runtime import Run

log = logging.getLogger(__name__)
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
_SHARE = 0.05
"""Of the time that a restore has taken so far: how exactly its end is measured."""
_GIVEN_UP_AFTER = timedelta(days=2)
"""How long a restore may take; a volume of 20 TB at 120 MB/s is restored within."""
_STILL_IDLE_AFTER = timedelta(minutes=1)
_RESTORE_FAILED = "error_restoring"
FAILED_ATTEMPTS = 2
"""So many failed restores in a row are believed: a restart of cinder-backup looks like one."""


@dataclass(slots=True)
class _Watch:
    """What one process has seen of the drill that it follows without interruption."""

    drill: Drill
    began_at: datetime | None = None
    """When the restore was first seen to have begun."""
    is_ours: bool = False
    """Whether this process has asked for the restore, so that its times are known."""
    idle_since: datetime | None = None
    """Since when Cinder does not restore the backup, although the scratch volume waits for it."""
    asked_to_delete_at: datetime | None = None


def carry_on(run: Run, drill: Drill, until: datetime | None) -> Drill:
    """Do all that can be done for a drill now; until a moment, wait for Cinder, too.

    The drill must be claimed by this run. It comes back as it is then, perhaps unfinished.
    """
    watch, asked_at = _Watch(drill), run.now()
    while watch.drill.state in DRILL_UNFINISHED:
        state = watch.drill.state
        _step(run, watch)
        current = run.store.drills.by_id(drill.id)
        if current is None:
            break
        watch.drill = current
        if current.state is not state:
            continue
        waits = until is not None and run.now() < until and not run.runtime.stop.is_requested
        if not waits or not run.store.drills.extend_claim(current, run.claim()):
            break
        run.runtime.stop.sleep(_pause(run.now() - asked_at))
    return watch.drill


def _pause(waited: timedelta) -> float:
    return min(max(waited.total_seconds() * _SHARE, _FIRST_PAUSE), _LONGEST_PAUSE)


def _step(run: Run, watch: _Watch) -> None:
    """Move the drill to its next state, if that is possible by now."""
    try:
        _STEPS[watch.drill.state](run, watch)
    except (CloudUnavailable, Refused, ResultUnknown) as error:
        log.warning("drill %s of backup %s: %s", watch.drill.id, watch.drill.backup_id, error)


def _begin(run: Run, watch: _Watch) -> None:
    """Write the intention, ask Cinder once; a lost reply is found by the volume's name."""
    drill, drills, now = watch.drill, run.store.drills, run.now()
    if not drills.restoring(drill, now, owner=run.id):
        reason = "a backup of the volume is being created, or this one is being deleted"
        if drills.cancelled(drill, run.now(), owner=run.id, reason=reason):
            _tell_cancelled(drill, reason)
        return
    restoring = run.store.drills.by_id(drill.id)
    if restoring is None:
        return
    watch.is_ours = True
    try:
        project_id = run.cloud.login().project_id
        volume_id = run.cloud.volumes.restore(drill.backup_id, project_id, _wanted(drill))
    except Refused as refusal:
        _conclude(run, restoring, DrillState.CANCELLED, f"Cinder refused to restore: {refusal}")
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


def _follow_restore(run: Run, watch: _Watch) -> None:
    drill = watch.drill
    volume = scratch.volume_of(run, drill)
    age = run.now() - (drill.started_at or drill.planned_at)
    if volume is None:
        if drill.scratch_volume_id is not None:
            reason = f"somebody else deleted the scratch volume {drill.scratch_volume_id}"
            _conclude(run, drill, DrillState.CANCELLED, reason)
        elif age >= run.settings.cloud.settle_time:
            reason = "the request to restore never reached Cinder"
            _conclude(run, drill, DrillState.CANCELLED, reason)
    elif volume.status in VOLUME_BEING_RESTORED:
        if age > _GIVEN_UP_AFTER or _has_broken_off(run, watch):
            reason = f"Cinder does not go on: the scratch volume is still {volume.status}"
            _conclude(run, drill, DrillState.CANCELLED, reason)
    elif volume.status == "available":
        run.store.drills.checking(drill, *_durations(run, watch), owner=run.id)
    else:
        _judge_failure(run, drill, volume.status)


def _has_broken_off(run: Run, watch: _Watch) -> bool:
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


def _durations(run: Run, watch: _Watch) -> tuple[float | None, float | None]:
    """Seconds waiting and restoring, where this process has watched all the time."""
    started_at = watch.drill.started_at
    if started_at is None or not watch.is_ours:
        return None, None
    began_at = watch.began_at or started_at
    waiting = (began_at - started_at).total_seconds()
    return waiting, (run.now() - began_at).total_seconds()


def _judge_failure(run: Run, drill: Drill, status: str) -> None:
    reason = f"the scratch volume ended in status {status}"
    if status != _RESTORE_FAILED:  # Cinder could not make the volume, or not here
        _conclude(run, drill, DrillState.CANCELLED, reason)
    elif drill.attempt >= FAILED_ATTEMPTS:
        reason = f"Cinder could not restore it: {reason}, {drill.attempt} times in a row"
        _conclude(run, drill, DrillState.FAILED, reason)
    else:
        reason = (
            f"{reason}; it is restored once more, as a restart of cinder-backup looks the same"
        )
        _conclude(run, drill, DrillState.CANCELLED, reason, suspected=True)


def _compare(run: Run, watch: _Watch) -> None:
    """Compare the restored volume with what the inventory says of its source."""
    drill = watch.drill
    volume = scratch.volume_of(run, drill)
    if volume is None:
        reason = f"somebody else deleted the scratch volume {drill.scratch_volume_id}"
        _conclude(run, drill, DrillState.CANCELLED, reason)
        return
    if volume.bootable != drill.bootable:  # Cinder restores the flag only with image metadata
        project_id = run.cloud.login().project_id
        run.cloud.volumes.set_bootable(volume.id, project_id, bootable=drill.bootable)
        volume = scratch.volume_of(run, drill) or volume
    differences = list(_differences(drill, volume))
    if differences:
        _conclude(run, drill, DrillState.FAILED, f"restored, but {'; '.join(differences)}")
    else:
        run.store.drills.clearing(
            drill, DrillState.PASSED, level=ProofLevel.RESTORED, owner=run.id
        )


def _differences(drill: Drill, volume: Volume) -> list[str]:
    pairs: list[tuple[str, object, object]] = [
        ("status", "available", volume.status),
        ("size in GiB", drill.size_gib, volume.size_gib),
        ("bootable flag", drill.bootable, volume.bootable),
        ("encryption", drill.encrypted, volume.encrypted),
    ]
    if drill.volume_type is not None:
        pairs.append(("volume type", drill.volume_type, volume.volume_type))
    return [
        f"its {what} is {found}, not {expected}"
        for what, expected, found in pairs
        if found != expected
    ]


def _clear(run: Run, watch: _Watch) -> None:
    """Remove the scratch volume; the drill ends when Cinder says that it is gone."""
    drill = watch.drill
    volume = scratch.volume_of(run, drill)
    if volume is None:
        _end(run, drill)
        return
    asked_at = watch.asked_to_delete_at
    if volume.status == "deleting" or (asked_at and run.now() - asked_at < timedelta(minutes=1)):
        return
    watch.asked_to_delete_at = run.now()
    if scratch.delete(run, volume):
        _end(run, drill)


def _end(run: Run, drill: Drill) -> None:
    ends: Mapping[DrillState | None, Callable[..., bool]] = {
        DrillState.PASSED: run.store.drills.passed,
        DrillState.FAILED: run.store.drills.failed,
        DrillState.CANCELLED: run.store.drills.cancelled,
    }
    if not ends[drill.verdict](drill, run.now(), owner=run.id):
        return
    if drill.verdict is DrillState.CANCELLED:
        _tell_cancelled(drill, drill.reason or "cancelled")
    elif drill.verdict is DrillState.FAILED:
        _tell_failed(run, drill)


def _tell_cancelled(drill: Drill, reason: str) -> None:
    log.warning("the drill of backup %s was cancelled: %s", drill.backup_id, reason)


def _tell_failed(run: Run, drill: Drill) -> None:
    """Name the failure; a planned incremental of that chain becomes a full backup."""
    name = called(drill.volume_name, drill.server_name)
    proven = _newest_proven(run, drill)
    known = f"the newest backup proven by a restore is {proven}" if proven else "none is proven"
    reason = f"a restore drill failed: {drill.reason}; {known}"
    run.fail("backup", drill.backup_id, reason, name=name)
    for record in run.store.records.of_volumes([drill.volume_id]):
        if record.state is State.PLANNED:
            run.store.notes.change_kind(record.id, Kind.FULL, None)


def _newest_proven(run: Run, drill: Drill) -> str | None:
    drills = run.store.drills.of_volumes([drill.volume_id]).get(drill.volume_id, [])
    newest = newest_proven(drills)
    return f"{newest.backup_id} of {newest.backup_at:%Y-%m-%d %H:%M} UTC" if newest else None


def _conclude(
    run: Run, drill: Drill, verdict: DrillState, reason: str, *, suspected: bool = False
) -> None:
    run.store.drills.clearing(drill, verdict, reason=reason, suspected=suspected, owner=run.id)


def follow_left(run: Run) -> None:
    """Do what can be done now for drills that no living process follows; wait for nothing."""
    if not run.store.drills.unfinished():
        return
    left = run.store.drills.claim_left(run.claim())
    for _ in run.parallel(lambda drill: _resume(run, drill), left):
        pass
    run.store.drills.release(run.id)


def _resume(run: Run, drill: Drill) -> None:
    """One that had not begun does not begin now: that is for `verify`, which has the bounds."""
    if drill.state is not DrillState.PLANNED:
        carry_on(run, drill, None)
        return
    reason = "the run that planned it ended before it began"
    if run.store.drills.cancelled(drill, run.now(), owner=run.id, reason=reason):
        _tell_cancelled(drill, reason)


_STEPS: Mapping[DrillState, Callable[[Run, _Watch], None]] = {
    DrillState.PLANNED: _begin,
    DrillState.RESTORING: _follow_restore,
    DrillState.CHECKING: _compare,
    DrillState.CLEARING: _clear,
}
