"""Requests to Nova about single servers: what one needs, booted, looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from staffeln_cli.cloud import decode
from staffeln_cli.cloud.api import Api
from staffeln_cli.cloud.backup_actions import create_refusal, made_id
from staffeln_cli.cloud.lookups import Quota, RawQuota
from staffeln_cli.cloud.pages import NOVA
from staffeln_cli.cloud.rows import rows_of
from staffeln_cli.model import ProjectId, ServerId
from staffeln_cli.model.restorations import NewDevice, NewServer
from staffeln_cli.model.text import one_line

_BOOT = "2.52"
"""The first that takes tags with the request; from 2.37 on it may say that there is no network."""
_QUOTAS = ("instances", "cores", "ram")


@dataclass(frozen=True, slots=True)
class Flavor:
    """What a flavor takes of a project's quota."""

    id: str
    cores: int
    ram: int


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The status of a server, and why it is in ERROR."""

    status: str
    fault: str = ""


class ServerActions:
    """What is asked of Nova to boot a server like another one."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def boot(
        self,
        project_id: ProjectId,
        server: NewServer,
        devices: Sequence[NewDevice],
        port_ids: Sequence[str],
    ) -> ServerId:
        """Ask for a server, once, with a token of the project that it is to belong to.

        Raises what `ask_for_server` raises, and ProjectUnavailable where no token can be had.
        """
        auth = self._api.token_of(project_id)
        body = _body(server, devices, port_ids)
        return ask_for_server(self._api, body, microversion=_BOOT, auth=auth)

    def status(self, server_id: str) -> ServerStatus | None:
        """The status of a server; None when Nova says that there is no such server."""
        path = f"/servers/{server_id}"
        body = self._api.find("compute", path, server_id, microversion=NOVA)
        if body is None:
            return None
        with decode.understood(f"server {server_id}"):
            raw = msgspec.json.decode(body, type=_OneServer).server
            decode.check_same(server_id, raw.id)
            fault = (raw.fault.message if raw.fault else None) or ""
            return ServerStatus(raw.status, one_line(fault))

    def flavor(self, flavor_id: str) -> Flavor | None:
        """A flavor; None when Nova says that there is no such flavor."""
        path = f"/flavors/{quote(flavor_id)}"
        body = self._api.find("compute", path, flavor_id, microversion=NOVA)
        if body is None:
            return None
        with decode.understood(f"flavor {flavor_id}"):
            raw = msgspec.json.decode(body, type=_OneFlavor).flavor
            decode.check_same(flavor_id, raw.id)
            return Flavor(raw.id, raw.vcpus, raw.ram)

    def zones(self) -> frozenset[str]:
        """The availability zones in which servers can be."""
        body = self._api.get("compute", "/os-availability-zone", microversion=NOVA)
        rows = rows_of(body, "availabilityZoneInfo", _RawZone, "GET /os-availability-zone")
        zones = self._api.understood("availability zone", rows)
        return frozenset(zone.name for zone in zones if zone.state.available)

    def own_keys(self) -> frozenset[str]:
        """The names of the login's own keys; nobody else's can be used."""
        body = self._api.get("compute", "/os-keypairs", microversion=NOVA)
        rows = rows_of(body, "keypairs", _RawKeypair, "GET /os-keypairs")
        keys = self._api.understood("key", rows)
        return frozenset(row.keypair.name for row in keys)

    def quotas(self, project_id: ProjectId) -> Mapping[str, Quota]:
        """What a project may have of instances, cores and RAM, and has."""
        path = f"/os-quota-sets/{project_id}/detail"
        body = self._api.get("compute", path, microversion=NOVA)
        with decode.understood(f"quotas of project {project_id}"):
            raw = msgspec.json.decode(body, type=_Quotas).quota_set
            return {name: getattr(raw, name).quota() for name in _QUOTAS}


def ask_for_server(api: Api, server: Mapping[str, Any], **options: Any) -> ServerId:
    """Send one POST /servers, and return the id of the new server.

    Raises NoAccess, QuotaExceeded, Throttled or Refused when Nova has certainly not acted;
    ResultUnknown when it may have; CloudUnavailable without a token.
    """
    response = api.once("compute", "POST", "/servers", json={"server": server}, **options)
    if response.status_code not in (200, 202):
        raise create_refusal(response, "Nova")
    return ServerId(made_id(response, "server", server["name"]))


class RawFault(msgspec.Struct):
    """Why a server is in ERROR."""

    message: str | None = None


class _RawServer(msgspec.Struct):
    id: decode.Id
    status: str
    fault: RawFault | None = None


class _OneServer(msgspec.Struct):
    server: _RawServer


class _RawFlavor(msgspec.Struct):
    id: decode.Id
    vcpus: int
    ram: int


class _OneFlavor(msgspec.Struct):
    flavor: _RawFlavor


class _ZoneState(msgspec.Struct):
    available: bool


class _RawZone(msgspec.Struct):
    name: str = msgspec.field(name="zoneName")
    state: _ZoneState = msgspec.field(name="zoneState")


class _Key(msgspec.Struct):
    name: str


class _RawKeypair(msgspec.Struct):
    keypair: _Key


class _RawQuotas(msgspec.Struct):
    instances: RawQuota
    cores: RawQuota
    ram: RawQuota


class _Quotas(msgspec.Struct):
    quota_set: _RawQuotas


def _body(
    server: NewServer, devices: Sequence[NewDevice], port_ids: Sequence[str]
) -> dict[str, Any]:
    """What is empty is left out: Nova refuses some options without a value."""
    options = {
        "availability_zone": server.zone,
        "description": server.description,
        "key_name": server.key_name,
        "user_data": server.user_data,
        "imageRef": server.image_id,
        "tags": list(server.tags),
        "config_drive": server.config_drive,
    }
    return {
        "name": server.name,
        "flavorRef": server.flavor,
        "metadata": dict(server.metadata),
        "networks": [{"port": port_id} for port_id in port_ids] or "none",
        "block_device_mapping_v2": [*_image(server), *map(_device, devices)],
    } | {name: value for name, value in options.items() if value}


def _image(server: NewServer) -> list[dict[str, Any]]:
    if not server.image_id:
        return []
    return [
        {
            "uuid": server.image_id,
            "source_type": "image",
            "destination_type": "local",
            "boot_index": 0,
            "delete_on_termination": True,
        }
    ]


def _device(device: NewDevice) -> dict[str, Any]:
    return {
        "uuid": device.volume_id,
        "source_type": "volume",
        "destination_type": "volume",
        "boot_index": 0 if device.is_root else -1,
        "delete_on_termination": device.deleted_with_server,
    }
