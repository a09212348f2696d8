"""Cinder's volume requests."""

from __future__ import annotations

from typing import Any

from staffeln_cli.demo.simcloud import lifecycle, schema
from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.errors import forbidden, not_found, refused
from staffeln_cli.demo.simcloud.filters import VOLUMES
from staffeln_cli.demo.simcloud.listing import page
from staffeln_cli.demo.simcloud.quotas import need_volume_quota
from staffeln_cli.demo.simcloud.rows import Backup, Volume
from staffeln_cli.demo.simcloud.views import page_body, prefix, volume_detail, volume_summary

NOT_DELETABLE = (
    "Invalid volume: Volume status must be available or error or error_restoring or "
    "error_extending or error_managing and must not be migrating, attached, belong to a group, "
    "have snapshots, awaiting a transfer, or be disassociated from snapshots after volume "
    "transfer."
)
DELETABLE = ("available", "error", "error_restoring", "error_extending", "error_managing")


def listed(call: Call) -> Reply:
    here = f"{call.world.url}/volume/v3{prefix(call)}/volumes"
    found = page(call, VOLUMES, call.world.volumes, here)
    return Reply(200, page_body(call, "volumes", found, volume_summary))


def detailed(call: Call) -> Reply:
    here = f"{call.world.url}/volume/v3{prefix(call)}/volumes/detail"
    found = page(call, VOLUMES, call.world.volumes, here)
    return Reply(200, page_body(call, "volumes", found, volume_detail))


def shown(call: Call) -> Reply:
    return Reply(200, {"volume": volume_detail(call, visible_volume(call, call.name("id")))})


def created(call: Call) -> Reply:
    """Make a volume, of a backup if so asked. It is `creating` in the answer, and there later."""
    details = schema.part(call.request.body, "volume")
    _need_member(call, call.project_id(), "volume:create")
    backup = _source(call, details)
    size = schema.size(details)
    _need_type(call, details.get("volume_type"))
    if backup and size < backup.size:
        text = f"Volume size '{size}'GB cannot be smaller than the backup size {backup.size}GB."
        raise refused(400, f"Invalid input received: {text}")
    need_volume_quota(call, size)
    volume = new_volume(call, name=schema.text(details, "name"), size=size)
    volume.description = schema.text(details, "description")
    volume.metadata = schema.metadata(details)
    volume.volume_type = details.get("volume_type") or volume.volume_type
    volume.availability_zone = details.get("availability_zone") or volume.availability_zone
    type_name = volume.volume_type.removeprefix("type-")
    volume.encrypted = call.world.settings.volume_types.get(type_name, False)
    view = volume_detail(call, volume) | {"status": "creating", "updated_at": None}
    if backup:
        lifecycle.begin_restore(call.world, backup, volume)
    return Reply(202, {"volume": view})


def _source(call: Call, details: dict[str, Any]) -> Backup | None:
    """The backup that the volume is to be made of; older microversions ignore the wish."""
    backup_id = schema.identifier(details, "backup_id") if call.version >= (3, 47) else None
    if backup_id is None:
        return None
    backup = call.world.backups.get(backup_id)
    if not backup or not (call.is_admin() or backup.project_id == call.project_id()):
        raise not_found("Backup", backup_id)
    if backup.status != "available":
        text = "Originating backup status must be one of 'available' values"
        raise refused(400, f"Invalid backup: {text}")
    return backup


def _need_type(call: Call, name: str | None) -> None:
    if name is not None and name.removeprefix("type-") not in call.world.settings.volume_types:
        raise refused(404, f"Volume type with name {name} could not be found.")


def acted(call: Call) -> Reply:
    """POST .../action: of all actions, to mark a volume as bootable, and to force its deletion."""
    body = call.request.body if isinstance(call.request.body, dict) else {}
    action = next(iter(body), "None")
    if action == "os-force_delete":
        if not call.is_admin():
            raise forbidden("volume_extension:volume_admin_actions:force_delete")
        call.world.volumes.remove(visible_volume(call, call.name("id")).id)
        return Reply(202)
    if action != "os-set_bootable":
        raise refused(400, f"There is no such action: {action}.")
    volume = _mine_to_change(call, "volume_extension:volume_actions:set_bootable")
    bootable = schema.flag(schema.part(body, action), "bootable")
    call.world.volumes.change(volume, bootable=bootable, updated_at=call.world.now())
    return Reply(200)


def new_volume(call: Call, *, name: str | None, size: int) -> Volume:
    now = call.world.now()
    return call.world.volumes.add(
        Volume(
            id=call.world.new_id(),
            name=name,
            project_id=call.project_id(),
            user_id=call.token().user_id,
            created_at=now,
            updated_at=now,
            size=size,
        )
    )


def deleted(call: Call) -> Reply:
    """Delete a volume. Its backups are kept: Cinder does not check for them here."""
    volume = _mine_to_change(call, "volume:delete")
    if volume.status not in DELETABLE or volume.attachments:
        raise refused(400, NOT_DELETABLE)
    call.world.volumes.remove(volume.id)
    return Reply(202)


def _mine_to_change(call: Call, rule: str) -> Volume:
    volume = visible_volume(call, call.name("id"))
    _need_member(call, volume.project_id, rule)
    return volume


def visible_volume(call: Call, volume_id: str) -> Volume:
    """Find a volume; one of another project counts as missing."""
    volume = call.world.volumes.get(volume_id)
    if volume and (call.is_admin() or volume.project_id == call.project_id()):
        return volume
    raise not_found("Volume", volume_id)


def _need_member(call: Call, project_id: str, rule: str) -> None:
    if not call.is_admin() and ("member" not in call.roles() or project_id != call.project_id()):
        raise forbidden(rule)
