"""Neutron's networks, ports and security groups, as far as a server needs them."""

from __future__ import annotations

from itertools import count
from typing import Any

from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.errors import Refused
from staffeln_cli.demo.simcloud.rows import Network, Port
from staffeln_cli.demo.simcloud.schema import part

Body = dict[str, object]


def networks(call: Call) -> Reply:
    found = [
        network
        for network in call.world.networking.networks.values()
        if (network.shared or _is_shown(call, network.project_id)) and _fits(call, network.name)
    ]
    return Reply(200, {"networks": [_network(one) for one in found]})


def security_groups(call: Call) -> Reply:
    found = [
        {"id": group.id, "name": group.name, "project_id": group.project_id}
        for group in call.world.networking.security_groups.values()
        if _is_shown(call, group.project_id) and _fits(call, group.name)
    ]
    return Reply(200, {"security_groups": found})


def ports(call: Call) -> Reply:
    """List ports; `fixed_ips=ip_address=...` narrows them to an address."""
    query = call.query
    ip = query.get("fixed_ips", "").removeprefix("ip_address=")
    found = [
        _port(port)
        for port in call.world.networking.ports.values()
        if _is_shown(call, port.project_id)
        and _fits(call, port.name)
        and query.get("network_id", port.network_id) == port.network_id
        and ip in ("", port.ip)
    ]
    return Reply(200, {"ports": found})


def port_created(call: Call) -> Reply:
    wanted = part(call.request.body, "port")
    networking = call.world.networking
    network = networking.networks.get(str(wanted.get("network_id")))
    if network is None or not (network.shared or _is_shown(call, network.project_id)):
        raise _refused(404, "NetworkNotFound", f"Network {wanted.get('network_id')} not found.")
    ip, mac = _wanted_ip(call, network, wanted), _wanted_mac(call, network, wanted)
    owner = str(wanted.get("project_id") or call.project_id())
    if owner != call.project_id() and not call.is_admin():
        raise _refused(403, "PolicyNotAuthorized", "create_port:project_id is disallowed")
    port = Port(
        call.world.new_id(), str(wanted.get("name", "")), network.id, owner, ip, mac,
        security_groups=tuple(wanted.get("security_groups") or ()),
    )  # fmt: skip
    networking.ports[port.id] = port
    return Reply(201, {"port": _port(port)})


def _wanted_ip(call: Call, network: Network, wanted: dict[str, Any]) -> str:
    taken = {p.ip for p in call.world.networking.ports.values() if p.network_id == network.id}
    for one in wanted.get("fixed_ips") or ():
        _need_owner(call, network, "create_port:fixed_ips:ip_address")
        ip = str(one["ip_address"])
        if ip in taken:
            message = f"IP address {ip} already allocated in subnet of network {network.id}"
            raise _refused(409, "IpAddressAlreadyAllocated", message)
        return ip
    return next(ip for ip in (f"10.0.{network.number}.{n}" for n in count(2)) if ip not in taken)


def _wanted_mac(call: Call, network: Network, wanted: dict[str, Any]) -> str:
    taken = {p.mac for p in call.world.networking.ports.values() if p.network_id == network.id}
    if mac := wanted.get("mac_address"):
        _need_owner(call, network, "create_port:mac_address")
        if mac in taken:
            message = f"The mac address {mac} is in use in network {network.id}."
            raise _refused(409, "MacAddressInUse", message)
        return str(mac)
    known = (f"fa:16:3e:00:{network.number:02x}:{number:02x}" for number in count(2))
    return next(mac for mac in known if mac not in taken)


def _need_owner(call: Call, network: Network, rule: str) -> None:
    if not (call.is_admin() or network.project_id == call.project_id()):
        raise _refused(403, "PolicyNotAuthorized", f"rule:{rule} is disallowed by policy")


def _is_shown(call: Call, project_id: str) -> bool:
    wanted = call.query.get("project_id", project_id)
    return wanted == project_id and (call.is_admin() or project_id == call.project_id())


def _fits(call: Call, name: str) -> bool:
    return call.query.get("name", name) == name


def _network(network: Network) -> Body:
    return {
        "id": network.id,
        "name": network.name,
        "project_id": network.project_id,
        "shared": network.shared,
    }


def _port(port: Port) -> Body:
    return {
        "id": port.id,
        "name": port.name,
        "network_id": port.network_id,
        "project_id": port.project_id,
        "device_id": port.device_id,
        "mac_address": port.mac,
        "fixed_ips": [{"ip_address": port.ip, "subnet_id": f"subnet-{port.network_id}"}],
        "security_groups": list(port.security_groups),
    }


def _refused(status: int, kind: str, message: str) -> Refused:
    return Refused(status, {"NeutronError": {"type": kind, "message": message, "detail": ""}})
