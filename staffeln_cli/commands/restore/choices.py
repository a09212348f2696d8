"""Find the backups that are asked for, and what the volumes made of them are to be like."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from staffeln_cli.commands.restore.plan import Choice, Plan, RestoreRequest, failed
from staffeln_cli.errors import NotUnderstood
from staffeln_cli.model import Backup, BackupId, Volume, VolumeId
from staffeln_cli.model.naming import restored_name
from staffeln_cli.operations import lookup
from staffeln_cli.planning.chains.restorable import newest_restorable, restorable_backups
from staffeln_cli.planning.restoring import Overrides, new_volume, source_of
from staffeln_cli.planning.retention.keep_rules import stamp
from staffeln_cli.planning.verification import drill_failure
from staffeln_cli.runtime import Run


class Newest(NamedTuple):
    """The newest backup of a volume that can be restored, and why it is that, or why none."""

    backup: Backup | None
    reason: str
    listed: Sequence[Backup]
    """All backups of the volume."""


def chosen(run: Run, request: RestoreRequest) -> Iterator[Choice]:
    """What to restore, each backup once."""
    found: dict[BackupId, Choice] = {}
    for name in request.backups:
        backup = lookup.backup(run, name)
        found[backup.id] = Choice(backup, "asked for", is_whole=_is_whole(run, backup))
    volumes = lookup.volume_ids(run.runtime, request.volumes, also_gone=True)
    for volume_id in (*volumes, *_volumes_of(run, request.servers)):
        best = newest(run, volume_id, request.at)
        if best.backup is None:
            run.fail("volume", volume_id, best.reason)
            run.count("failed")
        else:
            found[best.backup.id] = Choice(best.backup, best.reason)
    yield from found.values()


def planned(run: Run, choices: Sequence[Choice], overrides: Overrides) -> list[Plan]:
    """The volumes to make: like the sources, except for what was asked for otherwise.

    A source of which Cinder answers oddly is named, and the others go on.
    """
    volume_ids = {choice.backup.volume_id for choice in choices}
    known = run.store.inventory.volumes(sorted(volume_ids))
    there = dict(run.parallel(lambda one: _source(run, one), sorted(volume_ids)))
    plans: list[Plan] = []
    for choice in choices:
        backup = choice.backup
        found = there.get(backup.volume_id)
        if isinstance(found, NotUnderstood):
            failed(run, backup, str(found))
            continue
        source = source_of(backup, found, known.get(backup.volume_id))
        usual = restored_name(source.name, run.now(), backup.id)
        plans.append(Plan(choice, source, new_volume(backup, source, overrides, usual)))
    return plans


def _source(run: Run, volume_id: VolumeId) -> Volume | NotUnderstood | None:
    try:
        return run.cloud.lookups.volume(volume_id)
    except NotUnderstood as error:
        return error


def _volumes_of(run: Run, servers: Iterable[str]) -> Iterator[VolumeId]:
    """The volumes last seen on these servers, which may be gone."""
    for wanted in servers:
        server = lookup.server(run.runtime, wanted, also_gone=True)
        volumes = run.store.inventory.volumes_of_server(server.server_id)
        yield from (volume.volume_id for volume in volumes)


def newest(run: Run, volume_id: str, at: datetime | None) -> Newest:
    """The newest backup of a volume that is surely whole, ours or not; or why there is none."""
    backups = run.cloud.listings.backups_of(volume_id)
    before = f" from before {stamp(at)}" if at else ""
    records = run.store.records.briefs([VolumeId(volume_id)])
    parents = run.store.exports.foreign_parents([VolumeId(volume_id)])
    best = newest_restorable(backups, records, at, parents)
    if best is None:
        return Newest(None, f"has no backup{before} that can surely be restored", backups)
    reason = f"the newest{before} that can surely be restored"
    drills = run.store.drills.of_volumes([best.volume_id]).get(best.volume_id, [])
    but = drill_failure(best, backups, drills)
    return Newest(best, f"{reason}, but {but}" if but is not None else reason, backups)


def _is_whole(run: Run, backup: Backup) -> bool:
    """Whether everything is there that the backup may depend on."""
    backups = run.cloud.listings.backups_of(backup.volume_id)
    records = run.store.records.briefs([backup.volume_id])
    parents = run.store.exports.foreign_parents([backup.volume_id])
    whole = restorable_backups(backups, records, parents)
    return any(one.id == backup.id for one in whole)
