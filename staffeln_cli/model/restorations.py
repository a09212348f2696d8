"""Restorations: a server or a volume that is brought back, from the intention to the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, NewType

from staffeln_cli.model.cloud import ProjectId, VolumeId

RestorationId = NewType("RestorationId", str)

RESTORATION_KEY = "staffeln:restoration"
"""Metadata of a server that was brought back: the id of its restoration."""


class RestorationState(StrEnum):
    """The state of a restoration: under way, over, or given up for another one."""

    BEGUN = "begun"
    DONE = "done"
    DROPPED = "dropped"


class PartKind(StrEnum):
    """What is made for a restoration."""

    VOLUME = "volume"
    PORT = "port"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """A server, or a volume that no server uses, that is brought back."""

    id: RestorationId
    kind: PartKind
    """A server or a volume."""
    item_id: str
    """The id of the lost one."""
    item_name: str
    project_id: ProjectId
    at: datetime | None
    """The moment before which the backups had to be; none: the newest."""
    begun_at: datetime
    state: RestorationState = RestorationState.BEGUN
    ended_at: datetime | None = None


class Part(NamedTuple):
    """Something that is made for a restoration: first what is wanted, then its id."""

    restoration_id: RestorationId
    number: int
    """Parts are made in this order."""
    kind: PartKind
    source: str
    """What it stands for: the id of a volume or server, or an address."""
    name: str
    """By which it is found where the reply to the request was lost."""
    request: Mapping[str, Any]
    """What is asked for."""
    requested_at: datetime | None = None
    made_id: str | None = None
    difference: str | None = None
    """In what it is not like its source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewServer:
    """A server to boot, as Nova is asked for it."""

    name: str
    flavor: str
    zone: str | None = None
    """None: where Nova chooses."""
    image_id: str = ""
    description: str = ""
    key_name: str = ""
    config_drive: bool = False
    user_data: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


class NewPort(NamedTuple):
    """A port to make, with the addresses and groups that it is to have."""

    network: str
    """By name."""
    ips: tuple[str, ...]
    mac: str
    security_groups: tuple[str, ...]
    """By name."""


class NewDevice(NamedTuple):
    """A volume to attach to a server that is booted; the first one may be its root disk."""

    volume_id: VolumeId
    is_root: bool
    deleted_with_server: bool
