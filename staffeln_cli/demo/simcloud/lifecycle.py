"""What Cinder does after it has answered: backups, deletions and restores come to their end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from staffeln_cli.demo.simcloud.rows import Backup, Volume
from staffeln_cli.demo.simcloud.world import World

GROWN = "Volume size increased since the last backup. Do a full backup."
RESTARTED = "incomplete backup reset on manager restart"
ABORTED = "Create backup aborted, expected volume status backing-up but got {}."


def settle(world: World) -> None:
    """Finish what is due by the cloud's own clock. Called before anything looks at the state."""
    if not world.settings.backup_service_up:
        return
    now = world.clock.now()
    for backup_id in _due(world.waiting.deletes, world.settings.delete_after, now):
        finish_deletion(world, backup_id)
    for backup_id in _due(world.waiting.creates, world.settings.finish_after, now):
        finish_create(world, backup_id)
    for backup_id in _due(world.waiting.imports, timedelta(0), now):
        world.waiting.imports.pop(backup_id)
        imported = world.backups.get(backup_id)
        if imported is not None and imported.status == "creating":
            world.backups.change(imported, status="available", updated_at=world.now())
    for backup_id, (_, since) in list(world.waiting.restores.items()):
        takes = _restore_time(world, world.backups[backup_id])
        if takes is not None and since + takes <= now:
            finish_restore(world, backup_id)


def _restore_time(world: World, backup: Backup) -> timedelta | None:
    """A restore reads every backup of the chain, and writes the volume with each."""
    pace = world.settings.restore_pace
    if pace is None:
        return world.settings.finish_after
    return pace * backup.size * len(_ancestry(world, backup))


def _ancestry(world: World, backup: Backup) -> list[Backup]:
    """A backup and those that it depends on, newest first."""
    chain = [backup]
    while (parent := world.backups.get(chain[-1].parent_id)) is not None:
        chain.append(parent)
    return chain


def _due(since: dict[str, datetime], delay: timedelta | None, now: datetime) -> list[str]:
    """Take from the front: the oldest come first, so looking is cheap while nothing is due."""
    due: list[str] = []
    for key, started in since.items():
        if delay is None or started + delay > now:
            break
        due.append(key)
    return due


def begin_create(world: World, backup: Backup, volume: Volume) -> None:
    """Note an accepted backup: the volume is busy and the quota charged from now on."""
    world.volumes.change(
        volume, status="backing-up", previous_status=volume.status, updated_at=world.now()
    )
    if world.waiting.dooms:
        backup.doomed = world.waiting.dooms.pop(0)
    world.backups.add(backup)
    world.charge(backup.project_id, 1, backup.size)
    world.waiting.creates[backup.id] = world.clock.now()
    if not world.settings.backup_service_up:
        world.waiting.created_while_down.add(backup.id)


def finish_create(world: World, backup_id: str) -> None:
    """Bring a backup to `available`, or to `error` where a real driver would have failed."""
    backup = world.backups[backup_id]
    parent = world.backups.get(backup.parent_id)
    if backup.doomed is not None:
        fail_create(world, backup_id, backup.doomed)
        return
    if parent and backup.size > parent.size:
        fail_create(world, backup_id, GROWN)
        return
    world.waiting.creates.pop(backup_id, None)
    if world.settings.flip_incrementals:
        world.backups.change(backup, parent_id=None)
    elif parent:
        dependents = parent.num_dependent_backups + 1
        world.backups.change(parent, num_dependent_backups=dependents)
    world.backups.change(
        backup,
        status="available",
        updated_at=world.now(),
        object_count=backup.size * 32,
        container=f"{backup.id[:2]}/{backup.id[2:4]}/{backup.id}",
        availability_zone=backup.availability_zone or "nova",
    )
    free_volume(world, backup)


def fail_create(world: World, backup_id: str, reason: str) -> None:
    backup = world.backups[backup_id]
    world.waiting.creates.pop(backup_id, None)
    world.waiting.created_while_down.discard(backup_id)
    world.backups.change(backup, status="error", fail_reason=reason[:255], updated_at=world.now())
    free_volume(world, backup)


