"""Cinder's quotas, limits and services."""

from __future__ import annotations

from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.clock import in_cinder
from staffeln_cli.demo.simcloud.errors import forbidden

VOLUMES_ALLOWED = 100


def quota_set(call: Call) -> Reply:
    """Show limits, and with `usage` what they leave; any project name has a quota."""
    project_id = call.name("id")
    if not call.is_admin() and project_id != call.project_id():
        raise forbidden("volume_extension:quotas:show")
    limits = _limits(call, project_id)
    if call.query.get("usage", "").lower() not in ("true", "1"):
        return Reply(200, {"quota_set": limits | {"id": project_id}})
    used = _used(call, project_id)
    body: dict[str, object] = {
        name: {"limit": limit, "in_use": used.get(name, 0), "reserved": 0}
        for name, limit in limits.items()
    }
    return Reply(200, {"quota_set": body | {"id": project_id}})


def _limits(call: Call, project_id: str) -> dict[str, object]:
    quota = call.world.quota(project_id)
    return {
        "volumes": VOLUMES_ALLOWED,
        "per_volume_gigabytes": -1,
        "snapshots": 100,
        "gigabytes": 1000,
        "backups": quota.backups,
        "backup_gigabytes": quota.backup_gigabytes,
        "groups": 10,
    }


def _used(call: Call, project_id: str) -> dict[str, int]:
    backups, gigabytes = call.world.usage.get(project_id, (0, 0))
    ages = call.world.volumes.ages(project_id)
    size = sum(call.world.volumes[volume_id].size for _, volume_id in ages)
    return {
        "volumes": len(ages),
        "gigabytes": size,
        "backups": backups,
        "backup_gigabytes": gigabytes,
    }


def services(call: Call) -> Reply:
    if not call.is_admin():
        raise forbidden("volume_extension:services:index")
    up = call.world.knobs.backup_service_up
    rows = [
        _service(call, "cinder-backup", "simulated", up=up),
        _service(call, "cinder-scheduler", "simulated", up=True),
        _service(call, "cinder-volume", "simulated@lvm", up=True),
    ]
    binary = call.query.get("binary")
    return Reply(200, {"services": [row for row in rows if binary in (None, row["binary"])]})


def _service(call: Call, binary: str, host: str, *, up: bool) -> dict[str, object]:
    row: dict[str, object] = {
        "binary": binary,
        "host": host,
        "zone": "nova",
        "status": "enabled",
        "state": "up" if up else "down",
        "updated_at": in_cinder(call.world.now()),
    }
    if call.version >= (3, 7):
        row["cluster"] = None
    return row | {"disabled_reason": None}
