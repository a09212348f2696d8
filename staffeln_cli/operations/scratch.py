"""Scratch volumes and servers: found by id or name, deleted, looked for when they are left."""

from staffeln_cli.errors import VolumeGone
from staffeln_cli.model import Drill, DrillId, Volume
from staffeln_cli.model.drills import DRILL_UNFINISHED, ScratchServer, drill_of
from staffeln_cli.model.statuses import VOLUME_ATTACHED
from staffeln_cli.runtime import Run, Runtime

_DELETABLE = frozenset({"available", "error", "error_restoring"})


def volume_of(run: Run, drill: Drill) -> Volume | None:
    """By its id, or by its name where the reply with the id was lost."""
    if drill.scratch_volume_id is not None:
        return run.cloud.lookups.volume(drill.scratch_volume_id)
    found = run.cloud.listings.volumes_named(drill.scratch_name)
    if not found:
        return None
    run.store.drills.note_scratch(drill, volume_id=found[0].id, owner=run.id)
    return found[0]


def leftovers(runtime: Runtime) -> tuple[list[Volume], list[Volume]]:
    """Scratch volumes in Staffeln's own project that no drill in progress needs.

    Those of our drills that have ended; and those of drills that this database does not know.
    """
    ended: list[Volume] = []
    unknown: list[Volume] = []
    for volume in runtime.cloud.listings.own_volumes():
        drill_id = drill_of(volume.name)
        if drill_id is None:
            continue
        drill = runtime.store.drills.by_id(drill_id)
        if drill is None:
            unknown.append(volume)
        elif drill.state not in DRILL_UNFINISHED:
            ended.append(volume)
    return ended, unknown


def leftover_servers(runtime: Runtime) -> tuple[list[ScratchServer], list[ScratchServer]]:
    """The same of scratch servers."""
    ended: list[ScratchServer] = []
    unknown: list[ScratchServer] = []
    for server in runtime.cloud.scratch_servers.all():
        drill = runtime.store.drills.by_id(drill_of(server.name) or DrillId(""))
        if drill is None:
            unknown.append(server)
        elif drill.state not in DRILL_UNFINISHED:
            ended.append(server)
    return ended, unknown


def clear_leftovers(run: Run) -> None:
    """Remove what is left of our drills that have ended: servers, then volumes nobody uses."""
    for server in leftover_servers(run.runtime)[0]:
        run.cloud.scratch_servers.delete(server.id)
    for volume in leftovers(run.runtime)[0]:
        if volume.status not in VOLUME_ATTACHED:  # else when Nova has let go of it
            delete(run, volume)


def is_scratch(run: Run, volume: Volume) -> bool:
    """Whether a volume was made for a drill, so that it needs no protection."""
    is_named = drill_of(volume.name) is not None
    return is_named and volume.project_id == run.cloud.login().project_id


def delete(run: Run, volume: Volume) -> bool:
    """Ask Cinder to delete a volume, whatever its status; True when it is gone already."""
    project_id = run.cloud.login().project_id
    try:
        if volume.status in _DELETABLE:
            run.cloud.volumes.delete(volume.id, project_id)
        elif volume.status != "deleting":
            run.cloud.volumes.force_delete(volume.id, project_id)
    except VolumeGone:
        return True
    return False
