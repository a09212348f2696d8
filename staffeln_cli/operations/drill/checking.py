"""The check of a restored volume: compared with its source, and booted where that is wanted."""

from staffeln_cli.model import Drill, ProofLevel, Volume
from staffeln_cli.model.statuses import VOLUME_ATTACHED
from staffeln_cli.operations import scratch
from staffeln_cli.operations.drill import booting
from staffeln_cli.operations.drill.watch import Watch, cancel, fail, succeed
from staffeln_cli.runtime import Run


def check(run: Run, watch: Watch) -> None:
    """Follow the scratch server if there is one; else compare the volume, then boot it."""
    drill = watch.drill
    if booting.is_begun(run, watch):
        booting.follow(run, watch)
        return
    volume = scratch.volume_of(run, drill)
    if volume is None:
        reason = f"somebody else deleted the scratch volume {drill.scratch_volume_id}"
        cancel(run, drill, reason)
        return
    if volume.status in VOLUME_ATTACHED:  # booted by a run that was configured otherwise
        succeed(run, drill, ProofLevel.RESTORED, "it is not known how its boot went")
        return
    differences = _compared(run, drill, volume)
    if differences:
        fail(run, drill, f"restored, but {'; '.join(differences)}")
    elif booting.is_wanted(run, drill):
        booting.begin(run, watch, volume)
    else:
        succeed(run, drill, ProofLevel.RESTORED)


def _compared(run: Run, drill: Drill, volume: Volume) -> list[str]:
    """How the restored volume differs from what the inventory says of its source."""
    if volume.bootable != drill.bootable:  # Cinder restores the flag only with image metadata
        project_id = run.cloud.login().project_id
        run.cloud.volumes.set_bootable(volume.id, project_id, bootable=drill.bootable)
        volume = scratch.volume_of(run, drill) or volume
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
