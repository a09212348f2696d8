"""What is looked up before a restore: volume quotas, volume types, and servers to attach to."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from staffeln_cli.cloud import decode
from staffeln_cli.cloud.api import Api
from staffeln_cli.cloud.lookups import Quota, RawQuota
from staffeln_cli.cloud.pages import CINDER_VOLUMES, NOVA
from staffeln_cli.cloud.rows import rows_of
from staffeln_cli.model import ProjectId, ServerId


@dataclass(frozen=True, slots=True)
class VolumeType:
    """A volume type."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ServerShape:
    """What another server like this one needs."""

    name: str
    flavor: str
    networks: tuple[str, ...]


class RestoreLookups:
    """Look-ups of what a restore needs to know."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def volume_quotas(self, project_id: ProjectId) -> Mapping[str, Quota]:
        """What a project may have of volumes and gigabytes, in all and of each type."""
        path = f"/os-quota-sets/{project_id}"
        body = self._api.get("block_storage", path, microversion="3.0", usage="True")
        with decode.understood(f"quotas of project {project_id}"):
            raw = msgspec.json.decode(body, type=_Quotas).quota_set
            return {name: one.quota() for name, one in raw.items() if not isinstance(one, str)}

    def volume_types(self) -> list[VolumeType]:
        """All volume types, private ones included."""
        body = self._api.get(
            "block_storage", "/types", microversion=CINDER_VOLUMES, is_public="None"
        )
        rows = rows_of(body, "volume_types", VolumeType, "GET /types")
        return self._api.understood("volume type", rows)

    def is_encrypted(self, type_id: str) -> bool:
        """Whether Cinder encrypts the volumes of a type."""
        path = f"/types/{type_id}/encryption"
        body = self._api.get("block_storage", path, microversion=CINDER_VOLUMES)
        with decode.understood(f"GET {path}"):
            return bool(msgspec.json.decode(body, type=_Encryption).provider)

    def server_shape(self, server_id: ServerId) -> ServerShape | None:
        """The shape of a server; None when Nova says that there is no such server."""
        path = f"/servers/{server_id}"
        body = self._api.find("compute", path, server_id, microversion=NOVA)
        if body is None:
            return None
        with decode.understood(f"server {server_id}"):
            raw = msgspec.json.decode(body, type=_OneServer).server
            decode.check_same(server_id, raw.id)
            return ServerShape(raw.name or "", raw.flavor.id, tuple(raw.addresses))


class _Quotas(msgspec.Struct):
    quota_set: dict[str, RawQuota | str]
    """With the id of the project among them."""


class _Encryption(msgspec.Struct):
    provider: str | None = None


class _RawServer(msgspec.Struct):
    id: str
    flavor: decode.Identified
    addresses: dict[str, msgspec.Raw]
    name: str | None = None


class _OneServer(msgspec.Struct):
    server: _RawServer
