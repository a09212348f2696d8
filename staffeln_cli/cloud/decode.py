"""Raw JSON of the services to facts of the model: every odd field is straightened here."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct, field

from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import (
    Backup,
    BackupId,
    Project,
    ProjectId,
    Server,
    ServerId,
    Volume,
    VolumeId,
)
from staffeln_cli.model.text import storable


class RawLink(Struct):
    """A paging link."""

    rel: str = ""
    href: str = ""


class RawAttached(Struct):
    """A volume that Nova says is attached."""

    id: str


class RawServer(Struct):
    """A row of Nova's /servers/detail at 2.3."""

    id: str
    tenant_id: str
    created_at: str = field(name="created")
    name: str | None = None
    metadata: dict[str, str] = {}
    volumes: list[RawAttached] = field(name="os-extended-volumes:volumes_attached", default=[])


class RawAttachment(Struct):
    """An attachment of a volume; without a server it is a host's, cinder-backup's say."""

    server_id: str | None = None


class RawVolume(Struct):
    """A row of Cinder's /volumes/detail at 3.65."""

    id: str
    status: str
    size: int
    created_at: str
    project_id: str = field(name="os-vol-tenant-attr:tenant_id")
    name: str | None = None
    attachments: list[RawAttachment] = []
    metadata: dict[str, str] = {}
    volume_type: str | None = None
    availability_zone: str | None = None
    bootable: str | None = None
    encrypted: bool | None = None
    migration_status: str | None = None


class RawBackup(Struct):
    """A row of Cinder's /backups/detail at 3.64."""

    id: str
    volume_id: str
    status: str
    created_at: str
    project_id: str = field(name="os-backup-project-attr:project_id", default="")
    name: str | None = None
    size: int | None = None
    is_incremental: bool = False
    has_dependent_backups: bool = False
    data_timestamp: str | None = None
    updated_at: str | None = None
    snapshot_id: str | None = None
    fail_reason: str | None = None
    metadata: dict[str, str] | None = None


class ServerPage(Struct):
    """A page of servers."""

    rows: list[RawServer] = field(name="servers")
    links: list[RawLink] = field(name="servers_links", default=[])


class VolumePage(Struct):
    """A page of volumes."""

    rows: list[RawVolume] = field(name="volumes")
    links: list[RawLink] = field(name="volumes_links", default=[])


class BackupPage(Struct):
    """A page of backups."""

    rows: list[RawBackup] = field(name="backups")
    links: list[RawLink] = field(name="backups_links", default=[])


@contextmanager
def understood(what: str) -> Iterator[None]:
    """An answer that is not what the service's API promises, a proxy's page say, in our words."""
    try:
        yield
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise CloudUnavailable(f"{what}: answer not understood: {error}") from error


def next_query(links: list[RawLink]) -> dict[str, str] | None:
    """The parameters of the next page; its host and scheme may be a proxy's mistake."""
    for link in links:
        if link.rel == "next":
            return dict(parse_qsl(urlsplit(link.href).query, keep_blank_values=True))
    return None


def server(raw: RawServer) -> Server:
    """A server as the model has it."""
    name = storable(raw.name or "")
    return Server(ServerId(raw.id), name, ProjectId(raw.tenant_id), raw.metadata)


def volume(raw: RawVolume) -> Volume:
    """A volume as the model has it."""
    return Volume(
        VolumeId(raw.id),
        storable(raw.name or ""),
        ProjectId(raw.project_id),
        raw.status,
        raw.size,
        tuple(ServerId(one.server_id) for one in raw.attachments if one.server_id),
        raw.metadata,
        raw.volume_type,
        raw.availability_zone,
        raw.bootable == "true",  # Cinder says it in words
        bool(raw.encrypted),
        raw.migration_status,
    )


def backup(raw: RawBackup) -> Backup:
    """A backup as the model has it."""
    created_at = moment(raw.created_at)
    return Backup(
        BackupId(raw.id),
        storable(raw.name or ""),
        VolumeId(raw.volume_id),
        ProjectId(raw.project_id),
        raw.status,
        raw.size or 0,
        raw.is_incremental,
        created_at,
        created_at if raw.data_timestamp in (None, raw.created_at) else moment(raw.data_timestamp),
        moment(raw.updated_at) if raw.updated_at else None,
        raw.snapshot_id,
        raw.has_dependent_backups,
        storable(raw.fail_reason or "") or None,
        raw.metadata or {},
    )


def project(raw: dict[str, Any]) -> Project:
    """A project as the model has it."""
    return Project(
        ProjectId(raw["id"]),
        storable(raw.get("name") or ""),
        raw.get("domain_id") or "",
        bool(raw.get("enabled", True)),
    )


def moment(text: str) -> datetime:
    """Cinder means UTC but does not say so."""
    try:
        return datetime.fromisoformat(f"{text}Z")  # a tenth of what replace(tzinfo=UTC) takes
    except ValueError:
        parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


server_pages = msgspec.json.Decoder(ServerPage)
volume_pages = msgspec.json.Decoder(VolumePage)
backup_pages = msgspec.json.Decoder(BackupPage)
