"""The volumes of a restoration: asked for, waited for, and made bootable."""

from collections.abc import Sequence
from datetime import timedelta

from staffeln_cli.errors import Refused, RestorationFailed, ResultUnknown
from staffeln_cli.model import BackupId, NewVolume, Volume, VolumeId
from staffeln_cli.model.naming import restored_name
from staffeln_cli.model.restorations import Part, Restoration
from staffeln_cli.model.statuses import VOLUME_BEING_RESTORED, VOLUME_USABLE
from staffeln_cli.operations.restoration_parts import Made, ensured
from staffeln_cli.runtime import Run

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 15.0
_GIVEN_UP_AFTER = timedelta(days=2)
"""How long restores may take; a volume of 20 TB at 120 MB/s is restored within."""


def volumes_made(run: Run, restoration: Restoration, parts: Sequence[Part]) -> list[VolumeId]:
    """The new volumes, in the order of the parts, all of them usable."""
    ids = [_asked_for(run, restoration, part) for part in parts]
    volumes = _awaited(run, ids)
    for part, volume in zip(parts, volumes, strict=True):
        if part.request["bootable"] and not volume.bootable:
            _make_bootable(run, restoration, volume)
    return ids


def _asked_for(run: Run, restoration: Restoration, part: Part) -> VolumeId:
    part = _without_failure(run, part)

    def find() -> str | None:
        return next((one.id for one in run.cloud.listings.volumes_named(part.name)), None)

    def make() -> Made:
        backup_id, wanted = BackupId(part.request["backup_id"]), _wanted(part)
        return Made(run.cloud.volumes.restore(backup_id, restoration.project_id, wanted))

    return VolumeId(ensured(run, part, find, make))


def _wanted(part: Part) -> NewVolume:
    return NewVolume(
        name=part.name,
        size_gib=part.request["size_gib"],
        volume_type=part.request["volume_type"],
        availability_zone=part.request["availability_zone"],
        metadata=part.request["metadata"],
    )


def _without_failure(run: Run, part: Part) -> Part:
    """The part, to be made again under another name if what was made is gone or has failed."""
    if part.made_id is None:
        return part
    volume = run.cloud.lookups.volume(part.made_id)
    if volume is not None and volume.status in (*VOLUME_BEING_RESTORED, *VOLUME_USABLE):
        return part
    backup_id = part.request["backup_id"]
    name = restored_name(part.request["source_name"], run.now(), backup_id)
    run.store.restorations.renew(part, name)
    return part._replace(name=name, made_id=None, requested_at=None)


def _awaited(run: Run, ids: Sequence[VolumeId]) -> list[Volume]:
    """The volumes when all can be used; RestorationFailed when one never will."""
    pause, until = _FIRST_WAIT, run.now() + _GIVEN_UP_AFTER
    while True:
        volumes = [_looked_at(run, volume_id) for volume_id in ids]
        waiting = [one for one in volumes if one.status in VOLUME_BEING_RESTORED]
        if not waiting:
            return volumes
        if run.now() > until:
            raise RestorationFailed(f"volume {waiting[0].id} is still {waiting[0].status}")
        run.runtime.stop.sleep(pause)
        run.runtime.stop.check()
        pause = min(pause * 1.5, _LONGEST_WAIT)


def _looked_at(run: Run, volume_id: VolumeId) -> Volume:
    volume = run.cloud.lookups.volume(volume_id)
    if volume is None:
        raise RestorationFailed(f"the new volume {volume_id} is gone; repeat the command")
    if volume.status in (*VOLUME_BEING_RESTORED, *VOLUME_USABLE):
        return volume
    advice = "delete it, and repeat the command"
    raise RestorationFailed(f"the new volume {volume_id} is in status {volume.status}; {advice}")


def _make_bootable(run: Run, restoration: Restoration, volume: Volume) -> None:
    """A restore loses the flag; no server boots without it."""
    try:
        run.cloud.volumes.set_bootable(volume.id, restoration.project_id)
    except (Refused, ResultUnknown) as error:
        command = f"openstack volume set --bootable {volume.id}"
        raise RestorationFailed(
            f"volume {volume.id} may not be marked as bootable: {error}; do that, and repeat the"
            f" command: {command}"
        ) from error
