"""Cinder's backup requests, refusals included."""

from __future__ import annotations

from typing import Any

from staffeln_cli.demo.simcloud import lifecycle, schema
from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.errors import forbidden, not_found, over_quota, refused
from staffeln_cli.demo.simcloud.filters import BACKUPS
from staffeln_cli.demo.simcloud.listing import page
from staffeln_cli.demo.simcloud.rows import Backup, Volume
from staffeln_cli.demo.simcloud.views import backup_detail, backup_summary, page_body, prefix
from staffeln_cli.demo.simcloud.volumes import new_volume, visible_volume

Details = dict[str, Any]
NO_SERVICE = "Service cinder-backup could not be found."


def detailed(call: Call) -> Reply:
    here = f"{call.world.url}/volume/v3{prefix(call)}/backups/detail"
    return Reply(
        200,
        page_body(call, "backups", page(call, BACKUPS, call.world.backups, here), backup_detail),
    )


def shown(call: Call) -> Reply:
    return Reply(200, {"backup": backup_detail(call, visible_backup(call))})


def created(call: Call) -> Reply:
    """Accept a backup. It belongs to the token's project, whose quota is charged."""
    details = _create_details(call)
    volume = visible_volume(call, details["volume_id"])
    _need_member(call, volume.project_id, "backup:create")
    if details["snapshot_id"]:
        raise not_found("Snapshot", details["snapshot_id"])
    _need_able(volume, force=details["force"])
    _need_quota(call, volume.size)
    backup = _new_backup(call, volume, details)
    lifecycle.begin_create(call.world, backup, volume)
    return Reply(202, {"backup": backup_summary(call, backup)})


def _create_details(call: Call) -> Details:
    details = schema.part(call.request.body, "backup")
    allowed = {
        "volume_id", "name", "description", "container", "incremental", "force", "snapshot_id",
    }  # fmt: skip
    if call.version >= (3, 43):
        allowed.add("metadata")
    if call.version >= (3, 51):
        allowed.add("availability_zone")
    schema.only(details, "backup", allowed, required="volume_id")
    return {
        "volume_id": schema.identifier(details, "volume_id"),
        "snapshot_id": schema.identifier(details, "snapshot_id"),
        "name": schema.text(details, "name"),
        "description": schema.text(details, "description"),
        "container": schema.text(details, "container"),
        "availability_zone": schema.text(details, "availability_zone"),
        "incremental": schema.flag(details, "incremental"),
        "force": schema.flag(details, "force"),
        "metadata": schema.metadata(details),
    }


def _need_able(volume: Volume, *, force: bool) -> None:
    if volume.status not in ("available", "in-use"):
        raise refused(
            400,
            "Invalid volume: Volume to be backed up must be available or in-use, "
            f'but the current status is "{volume.status}".',
        )
    if volume.status == "in-use" and not force:
        text = "Invalid volume: Backing up an in-use volume must use the force flag."
        raise refused(400, text)


def _need_quota(call: Call, gib: int) -> None:
    """Charge every backup with the whole size of its volume, incremental or not."""
    quota = call.world.quota(call.project_id())
    backups, gigabytes = call.world.usage.get(call.project_id(), (0, 0))
    if 0 <= quota.backup_gigabytes < gigabytes + gib:
        raise over_quota(
            "VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup "
            f"gigabytes quota. Requested {gib}G, quota is {quota.backup_gigabytes}G and "
            f"{gigabytes}G has been consumed."
        )
    if 0 <= quota.backups < backups + 1:
        raise over_quota(
            f"BackupLimitExceeded: Maximum number of backups allowed ({quota.backups}) exceeded"
        )


def _new_backup(call: Call, volume: Volume, details: Details) -> Backup:
    parent = None
    if details["incremental"]:
        siblings = call.world.backups.find("volume_id", volume.id)
        parent = lifecycle.chosen_parent(siblings, call.project_id())
        if parent is None:
            text = "Invalid backup: No backups available to do an incremental backup."
            raise refused(400, text)
    now = call.world.now()
    return Backup(
        id=call.world.new_id(),
        name=details["name"],
        volume_id=volume.id,
        project_id=call.project_id(),
        user_id=call.token().user_id,
        created_at=now,
        updated_at=now,
        size=volume.size,
        description=details["description"],
        metadata=details["metadata"],
        parent_id=parent.id if parent else None,
        data_timestamp=now,
        container=details["container"],
        availability_zone=details["availability_zone"],
    )


