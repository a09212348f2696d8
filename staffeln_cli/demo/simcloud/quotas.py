"""Cinder's quotas, limits and services."""

from __future__ import annotations

from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.clock import in_cinder
from staffeln_cli.demo.simcloud.errors import forbidden, not_found, over_quota


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
        "volumes": quota.volumes,
        "per_volume_gigabytes": -1,
        "snapshots": 100,
        "gigabytes": quota.gigabytes,
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


def need_volume_quota(call: Call, gib: int) -> None:
    """Refuse a further volume that the project has no room for."""
    quota, used = call.world.quota(call.project_id()), _used(call, call.project_id())
    if 0 <= quota.volumes <= used["volumes"]:
        text = f"Maximum number of volumes allowed ({quota.volumes}) exceeded for quota 'volumes'."
        raise over_quota(f"VolumeLimitExceeded: {text}")
    if 0 <= quota.gigabytes < used["gigabytes"] + gib:
        raise over_quota(
            "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed "
            f"gigabytes quota. Requested {gib}G, quota is {quota.gigabytes}G and "
            f"{used['gigabytes']}G has been consumed."
        )


def volume_types(call: Call) -> Reply:
    """List the types; a type's id is made of its name."""
    names = call.world.settings.volume_types
    rows = [{"id": f"type-{name}", "name": name, "is_public": True} for name in names]
    return Reply(200, {"volume_types": rows})


def type_encryption(call: Call) -> Reply:
    """Show how volumes of a type are encrypted: nothing where they are not."""
    if not call.is_admin():
        raise forbidden("volume_extension:volume_type_encryption:get")
    name = call.name("id").removeprefix("type-")
    if name not in call.world.settings.volume_types:
        raise not_found("Volume type", call.name("id"))
    encrypted = call.world.settings.volume_types[name]
    return Reply(200, {"provider": "luks", "cipher": None} if encrypted else {})


def services(call: Call) -> Reply:
    if not call.is_admin():
        raise forbidden("volume_extension:services:index")
    up = call.world.settings.backup_service_up
    rows = [
        *(
            _service(call, "cinder-backup", host.name, up=up)
            | {
                "zone": host.zone,
                "status": "enabled" if host.is_enabled else "disabled",
                "disabled_reason": host.reason,
            }
            for host in call.world.settings.backup_hosts
        ),
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
