"""Requests to Neutron: networks and security groups by name, and ports."""

from dataclasses import dataclass
from typing import Any

import msgspec

from staffeln_cli.cloud import decode
from staffeln_cli.cloud.api import Api
from staffeln_cli.cloud.backup_actions import create_refusal, made_id
from staffeln_cli.cloud.rows import Rows, rows_of
from staffeln_cli.model import ProjectId


@dataclass(frozen=True, slots=True)
class PortToMake:
    """A port as Neutron is asked for it; empty: as Neutron chooses."""

    name: str
    network_id: str
    ips: tuple[str, ...]
    mac: str
    group_ids: tuple[str, ...]


class NetworkActions:
    """What is asked of Neutron, each with a token of the project that the server belongs to."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def networks(self, project_id: ProjectId, name: str) -> list[str]:
        """The ids of the networks of this name that a project may use; its own come alone."""
        rows = self._rows(project_id, "networks", name=name).all(f"network {name}")
        own = [row for row in rows if row.project_id == project_id]
        shared = [row for row in rows if row.shared]
        return [row.id for row in own or shared or rows]

    def security_groups(self, project_id: ProjectId) -> dict[str, str]:
        """The ids of a project's security groups, by name."""
        rows = self._rows(project_id, "security-groups", project_id=project_id)
        groups = self._api.understood("security group", rows)
        return {row.name: row.id for row in groups if row.name is not None}

    def ports_named(self, project_id: ProjectId, name: str) -> list[str]:
        """The ids of a project's ports of this name."""
        rows = self._rows(project_id, "ports", name=name, project_id=project_id)
        return [row.id for row in rows.all(f"port {name}")]

    def free_port(self, project_id: ProjectId, network_id: str, ip: str) -> str | None:
        """A project's port that has this address and no server: it has survived its server."""
        query = {"network_id": network_id, "fixed_ips": f"ip_address={ip}"}
        rows = self._rows(project_id, "ports", project_id=project_id, **query)
        free = [row.id for row in rows.all(f"port with {ip}") if not row.device_id]
        return free[0] if free else None

    def create_port(self, project_id: ProjectId, port: PortToMake) -> str:
        """Ask for a port, once; raises what `ServerActions.boot` raises."""
        body: dict[str, Any] = {"name": port.name, "network_id": port.network_id}
        if port.ips:
            body["fixed_ips"] = [{"ip_address": ip} for ip in port.ips]
        if port.mac:
            body["mac_address"] = port.mac
        if port.group_ids:
            body["security_groups"] = list(port.group_ids)
        auth = self._api.token_of(project_id)
        response = self._api.once("network", "POST", "/ports", json={"port": body}, auth=auth)
        if response.status_code not in (200, 201):
            raise create_refusal(response, "Neutron")
        return made_id(response, "port", port.name)

    def _rows(self, user: ProjectId, what: str, **query: str) -> Rows["_RawRow"]:
        auth = self._api.token_of(user)
        body = self._api.get_with(auth, "network", f"/{what}", **query)
        return rows_of(body, what.replace("-", "_"), _RawRow, f"GET /{what}")


class _RawRow(msgspec.Struct):
    """What is asked about a network, a port or a security group."""

    id: decode.Id
    name: str | None = None
    project_id: str | None = None
    shared: bool = False
    device_id: str | None = None
