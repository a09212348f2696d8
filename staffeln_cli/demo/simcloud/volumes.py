"""Cinder's volume requests."""

from __future__ import annotations

from staffeln_cli.demo.simcloud import schema
from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.errors import forbidden, not_found, refused
from staffeln_cli.demo.simcloud.filters import VOLUMES
from staffeln_cli.demo.simcloud.listing import page
from staffeln_cli.demo.simcloud.rows import Volume
from staffeln_cli.demo.simcloud.views import page_body, prefix, volume_detail

NOT_DELETABLE = (
    "Invalid volume: Volume status must be available or error or error_restoring or "
    "error_extending or error_managing and must not be migrating, attached, belong to a group, "
    "have snapshots, awaiting a transfer, or be disassociated from snapshots after volume "
    "transfer."
)
DELETABLE = ("available", "error", "error_restoring", "error_extending", "error_managing")


def detailed(call: Call) -> Reply:
    here = f"{call.world.url}/volume/v3{prefix(call)}/volumes/detail"
    found = page(call, VOLUMES, call.world.volumes, here)
    return Reply(200, page_body(call, "volumes", found, volume_detail))


def shown(call: Call) -> Reply:
    return Reply(200, {"volume": volume_detail(call, visible_volume(call, call.name("id")))})


def created(call: Call) -> Reply:
    """Make a volume. It is `creating` in the answer, and there when somebody looks."""
    details = schema.part(call.request.body, "volume")
    _need_member(call, call.project_id(), "volume:create")
    volume = new_volume(call, name=schema.text(details, "name"), size=schema.size(details))
    volume.description = schema.text(details, "description")
    volume.metadata = schema.metadata(details)
    volume.volume_type = details.get("volume_type") or volume.volume_type
    volume.availability_zone = details.get("availability_zone") or volume.availability_zone
    view = volume_detail(call, volume) | {"status": "creating", "updated_at": None}
    return Reply(202, {"volume": view})


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
