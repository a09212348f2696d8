"""Single things looked up: a volume, a server, quotas, whether the backup service is up."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec

from staffeln_cli.cloud import decode, server_rows
from staffeln_cli.cloud.api import Api, Unexpected
from staffeln_cli.cloud.pages import CINDER_VOLUMES, NOVA
from staffeln_cli.cloud.project_volumes import volumes_of_project
from staffeln_cli.cloud.rows import Rows, rows_of
from staffeln_cli.model import Project, ProjectId, Server, Volume, VolumeId

_Number = Annotated[int, msgspec.Meta(ge=-decode.MOST, le=decode.MOST)]


@dataclass(frozen=True, slots=True)
class BackupService:
    """One cinder-backup, as Cinder sees it."""

    host: str
    zone: str
    is_up: bool
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class Quota:
    """A project's quota of one thing; a negative limit means unlimited."""

    limit: int
    used: int

    @property
    def left(self) -> int | None:
        """What is left of it; None where there is no limit."""
        return None if self.limit < 0 else max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Quotas:
    """A project's quotas of backups; an incremental is charged its volume's full size."""

    backups: Quota
    gigabytes: Quota


@dataclass(frozen=True, slots=True)
class VolumeQuotas:
    """A project's quotas of volumes."""

    volumes: Quota
    gigabytes: Quota


class Lookups:
    """Single look-ups; None for what the service itself says does not exist.

    Any other answer without the thing, a proxy's 404 among them, is CloudUnavailable.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def volume(self, volume_id: str) -> Volume | None:
        """A volume, of whatever project."""
        body = self._api.find(
            "block_storage", f"/volumes/{volume_id}", volume_id, microversion=CINDER_VOLUMES
        )
        with decode.understood(f"volume {volume_id}"):
            if body is None:
                return None
            raw = msgspec.json.decode(body, type=_OneVolume).volume
            decode.check_same(volume_id, raw.id)
            return decode.volume(raw)

    def volumes_of_project(self, project_id: ProjectId) -> set[VolumeId]:
        """The volumes that a project owns, by what a token of its own is shown.

        Raises NoAccess, ProjectUnavailable or CloudUnavailable.
        """
        return volumes_of_project(self._api, project_id)

    def server(self, server_id: str) -> Server | None:
        """A server, of whatever project."""
        body = self._server_body(server_id)
        with decode.understood(f"server {server_id}"):
            raw = msgspec.json.decode(body, type=_OneServer) if body is not None else None
            return server_rows.server(raw.server) if raw else None

    def volumes_of_server(self, server_id: str) -> list[VolumeId]:
        """The volumes that Nova says are attached to this server."""
        body = self._server_body(server_id)
        with decode.understood(f"server {server_id}"):
            return server_rows.volume_ids(body) if body is not None else []

    def quotas(self, project_id: ProjectId) -> Quotas:
        """What a project may use, and uses, for backups."""
        body = self._api.get(
            "block_storage", f"/os-quota-sets/{project_id}", microversion="3.0", usage="True"
        )
        with decode.understood(f"quotas of project {project_id}"):
            raw = msgspec.json.decode(body, type=_BackupQuotas).quota_set
            return Quotas(raw.backups.quota(), raw.backup_gigabytes.quota())

    def volume_quotas(self, project_id: ProjectId) -> VolumeQuotas:
        """What a project may use, and uses, for volumes."""
        body = self._api.get(
            "block_storage", f"/os-quota-sets/{project_id}", microversion="3.0", usage="True"
        )
        with decode.understood(f"quotas of project {project_id}"):
            raw = msgspec.json.decode(body, type=_VolumeQuotas).quota_set
            return VolumeQuotas(raw.volumes.quota(), raw.gigabytes.quota())

    def backup_services(self) -> list[BackupService]:
        """Every cinder-backup that ever reported; one that is not understood is named."""
        return [raw.service() for raw in self._api.understood(_SERVICE, self._services())]

    def all_backup_services(self) -> list[BackupService]:
        """The same; NotUnderstood where one of them is not, because it may be any that matters."""
        return [raw.service() for raw in self._services().all(_SERVICE)]

    def _services(self) -> Rows["_RawService"]:
        return rows_of(self._services_body(), "services", _RawService, "GET /os-services")

    def _services_body(self) -> bytes:
        return self._api.get(
            "block_storage", "/os-services", microversion="3.0", binary="cinder-backup"
        )

    def is_cinder_admin(self) -> bool:
        """Whether Cinder lets this login do what only admins may."""
        try:
            self._services_body()
        except Unexpected as error:
            if error.status == HTTPStatus.FORBIDDEN:
                return False
            raise
        return True

    def project(self, project_id: ProjectId) -> Project | None:
        """A project, as Keystone has it."""
        body = self._api.find("identity", f"/projects/{project_id}", project_id)
        with decode.understood(f"project {project_id}"):
            if body is None:
                return None
            raw = msgspec.json.decode(body, type=_OneProject).project
            decode.check_same(project_id, raw.id)
            return decode.project(raw)

    def my_projects(self) -> set[ProjectId]:
        """The enabled projects in which the login's user has any role."""
        body = self._api.get("identity", "/auth/projects")
        rows = rows_of(body, "projects", decode.Identified, "GET /auth/projects")
        return {ProjectId(row.id) for row in self._api.understood("project", rows)}

    def has_application_credential(self) -> bool:
        """Whether the login is one, so that there are no tokens of other projects."""
        return self._api.has_application_credential

    def _server_body(self, server_id: str) -> bytes | None:
        body = self._api.find("compute", f"/servers/{server_id}", server_id, microversion=NOVA)
        if body is not None:
            with decode.understood(f"server {server_id}"):
                raw = msgspec.json.decode(body, type=_OneServer).server
                decode.check_same(server_id, raw.id)
        return body


_SERVICE = "backup service"


class _RawService(msgspec.Struct):
    host: decode.Id
    zone: str
    state: Literal["up", "down"]
    status: Literal["enabled", "disabled"]

    def service(self) -> BackupService:
        """As the model has it."""
        is_up, is_enabled = self.state == "up", self.status == "enabled"
        return BackupService(self.host, self.zone, is_up, is_enabled)


class RawQuota(msgspec.Struct):
    """A quota of anything, as Cinder and Nova show it."""

    limit: _Number
    in_use: _Number
    reserved: _Number = 0

    def quota(self) -> Quota:
        """As the model has it; ValueError for more than a database can hold."""
        used = self.in_use + self.reserved
        if abs(used) > decode.MOST:
            raise ValueError(f"{used} are too many to be used")
        return Quota(self.limit, used)


class _RawBackupQuotas(msgspec.Struct):
    backups: RawQuota
    backup_gigabytes: RawQuota


class _BackupQuotas(msgspec.Struct):
    quota_set: _RawBackupQuotas


class _RawVolumeQuotas(msgspec.Struct):
    volumes: RawQuota
    gigabytes: RawQuota


class _VolumeQuotas(msgspec.Struct):
    quota_set: _RawVolumeQuotas


class _OneProject(msgspec.Struct):
    project: decode.RawProject


class _OneVolume(msgspec.Struct):
    volume: decode.RawVolume


class _OneServer(msgspec.Struct):
    server: server_rows.RawServer