def deleted(call: Call) -> Reply:
    _delete(call, visible_backup(call), force=False)
    return Reply(202)


def _delete(call: Call, backup: Backup, *, force: bool) -> None:
    _need_member(call, backup.project_id, "backup:delete")
    if not force and backup.status not in ("available", "error"):
        raise refused(400, "Invalid backup: Backup status must be available or error")
    # Cinder looks for dependents in the token's project only: from any other project the
    # deletion of a parent is accepted, and its incrementals are lost.
    children = call.world.backups.find("parent_id", backup.id)
    if any(child.project_id == call.project_id() for child in children):
        raise refused(400, "Invalid backup: Incremental backups exist for this backup.")
    if not call.world.settings.backup_service_up:
        raise refused(404, NO_SERVICE)
    lifecycle.begin_deletion(call.world, backup)


def acted(call: Call) -> Reply:
    """POST .../action: what only an admin may do."""
    body = call.request.body if isinstance(call.request.body, dict) else {}
    action = next(iter(body), "None")
    if action == "os-force_delete":
        return _force_deleted(call)
    if action == "os-reset_status":
        return _reset(call, body[action])
    text = "Verify the request body and Content-Type header and try again."
    raise refused(400, f"There is no such action: {action}. {text}")


def _force_deleted(call: Call) -> Reply:
    backup = visible_backup(call)
    if not call.is_admin():
        raise forbidden("volume_extension:backup_admin_actions:force_delete")
    if not call.world.settings.supports_force_delete:
        raise refused(405, "Operation not supported: force delete.")
    _delete(call, backup, force=True)
    return Reply(202)


def _reset(call: Call, asked: object) -> Reply:
    """Change a backup's status and nothing else: its volume stays as busy as it was."""
    if not call.is_admin():
        raise forbidden("volume_extension:backup_admin_actions:reset_status")
    status = asked.get("status") if isinstance(asked, dict) else None
    if status not in ("available", "error"):
        text = f"Backup status: {status} is invalid, valid statuses are: ['available', 'error']."
        raise refused(400, text)
    backup = visible_backup(call)
    if not call.world.settings.backup_service_up:
        raise refused(404, NO_SERVICE)
    call.world.waiting.creates.pop(backup.id, None)
    call.world.waiting.deletes.pop(backup.id, None)
    call.world.backups.change(backup, status=status, updated_at=call.world.now())
    return Reply(202)


def restored(call: Call) -> Reply:
    """Restore to a volume, or to a new one in the token's project."""
    asked = schema.part(call.request.body, "restore")
    schema.only(asked, "restore", {"volume_id", "name"})
    name, volume_id = schema.text(asked, "name"), schema.identifier(asked, "volume_id")
    backup = visible_backup(call)
    _need_member(call, backup.project_id, "backup:restore")
    if backup.status != "available":
        raise refused(400, "Invalid backup: Backup status must be available")
    name = name or f"restore_backup_{backup.id}"
    if volume_id:
        volume = visible_volume(call, volume_id)
        _need_room(volume, backup)
    else:
        volume = new_volume(call, name=name, size=backup.size)
        volume.description = "auto-created_from_restore_from_backup"
    lifecycle.begin_restore(call.world, backup, volume)
    answer = {"backup_id": backup.id, "volume_id": volume.id, "volume_name": volume.name}
    return Reply(202, {"restore": answer})


def _need_room(volume: Volume, backup: Backup) -> None:
    if volume.status != "available":
        raise refused(400, "Invalid volume: Volume to be restored to must be available")
    if volume.size < backup.size:
        text = f"volume size {volume.size} is too small to restore backup of size {backup.size}."
        raise refused(400, f"Invalid input received: {text}")


def visible_backup(call: Call) -> Backup:
    """Give the backup that the address names, if the caller may see it."""
    backup = call.world.backups.get(call.name("id"))
    if backup and (call.is_admin() or backup.project_id == call.project_id()):
        return backup
    raise not_found("Backup", call.name("id"))


def _need_member(call: Call, project_id: str, rule: str) -> None:
    if not call.is_admin() and ("member" not in call.roles() or project_id != call.project_id()):
        raise forbidden(rule)
