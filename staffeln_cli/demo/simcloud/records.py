"""Cinder's rows of backups carried out of it and into it, as its own guide tells operators to."""

from __future__ import annotations

import base64
import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from staffeln_cli.demo.simcloud import lifecycle, schema
from staffeln_cli.demo.simcloud.backups import NO_SERVICE, visible_backup
from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.errors import forbidden, refused
from staffeln_cli.demo.simcloud.rows import Backup
from staffeln_cli.demo.simcloud.views import backup_summary
from staffeln_cli.demo.simcloud.world import BackupHost

DRIVER = "cinder.backup.drivers.posix.PosixBackupDriver"
_RENAMED = {"display_name": "name", "display_description": "description"}
_KEPT = (
    "id", "volume_id", "snapshot_id", "container", "parent_id", "size", "object_count",
    "num_dependent_backups", "data_timestamp", "encryption_key_id", "metadata", "created_at",
)  # fmt: skip


def exported(call: Call) -> Reply:
    """Write the row of a backup. A host answers for it, and the row is written anew."""
    if not call.is_admin():
        raise forbidden("backup:export-import")
    backup = visible_backup(call)
    if backup.status != "available":
        text = f"Backup status must be available and not {backup.status}."
        raise refused(400, f"Invalid backup: {text}")
    if not call.world.settings.backup_service_up:
        raise refused(404, NO_SERVICE)
    call.world.backups.change(backup, updated_at=call.world.now())
    written = base64.b64encode(json.dumps(_row(backup)).encode()).decode()
    return Reply(200, {"backup-record": {"backup_service": DRIVER, "backup_url": written}})


def _row(backup: Backup) -> dict[str, object]:
    row = {name: getattr(backup, name) for name in _KEPT}
    for name, value in row.items():
        if isinstance(value, datetime):
            row[name] = f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return row | {
        "driver_info": {},
        "user_id": backup.user_id,
        "project_id": backup.project_id,
        "host": backup.host,
        "availability_zone": backup.availability_zone,
        "display_name": backup.name,
        "display_description": backup.description,
        "service": DRIVER,
        "service_metadata": f"volume_{backup.volume_id}_backup_{backup.id}",
        "status": backup.status,
        "updated_at": None,
    }


def imported(call: Call) -> Reply:
    """Make a row of a record. It is the token's project's, and any enabled host may take it."""
    if not call.is_admin():
        raise forbidden("backup:backup-import")
    details = schema.part(call.request.body, "backup-record")
    schema.only(details, "backup-record", {"backup_service", "backup_url"})
    row = _decoded(str(details.get("backup_url")))
    if row["id"] in call.world.backups:
        raise refused(400, "Invalid backup: Backup already exists in database.")
    hosts = [host for host in call.world.settings.backup_hosts if host.is_enabled]
    if not call.world.settings.backup_service_up or not hosts:
        raise refused(404, NO_SERVICE)
    backup = _backup(call, row, hosts[0])
    call.world.charge(backup.project_id, 1, backup.size)
    call.world.backups.add(backup)
    if details.get("backup_service") == DRIVER:
        lifecycle.begin_import(call.world, backup)
    else:
        text = f"Request service {details.get('backup_service')}"
        call.world.backups.change(
            backup, status="error", fail_reason=f"Import record failed, cannot find it. {text}"
        )
    return Reply(201, {"backup": backup_summary(call, backup)})


def _decoded(text: str) -> dict[str, Any]:
    try:
        row = json.loads(base64.b64decode(text, validate=True))
        return {**row, "id": str(row["id"])}
    except (ValueError, KeyError, TypeError):
        raise refused(400, "Invalid input received: Can't parse backup record.") from None


def _backup(call: Call, row: dict[str, Any], host: BackupHost) -> Backup:
    now = call.world.now()
    known = {field.name for field in fields(Backup)}
    columns = {_RENAMED.get(name, name): value for name, value in row.items()}
    columns = {name: value for name, value in columns.items() if name in known}
    for name in ("created_at", "data_timestamp"):
        columns[name] = datetime.fromisoformat(columns[name]) if columns.get(name) else now
    return Backup(
        **columns
        | {
            "project_id": call.project_id(),
            "user_id": call.token().user_id,
            "updated_at": now,
            "status": "creating",
            "host": host.name,
            "availability_zone": host.zone,
        }
    )


def switched(call: Call) -> Reply:
    """PUT /os-services/...: give work to a backup host, or none."""
    if not call.is_admin():
        raise forbidden("volume_extension:services:update")
    body = call.request.body if isinstance(call.request.body, dict) else {}
    enable = call.request.path.endswith("/enable")
    hosts = call.world.settings.backup_hosts
    found = [host for host in hosts if host.name == body.get("host")]
    if not found:
        raise refused(404, f"Service {body.get('binary')} could not be found on host.")
    status = "enabled" if enable else "disabled"
    said = Reply(200, {"host": found[0].name, "binary": "cinder-backup", "status": status})
    if not call.world.settings.switches_hosts and not call.request.path.endswith("-reason"):
        return said
    reason = None if enable else body.get("disabled_reason")
    changed = BackupHost(found[0].name, found[0].zone, is_enabled=enable, reason=reason)
    call.world.settings.backup_hosts = tuple(
        changed if host is found[0] else host for host in hosts
    )
    return said
