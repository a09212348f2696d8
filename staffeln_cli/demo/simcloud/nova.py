"""Nova's servers."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from urllib.parse import urlencode

from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.clock import in_nova
from staffeln_cli.demo.simcloud.errors import forbidden, refused
from staffeln_cli.demo.simcloud.listing import YOUNGEST
from staffeln_cli.demo.simcloud.rows import Server
from staffeln_cli.demo.simcloud.tables import Key

Body = dict[str, object]
KNOWN = frozenset(
    {"all_tenants", "limit", "marker", "name", "status", "project_id", "tenant_id", "user_id"}
    | {"uuid", "host", "deleted", "sort_key", "sort_dir", "changes-since", "changes-before"}
    | {"tags", "not-tags", "vm_state", "flavor", "image", "ip"}
)
POWER = {"ACTIVE": 1, "SHUTOFF": 4, "PAUSED": 3}


def detailed(call: Call) -> Reply:
    return _page(call)


def shown(call: Call) -> Reply:
    server = call.world.servers.get(call.name("id"))
    if server is None or not (call.is_admin() or server.project_id == call.project_id()):
        raise refused(404, f"Instance {call.name('id')} could not be found.")
    return Reply(200, {"server": _view(call, server)})


def _page(call: Call) -> Reply:
    _need_known_query(call)
    everywhere = call.query.get("all_tenants", "0").lower() in ("", "1", "true", "yes", "on", "t")
    if everywhere and not call.is_admin():
        raise forbidden("os_compute_api:servers:detail:get_all_tenants")
    most = call.world.settings.max_limit
    limit = min(int(call.query.get("limit") or most), most)
    rows = _following(call, None if everywhere else call.project_id(), limit)
    body = b'{"servers": [%s]' % b", ".join(_detail(call, row) for row in rows)
    if limit and len(rows) == limit:
        query = {k: v for k, v in call.query.items() if k != "marker"} | {"marker": rows[-1].id}
        href = f"{call.world.url}/compute/v2.1/servers/detail?{urlencode(query)}"
        body += b', "servers_links": %s' % json.dumps([{"rel": "next", "href": href}]).encode()
    return Reply(200, body + b"}")


def _need_known_query(call: Call) -> None:
    limit = call.query.get("limit", "")
    if not re.fullmatch("[0-9]*", limit):
        text = f"Value: {limit}. '{limit}' does not match '^[0-9]*$'"
        raise refused(400, f"Invalid input for query parameters limit. {text}")
    unknown = [key for key in call.query if key not in KNOWN and not key.startswith("_")]
    if unknown and call.version >= (2, 75):
        raise refused(400, f"'{unknown[0]}' does not match any of the regexes: '^_'")


def _following(call: Call, project_id: str | None, limit: int) -> list[Server]:
    """Give the next rows in order of age. Servers in a cell that is down are silently left out."""
    ages = call.world.servers.ages(project_id)
    name = call.query.get("marker")
    marker = (_age_of_marker(call, name), name) if name else None
    found: list[Server] = []
    for _, server_id in _in_order(ages, marker, descends=_descends(call)):
        server = call.world.servers[server_id]
        if len(found) == limit:
            break
        if not server.hidden and _fits(call, server):
            found.append(server)
    return found


def _descends(call: Call) -> bool:
    """Newest first or oldest; here only age can be sorted by, as nothing else is asked for."""
    direction = call.query.get("sort_dir", "desc")
    if direction not in ("asc", "desc"):
        raise refused(400, f"Invalid input for query parameters sort_dir. Value: {direction}.")
    if call.query.get("sort_key", "created_at") != "created_at":
        raise refused(400, f"The simulated cloud cannot sort by {call.query['sort_key']}")
    return direction == "desc"


def _in_order(ages: Sequence[Key], marker: Key | None, *, descends: bool) -> Iterator[Key]:
    """By age and then by id, which always ascends (nova:nova/compute/instance_list.py)."""
    if not descends:
        yield from islice(ages, bisect_right(ages, marker) if marker else 0, None)
        return
    high = len(ages)
    if marker is not None:
        high = bisect_left(ages, (marker[0], ""))
        yield from ages[bisect_right(ages, marker) : bisect_right(ages, (marker[0], YOUNGEST))]
    while high > 0:
        low = bisect_left(ages, (ages[high - 1][0], ""))
        yield from ages[low:high]
        high = low


def _age_of_marker(call: Call, marker: str) -> datetime:
    """Find the marker; Nova knows one that has been deleted meanwhile, Cinder does not."""
    server = call.world.servers.get(marker)
    age = server.created_at if server else call.world.deleted_servers.get(marker)
    if age is None:
        raise refused(400, f"marker [{marker}] not found")
    return age


def _fits(call: Call, server: Server) -> bool:
    query = call.query
    project = query.get("project_id", query.get("tenant_id", server.project_id))
    return (
        re.search(query.get("name", ""), server.name) is not None
        and query.get("status", server.status).upper() == server.status
        and query.get("uuid", server.id) == server.id
        and project == server.project_id
    )


def _detail(call: Call, server: Server) -> bytes:
    manner = (call.version, call.is_admin(), call.world.url)
    if server.rendered is None or server.rendered[0] != manner:
        server.rendered = (manner, json.dumps(_view(call, server)).encode())
    return server.rendered[1]


def _view(call: Call, server: Server) -> Body:
    view = _basics(call, server)
    if call.is_admin():
        view |= _host(server)
    view |= {
        "OS-EXT-STS:task_state": server.task_state,
        "OS-EXT-STS:vm_state": server.status.lower(),
        "OS-EXT-STS:power_state": POWER.get(server.status, 0),
        "os-extended-volumes:volumes_attached": _attached(call, server),
    }
    if server.security_groups:
        view["security_groups"] = [{"name": name} for name in server.security_groups]
    return view | _fault(call, server) | _newer(call, server)


def _basics(call: Call, server: Server) -> Body:
    return {
        "accessIPv4": "",
        "accessIPv6": "",
        "addresses": _addresses(call, server),
        "created": in_nova(server.created_at),
        "flavor": _flavor(call, server),
        "hostId": "",
        "id": server.id,
        "image": {"id": server.image_id} if server.image_id else "",
        "links": _links(call, server),
        "metadata": server.metadata,
        "name": server.name,
        "status": server.status,
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "updated": in_nova(server.updated_at),
        "OS-DCF:diskConfig": "MANUAL",
        "progress": 0,
        "OS-EXT-AZ:availability_zone": server.zone,
        "config_drive": "True" if server.config_drive else "",
        "key_name": server.key_name,
        "OS-SRV-USG:launched_at": in_nova(server.created_at)[:-1] + ".000000",
        "OS-SRV-USG:terminated_at": None,
    }


def _fault(call: Call, server: Server) -> Body:
    if server.fault is None:
        return {}
    created = in_nova(call.world.now())
    return {"fault": {"code": 500, "created": created, "message": server.fault}}


def _addresses(call: Call, server: Server) -> Body:
    networking, shown = call.world.networking, dict[str, list[Body]]()
    for port in networking.ports_of(server.id) if networking.ports else ():
        network = networking.networks[port.network_id]
        rows = shown.setdefault(network.name, [])
        for kind, ip in (("fixed", port.ip), ("floating", port.floating_ip)):
            if ip is not None:
                rows.append({"version": 4, "addr": ip, "OS-EXT-IPS:type": kind,
                             "OS-EXT-IPS-MAC:mac_addr": port.mac})  # fmt: skip
    return dict(shown)


def _host(server: Server) -> Body:
    return {
        "OS-EXT-SRV-ATTR:user_data": server.user_data,
        "OS-EXT-SRV-ATTR:host": "simulated",
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.id[:8]}",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": "simulated",
    }


def _newer(call: Call, server: Server) -> Body:
    view: Body = {}
    if call.version >= (2, 9):
        view["locked"] = False
    if call.version >= (2, 19):
        view["description"] = server.description
    if call.version >= (2, 26):
        view["tags"] = list(server.tags)
    return view


def _flavor(call: Call, server: Server) -> Body:
    if call.version >= (2, 47):
        return {"vcpus": 1, "ram": 256, "disk": 0, "ephemeral": 0, "swap": 0,
                "original_name": server.flavor, "extra_specs": {}}  # fmt: skip
    href = f"{call.world.url}/compute/flavors/{server.flavor}"
    return {"id": server.flavor, "links": [{"rel": "bookmark", "href": href}]}


def _attached(call: Call, server: Server) -> list[Body]:
    volume_ids = call.world.attached.get(server.id, [])
    if call.version < (2, 3):
        return [{"id": volume_id} for volume_id in volume_ids]
    return [
        {"id": volume_id, "delete_on_termination": volume_id in server.deletes_volumes}
        for volume_id in volume_ids
    ]


def _links(call: Call, server: Server) -> list[dict[str, str]]:
    root = f"{call.world.url}/compute"
    return [
        {"rel": "self", "href": f"{root}/v2.1/servers/{server.id}"},
        {"rel": "bookmark", "href": f"{root}/servers/{server.id}"},
    ]
