"""What a report says of restore drills: volumes that failed one, proofs, recovery times."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from staffeln_cli.model import Drill, DrillState, InventoryVolume, ProofLevel, VolumeId
from staffeln_cli.model.durations import Duration
from staffeln_cli.model.text import one_line
from staffeln_cli.planning.verification import newest_proven
from staffeln_cli.reports.model import Item, Proofs


def proofs_of(
    volumes: Iterable[InventoryVolume],
    drills: Mapping[VolumeId, Sequence[Drill]],
    project: str = "",
) -> Proofs:
    """What to report of the drills of these volumes."""
    failed = [
        _failure(volume, drills.get(volume.volume_id, ()), project) for volume in unproven(volumes)
    ]
    passed = [
        Item(*_names(drill), _measured(drill), drill.ended_at, project)
        for some in drills.values()
        for drill in some
        if drill.state is DrillState.PASSED and drill.reported_at is None
    ]
    return Proofs(failed, passed)


def unproven(volumes: Iterable[InventoryVolume]) -> Iterator[InventoryVolume]:
    """The protected volumes whose restore drill failed."""
    return (
        volume for volume in volumes if volume.protected and volume.proof_failed_at is not None
    )


def _failure(volume: InventoryVolume, drills: Sequence[Drill], project: str) -> Item:
    failed = [drill for drill in drills if drill.state is DrillState.FAILED]
    reason = one_line(failed[-1].reason or "") if failed else "no reason is on record"
    newest = newest_proven(drills)
    known = f"the newest that could is of {newest.backup_at:%Y-%m-%d}" if newest else "none could"
    name = one_line(volume.volume_name) or volume.volume_id
    server = one_line(volume.server_name)
    return Item(name, server, f"{reason}; {known}", volume.proof_failed_at, project)


def _measured(drill: Drill) -> str:
    booted = ", and booted" if drill.level is ProofLevel.BOOTED else ""
    if drill.restoring_seconds is None:
        return f"{drill.size_gib:,} GiB{booted}"
    took = timedelta(seconds=round(drill.restoring_seconds + (drill.waiting_seconds or 0)))
    return f"{drill.size_gib:,} GiB restored in {Duration(exact=took)}{booted}"


def _names(drill: Drill) -> tuple[str, str]:
    return one_line(drill.volume_name) or drill.volume_id, one_line(drill.server_name)
