"""The end of a drill: its server and its volume are removed, and what it found is told."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from staffeln_cli.model import Drill, DrillState, Kind, State, Volume
from staffeln_cli.model.naming import called
from staffeln_cli.model.statuses import VOLUME_ATTACHED
from staffeln_cli.operations import scratch
from staffeln_cli.operations.drill.watch import Watch, tell_cancelled
from staffeln_cli.planning.verification import newest_proven
from staffeln_cli.runtime import Run

_AGAIN_AFTER = timedelta(minutes=1)
"""Cinder and Nova are asked again to delete what is still there."""


def clear(run: Run, watch: Watch) -> None:
    """Remove the scratch server, then the volume; the drill ends when both are seen to be gone."""
    drill = watch.drill
    volume = scratch.volume_of(run, drill)
    if _has_server(run, watch, volume):
        return
    if volume is None:
        _end(run, drill)
        return
    if volume.status == "deleting" or _is_being_detached(run, watch, volume):
        return
    if _may_ask(run, watch) and scratch.delete(run, volume):
        _end(run, drill)


def _has_server(run: Run, watch: Watch, volume: Volume | None) -> bool:
    """Whether Nova still has a server of the drill, which is deleted first."""
    drill = watch.drill
    if watch.server_gone_at is not None or not _may_have_server(run, drill, volume):
        return False
    servers = run.cloud.scratch_servers.named(drill.scratch_name)
    if not servers:
        watch.server_gone_at, watch.asked_to_delete_at = run.now(), None
        return False
    if _may_ask(run, watch):
        for server in servers:
            run.cloud.scratch_servers.delete(server.id)
    return True


def _may_have_server(run: Run, drill: Drill, volume: Volume | None) -> bool:
    """The id of a server is not known where the reply to the request for it was lost."""
    is_wanted = run.settings.verify.boot is not None and drill.bootable
    is_attached = volume is not None and volume.status in VOLUME_ATTACHED
    return drill.scratch_server_id is not None or is_wanted or is_attached


def _is_being_detached(run: Run, watch: Watch, volume: Volume) -> bool:
    """Nova lets go of the volume a moment after its server is gone."""
    since = watch.server_gone_at
    is_recent = since is not None and run.now() - since < _AGAIN_AFTER
    return volume.status in VOLUME_ATTACHED and is_recent


def _may_ask(run: Run, watch: Watch) -> bool:
    """Whether to ask for the deletion now: at once, and then from time to time."""
    asked_at, now = watch.asked_to_delete_at, run.now()
    if asked_at is not None and now - asked_at < _AGAIN_AFTER:
        return False
    watch.asked_to_delete_at, watch.acted = now, True
    return True


def _end(run: Run, drill: Drill) -> None:
    ends: Mapping[DrillState | None, Callable[..., bool]] = {
        DrillState.PASSED: run.store.drills.passed,
        DrillState.FAILED: run.store.drills.failed,
        DrillState.CANCELLED: run.store.drills.cancelled,
    }
    if not ends[drill.verdict](drill, run.now(), owner=run.id):
        return
    if drill.verdict is DrillState.CANCELLED:
        tell_cancelled(drill, drill.reason or "cancelled")
    elif drill.verdict is DrillState.FAILED:
        _tell_failed(run, drill)


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