def free_volume(world: World, backup: Backup) -> None:
    """Give a volume back the status it had before its backup."""
    volume = world.volumes.get(backup.volume_id)
    if volume and volume.status == "backing-up":
        status = "in-use" if volume.attachments else volume.previous_status or "available"
        world.volumes.change(volume, status=status, previous_status=None, updated_at=world.now())


def begin_import(world: World, backup: Backup) -> None:
    """Have a host look at an imported record: it is available the next time somebody asks."""
    world.waiting.imports[backup.id] = world.clock.now()


def begin_deletion(world: World, backup: Backup) -> None:
    world.waiting.creates.pop(backup.id, None)
    world.waiting.created_while_down.discard(backup.id)
    if backup.status == "creating":
        free_volume(world, backup)
    world.backups.change(backup, status="deleting", updated_at=world.now())
    world.waiting.deletes[backup.id] = world.clock.now()


def finish_deletion(world: World, backup_id: str) -> None:
    """Finish a deletion. Only now is the quota freed and the parent without this dependent."""
    world.waiting.deletes.pop(backup_id, None)
    backup = world.backups.remove(backup_id)
    world.charge(backup.project_id, -1, -backup.size)
    parent = world.backups.get(backup.parent_id)
    if parent and parent.num_dependent_backups:
        dependents = parent.num_dependent_backups - 1
        world.backups.change(parent, num_dependent_backups=dependents)


def fail_deletion(world: World, backup_id: str, reason: str, status: str) -> None:
    world.waiting.deletes.pop(backup_id, None)
    world.backups.change(
        world.backups[backup_id], status=status, fail_reason=reason[:255], updated_at=world.now()
    )


def begin_restore(world: World, backup: Backup, volume: Volume) -> None:
    world.backups.change(backup, status="restoring", updated_at=world.now())
    world.volumes.change(volume, status="restoring-backup", updated_at=world.now())
    world.waiting.restores[backup.id] = (volume.id, world.clock.now())


def finish_restore(world: World, backup_id: str) -> None:
    """End a restore. A volume made only for it takes the name of the one backed up."""
    if any(one.spoiled for one in _ancestry(world, world.backups[backup_id])):
        fail_restore(world, backup_id)
        return
    volume_id, _ = world.waiting.restores.pop(backup_id)
    backup = world.backups[backup_id]
    world.backups.change(backup, status="available", updated_at=world.now())
    volume, source = world.volumes.get(volume_id), world.volumes.get(backup.volume_id)
    if volume is None:
        return
    if source and volume.name == f"restore_backup_{backup.id}":
        world.volumes.change(volume, name=source.name, description=source.description)
    metadata = volume.metadata | {"src_backup_id": backup.id}
    world.volumes.change(volume, status="available", metadata=metadata, updated_at=world.now())


def fail_restore(world: World, backup_id: str) -> None:
    """End a restore whose service died: the backup is whole, the volume is not."""
    volume_id, _ = world.waiting.restores.pop(backup_id)
    world.backups.change(world.backups[backup_id], status="available", updated_at=world.now())
    if volume := world.volumes.get(volume_id):
        world.volumes.change(volume, status="error_restoring", updated_at=world.now())


def restart_service(world: World) -> None:
    """Start cinder-backup again: what was under way has failed, deletions are resumed."""
    for backup_id in [key for key in world.waiting.creates if key in world.backups]:
        reason = RESTARTED
        if backup_id in world.waiting.created_while_down:
            volume = world.volumes.get(world.backups[backup_id].volume_id)
            reason = ABORTED.format(volume.previous_status if volume else "None")
        fail_create(world, backup_id, reason)
    for backup_id in list(world.waiting.restores):
        fail_restore(world, backup_id)


def chosen_parent(
    candidates: Sequence[Backup], project_id: str, before: datetime | None = None
) -> Backup | None:
    """Choose as Cinder does: the newest available one of this project, whoever made it.

    Of several in one second it is the one that came last.
    """
    able = [
        backup
        for backup in reversed(candidates)
        if backup.project_id == project_id
        and backup.status == "available"
        and (before is None or (backup.data_timestamp or backup.created_at) <= before)
    ]
    return max(able, key=lambda backup: backup.data_timestamp or backup.created_at, default=None)
