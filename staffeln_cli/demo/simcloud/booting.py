"""How Nova boots a server: what it checks, in its own words, and what comes of it."""

from __future__ import annotations

from typing import Any

from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.errors import forbidden, not_found, refused
from staffeln_cli.demo.simcloud.rows import Attachment, Port, Server, Volume
from staffeln_cli.demo.simcloud.schema import metadata, part

NO_NETWORKS = (2, 37)
TAGS = (2, 52)


def created(call: Call) -> Reply:
    """Boot a server; it is ACTIVE at once, or in ERROR where `boot_fault` says why."""
    wanted = part(call.request.body, "server")
    if not call.is_admin() and "member" not in call.roles():
        raise forbidden("os_compute_api:servers:create")
    _need_networks(call, wanted)
    if not (wanted.get("imageRef") or wanted.get("block_device_mapping_v2")):
        raise refused(400, "Missing imageRef attribute")
    flavor = str(wanted.get("flavorRef"))
    if flavor not in call.world.flavors:
        raise refused(400, f"Flavor {flavor} could not be found.")
    zone = str(wanted.get("availability_zone") or "nova")
    if zone not in call.world.settings.zones:
        raise refused(400, "The requested availability zone is not available")
    _need_quota(call, flavor)
    if wanted.get("tags") and call.version < TAGS:
        raise refused(400, "Additional properties are not allowed ('tags' was unexpected)")
    volumes, ports = _volumes(call, wanted), _ports(call, wanted)
    _need_key(call, wanted.get("key_name"))
    server = _server(call, wanted, flavor, zone)
    _attach(call, server, volumes)
    for port in ports:
        port.device_id = server.id
    groups = call.world.networking.security_groups
    names = tuple(groups[one].name for port in ports for one in port.security_groups)
    call.world.servers.change(server, security_groups=names)
    return Reply(202, {"server": {"id": server.id, "links": [], "adminPass": "secret"}})


def flavors(call: Call) -> Reply:
    rows = [{"id": one.id, "name": one.name, "links": []} for one in call.world.flavors.values()]
    return Reply(200, {"flavors": rows})


def flavor(call: Call) -> Reply:
    found = call.world.flavors.get(call.name("id"))
    if found is None:
        raise not_found("Flavor", call.name("id"))
    body = {"id": found.id, "name": found.name, "vcpus": found.vcpus, "ram": found.ram}
    return Reply(200, {"flavor": body | {"disk": 0}})


def zones(call: Call) -> Reply:
    rows = [
        {"zoneName": name, "zoneState": {"available": True}} for name in call.world.settings.zones
    ]
    return Reply(200, {"availabilityZoneInfo": rows})


def keys(call: Call) -> Reply:
    names = sorted(name for user, name in call.world.keys if user == call.token().user_id)
    return Reply(200, {"keypairs": [{"keypair": {"name": name}} for name in names]})


def quotas(call: Call) -> Reply:
    project_id = call.name("id")
    if not call.is_admin() and project_id != call.project_id():
        raise forbidden("os_compute_api:os-quota-sets:detail")
    quota, used = call.world.compute_quota(project_id), _used(call, project_id)
    body: dict[str, object] = {
        name: {"limit": getattr(quota, name), "in_use": used[name], "reserved": 0} for name in used
    }
    return Reply(200, {"quota_set": body | {"id": project_id}})


def _used(call: Call, project_id: str) -> dict[str, int]:
    servers = [one for one in call.world.servers if one.project_id == project_id]
    flavors = [call.world.flavors[one.flavor] for one in servers]
    return {
        "instances": len(servers),
        "cores": sum(one.vcpus for one in flavors),
        "ram": sum(one.ram for one in flavors),
    }


def _need_key(call: Call, name: object) -> None:
    """Keys are the user's; the volumes are looked at before."""
    if name and (call.token().user_id, str(name)) not in call.world.keys:
        raise refused(400, "Invalid key_name provided.")


def _need_networks(call: Call, wanted: dict[str, Any]) -> None:
    networks = wanted.get("networks")
    text = f"Invalid input for field/attribute networks. Value: {networks}."
    if call.version >= NO_NETWORKS and networks is None:
        raise refused(400, f"{text} None is not valid under any of the given schemas")
    if call.version < NO_NETWORKS and isinstance(networks, str):
        raise refused(400, text)


def _need_quota(call: Call, flavor_id: str) -> None:
    flavor = call.world.flavors[flavor_id]
    quota, used = call.world.compute_quota(call.project_id()), _used(call, call.project_id())
    for name, number in (("instances", 1), ("cores", flavor.vcpus), ("ram", flavor.ram)):
        limit = getattr(quota, name)
        if 0 <= limit < used[name] + number:
            text = f"Requested {number}, but already used {used[name]} of {limit} {name}"
            raise refused(403, f"Quota exceeded for {name}: {text}")


def _volumes(call: Call, wanted: dict[str, Any]) -> list[tuple[Volume, bool]]:
    found: list[tuple[Volume, bool]] = []
    for device in wanted.get("block_device_mapping_v2") or ():
        if device["source_type"] != "volume":
            continue
        volume = call.world.volumes.get(device["uuid"])
        if volume is None or volume.project_id != call.project_id():
            text = f"failed to get volume {device['uuid']}."
            raise refused(400, f"Block Device Mapping is Invalid: {text}")
        if volume.status != "available":
            text = (
                f"volume '{volume.id}' status must be 'available'. Currently in '{volume.status}'"
            )
            raise refused(400, f"Invalid volume: {text}")
        if str(device.get("boot_index")) == "0" and not volume.bootable:
            raise refused(400, f"Block Device {volume.id} is not bootable.")
        found.append((volume, bool(device.get("delete_on_termination"))))
    return found


def _ports(call: Call, wanted: dict[str, Any]) -> list[Port]:
    networks = wanted.get("networks")
    if networks in (None, "none", "auto"):
        return []
    ports: list[Port] = []
    for one in networks:
        port = call.world.networking.ports.get(str(one.get("port")))
        if port is None or port.project_id != call.project_id():
            raise refused(400, f"Port id {one.get('port')} could not be found.")
        if port.device_id:
            raise refused(409, f"Port {port.id} is still in use.")
        ports.append(port)
    return ports


def _server(call: Call, wanted: dict[str, Any], flavor_id: str, zone: str) -> Server:
    now, fault = call.world.now(), call.world.settings.boot_fault
    server = Server(
        call.world.new_id(), str(wanted["name"]), call.project_id(), call.token().user_id, now, now
    )
    call.world.servers.add(server)
    call.world.servers.change(
        server,
        status="ERROR" if fault else "ACTIVE",
        fault=fault,
        metadata=metadata(wanted),
        flavor=flavor_id,
        zone=zone,
        image_id=wanted.get("imageRef") or None,
        description=wanted.get("description"),
        key_name=wanted.get("key_name"),
        config_drive=bool(wanted.get("config_drive")),
        user_data=wanted.get("user_data"),
        tags=tuple(wanted.get("tags") or ()),
    )
    return server


def _attach(call: Call, server: Server, volumes: list[tuple[Volume, bool]]) -> None:
    attached = call.world.attached.setdefault(server.id, [])
    for place, (volume, _) in enumerate(volumes):
        device = f"/dev/vd{chr(ord('a') + place % 26)}"
        new = Attachment(call.world.new_id(), server.id, device, call.world.now())
        call.world.volumes.change(volume, attachments=(new,), status="in-use")
        attached.append(volume.id)
    doomed = frozenset(volume.id for volume, is_doomed in volumes if is_doomed)
    call.world.servers.change(server, deletes_volumes=doomed)
