"""Volumes that belong to another project than at the last pass."""

from collections.abc import Mapping, Sequence

from staffeln_cli.commands.collect.cloud_view import CloudView
from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import Decision, FormerOwner, InventoryVolume, State, Volume, VolumeId
from staffeln_cli.operations.transferred import transferred
from staffeln_cli.planning.retention.shortening import retention_held
from staffeln_cli.runtime import Run


def with_confirmed_owners(
    run: Run, volumes: Sequence[Volume], known: Mapping[VolumeId, InventoryVolume]
) -> Sequence[Volume]:
    """The volumes; one that has another owner than before as a request for it alone shows it.

    A transfer ends the history of backups in the former project, so that it is asked for twice.
    Where that fails, the volume is named, and left as it was.
    """
    moved = [
        volume
        for volume in volumes
        if (row := known.get(volume.id)) is not None and row.project_id != volume.project_id
    ]
    if not moved:
        return volumes
    shown = {one.id: found for one, found in run.parallel(lambda one: _looked_up(run, one), moved)}
    found = ((volume, shown.get(volume.id, volume)) for volume in volumes)
    return [seen for _, seen in found if seen is not None]


def _looked_up(run: Run, volume: Volume) -> Volume | None:
    try:
        shown = run.cloud.lookups.volume(volume.id)
    except CloudUnavailable as error:
        reason = f"it is listed in another project than before, and looking it up failed: {error}"
        run.fail("volume", volume.id, reason, name=volume.name)
        return None
    return shown


def note_transfers(
    run: Run, view: CloudView, volumes: Sequence[Volume], known: Mapping[VolumeId, InventoryVolume]
) -> dict[VolumeId, InventoryVolume]:
    """Return the known rows, those of transferred volumes as their new owners have them.

    What the former owner was promised is remembered for the backups in their project, and what is
    planned there is cancelled, so that it can be planned anew.
    """
    moved = [
        (volume, row)
        for volume in volumes
        if (row := known.get(volume.id)) is not None and row.project_id != volume.project_id
    ]
    if not moved:
        return dict(known)
    former = run.store.former_owners.all()
    successes = run.store.records.newest_restorable([volume.id for volume, _ in moved])
    left, rows = [], []
    for volume, row in moved:
        retention = retention_held(row, view.grace.length, view.now)
        left.append(
            FormerOwner(row.project_id, row.volume_id, retention, row.retained_as, view.now)
        )
        returned = former.get((volume.project_id, volume.id))
        last = returned.retention if returned is not None else None
        success_at = successes.get((volume.project_id, volume.id))
        theirs = row.transferred(volume.project_id, last)
        rows.append(theirs._replace(last_success_at=success_at))
        _cancel(run, view, volume)
    if not run.dry_run:
        run.store.former_owners.transfer(left, rows)
    return {**known, **{row.volume_id: row for row in rows}}


def _cancel(run: Run, view: CloudView, volume: Volume) -> None:
    """What is started already goes on: it may be a backup of the time before."""
    reason = transferred(
        volume.project_id, {project.id: project.name for project in view.projects.values()}
    )
    run.decide(Decision("change owner", "volume", volume.id, volume.name, reason))
    if view.seen.get(volume.id) is not State.PLANNED:
        return
    view.seen[volume.id] = None
    if not run.dry_run:
        run.store.lifecycle.cancel_planned([volume.id], reason, view.now)
