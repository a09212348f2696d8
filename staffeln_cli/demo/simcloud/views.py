"""How Cinder writes volumes and backups, microversion by microversion."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from staffeln_cli.demo.simcloud.calls import Call
from staffeln_cli.demo.simcloud.clock import in_cinder
from staffeln_cli.demo.simcloud.listing import Page
from staffeln_cli.demo.simcloud.rows import Attachment, Backup, Volume
from staffeln_cli.demo.simcloud.tables import Row

Body = dict[str, object]
R = TypeVar("R", bound=Row)
PROVIDER = "9f3c54a7-1f6e-4a52-8a5e-6b6d6f1b2c3d"


def page_body(call: Call, plural: str, page: Page, view: Callable[[Call, R], Body]) -> bytes:
    """Write a page. Each row keeps how it was written last, for listing is what is measured."""
    manner = (view, call.version, call.is_admin(), prefix(call), call.world.url)
    rows = b", ".join(_written(call, row, view, manner) for row in page.rows)
    body = b'{"%s": [%s]' % (plural.encode(), rows)
    if page.links:
        body += b', "%s_links": %s' % (plural.encode(), json.dumps(page.links).encode())
    return body + b"}"


def _written(
    call: Call, row: R, view: Callable[[Call, R], Body], manner: tuple[object, ...]
) -> bytes:
    if row.rendered is None or row.rendered[0] != manner:
        row.rendered = (manner, json.dumps(view(call, row)).encode())
    return row.rendered[1]


def prefix(call: Call) -> str:
    """Give the project in the address, if the address has one."""
    return f"/{call.name('project')}" if call.name("project") else ""


def links(call: Call, plural: str, row_id: str) -> list[dict[str, str]]:
    path = f"{prefix(call)}/{plural}/{row_id}"
    return [
        {"rel": "self", "href": f"{call.world.url}/volume/v3{path}"},
        {"rel": "bookmark", "href": f"{call.world.url}/volume{path}"},
    ]


def volume_summary(call: Call, volume: Volume) -> Body:
    return {"id": volume.id, "name": volume.name, "links": links(call, "volumes", volume.id)}


def volume_detail(call: Call, volume: Volume) -> Body:
    admin = call.is_admin()
    newer: list[tuple[tuple[int, int], bool, Body]] = [
        ((3, 0), admin, {"migration_status": volume.migration_status}),
        ((3, 13), True, {"group_id": None}),
        ((3, 21), admin, {"provider_id": None}),
        ((3, 48), True, {"shared_targets": False, "service_uuid": PROVIDER}),
        ((3, 61), admin, {"cluster_name": None}),
        ((3, 63), True, {"volume_type_id": f"type-{volume.volume_type}"}),
        ((3, 64), volume.encrypted, {"encryption_key_id": f"key-{volume.id}"}),
        ((3, 65), True, {"consumes_quota": volume.consumes_quota}),
    ]
    view = _volume_basics(call, volume)
    for since, shown, more in newer:
        if shown and call.version >= since:
            view |= more
    return view | _volume_extensions(volume, admin=admin)


def _volume_basics(call: Call, volume: Volume) -> Body:
    return {
        "id": volume.id,
        "status": volume.status,
        "size": volume.size,
        "availability_zone": volume.availability_zone,
        "created_at": in_cinder(volume.created_at),
        "updated_at": in_cinder(volume.updated_at),
        "name": volume.name,
        "description": volume.description,
        "volume_type": volume.volume_type,
        "snapshot_id": volume.snapshot_id,
        "source_volid": volume.source_volid,
        "metadata": volume.metadata,
        "links": links(call, "volumes", volume.id),
        "user_id": volume.user_id,
        "bootable": "true" if volume.bootable else "false",
        "encrypted": volume.encrypted,
        "replication_status": None,
        "consistencygroup_id": None,
        "multiattach": volume.multiattach,
        "attachments": [_attachment(volume, n, admin=call.is_admin()) for n in volume.attachments],
    }


def _attachment(volume: Volume, attachment: Attachment, *, admin: bool) -> Body:
    host = "simulated" if admin else None
    return {
        "id": volume.id,
        "attachment_id": attachment.id,
        "volume_id": volume.id,
        "server_id": attachment.server_id,
        "host_name": host,
        "device": attachment.device,
        "attached_at": in_cinder(attachment.attached_at),
    }


def _volume_extensions(volume: Volume, *, admin: bool) -> Body:
    view: Body = {"os-vol-tenant-attr:tenant_id": volume.project_id}
    if admin:
        view |= {
            "os-vol-mig-status-attr:migstat": volume.migration_status,
            "os-vol-mig-status-attr:name_id": None,
            "os-vol-host-attr:host": volume.host,
        }
    return view


def backup_summary(call: Call, backup: Backup) -> Body:
    return {"id": backup.id, "name": backup.name, "links": links(call, "backups", backup.id)}


def backup_detail(call: Call, backup: Backup) -> Body:
    view: Body = {
        "id": backup.id,
        "status": backup.status,
        "size": backup.size,
        "object_count": backup.object_count,
        "availability_zone": backup.availability_zone,
        "container": backup.container,
        "created_at": in_cinder(backup.created_at),
        "updated_at": in_cinder(backup.updated_at),
        "name": backup.name,
        "description": backup.description,
        "fail_reason": backup.fail_reason,
        "volume_id": backup.volume_id,
        "links": links(call, "backups", backup.id),
        "is_incremental": backup.parent_id is not None,
        "has_dependent_backups": backup.num_dependent_backups > 0,
        "snapshot_id": backup.snapshot_id,
        "data_timestamp": in_cinder(backup.data_timestamp),
    }
    if call.version >= (3, 43):
        view["metadata"] = backup.metadata
    if call.version >= (3, 18) and call.is_admin():
        view["os-backup-project-attr:project_id"] = backup.project_id
    if call.version >= (3, 56) and call.is_admin():
        view["user_id"] = backup.user_id
    if call.version >= (3, 64) and backup.encryption_key_id:
        view["encryption_key_id"] = backup.encryption_key_id
    return view
