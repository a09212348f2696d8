"""What the cloud has: projects, servers, volumes and backups, as frozen facts.

Those that come by the hundred thousand are named tuples, which are made and compared in C.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple, NewType
from urllib.parse import urlsplit

ProjectId = NewType("ProjectId", str)


ServerId = NewType("ServerId", str)


VolumeId = NewType("VolumeId", str)


BackupId = NewType("BackupId", str)


_NOTHING: Mapping[str, str] = MappingProxyType({})
_CINDERS_KEYS = frozenset({"attached_mode", "readonly"})
# cinder:cinder/utils.py:add_visible_admin_metadata mixes them into what users have set.


@dataclass(frozen=True, slots=True)
class CloudSeen:
    """Which cloud a login is to: its Keystone, and the Cinder endpoint that is used of it.

    `identity` is the id of that service in Keystone, which an upgrade may replace.
    """

    identity: str
    region: str
    auth_url: str
    name: str
    block_storage_url: str


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row of a listing that is not what the service's API promises: left alone, not absent."""

    kind: str
    id: str
    reason: str
    volume_id: str = ""
    """Of a backup: the volume whose chain it belongs to."""


@dataclass(frozen=True, slots=True)
class Project:
    """A Keystone project."""

    id: ProjectId
    name: str
    domain_id: str = "default"
    enabled: bool = True


class Server(NamedTuple):
    """A Nova server, as far as backups are concerned."""

    id: ServerId
    name: str
    project_id: ProjectId
    metadata: Mapping[str, str] = _NOTHING
    definition: bytes = b""
    """How it was made, as the listing shows it; empty where that may lack something."""


class Volume(NamedTuple):
    """A Cinder volume; `server_ids` are the servers that Cinder says it is attached to."""

    id: VolumeId
    name: str
    project_id: ProjectId
    status: str
    size_gib: int
    server_ids: tuple[ServerId, ...] = ()
    metadata: Mapping[str, str] = _NOTHING
    volume_type: str | None = None
    availability_zone: str | None = None
    bootable: bool = False
    encrypted: bool = False
    migration_status: str | None = None

    @property
    def user_metadata(self) -> Mapping[str, str]:
        """Its metadata without the keys that Cinder itself shows among them."""
        if _CINDERS_KEYS.isdisjoint(self.metadata):
            return self.metadata
        return {key: self.metadata[key] for key in self.metadata if key not in _CINDERS_KEYS}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVolume:
    """A volume to be made of a backup, as Cinder is asked for it."""

    name: str
    size_gib: int
    volume_type: str | None = None
    """None: the type that Cinder's configuration prefers."""
    availability_zone: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class Backup(NamedTuple):
    """A Cinder backup, anybody's; its parent is in no API view, see `planning.chains`."""

    id: BackupId
    name: str
    volume_id: VolumeId
    project_id: ProjectId
    status: str
    size_gib: int
    is_incremental: bool
    created_at: datetime
    data_timestamp: datetime
    updated_at: datetime | None = None
    snapshot_id: str | None = None
    has_dependents: bool = False
    fail_reason: str | None = None
    metadata: Mapping[str, str] = _NOTHING
    location: str = ""
    """Its availability zone, and its container if that is shared; empty while not known."""


def keystone_of(auth_url: str) -> str:
    """A URL of Keystone in one spelling: clouds.yaml may name the version or leave it out."""
    return normalized(auth_url).removesuffix("/v3").rstrip("/")


def normalized(url: str) -> str:
    """A URL so that two spellings of it are equal."""
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}"
