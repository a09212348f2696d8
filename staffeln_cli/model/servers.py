"""How a server was made, as Nova shows it: enough to boot another one like it."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from staffeln_cli.model.cloud import ProjectId, ServerId, VolumeId


class Address(NamedTuple):
    """An address of a server in a network, which Nova shows by its name."""

    network: str
    ip: str
    mac: str
    is_fixed: bool = True
    """Of a port; a floating address leads to one and is assigned by people."""


class Attached(NamedTuple):
    """A volume that was attached to a server."""

    volume_id: VolumeId
    deleted_with_server: bool


class ServerDefinition(NamedTuple):
    """How a server was made; what Nova does not show is empty."""

    server_id: ServerId
    name: str
    project_id: ProjectId
    user_id: str
    """Who made it: their keys are known to nobody else."""
    flavor: str
    image_id: str
    """Of a server whose root disk is no volume."""
    description: str
    key_name: str
    config_drive: bool
    zone: str
    user_data: str
    """In base64."""
    metadata: Mapping[str, str]
    tags: tuple[str, ...]
    security_groups: tuple[str, ...]
    """By name."""
    addresses: tuple[Address, ...]
    volumes: tuple[Attached, ...]
    """In the order of the devices."""


class KeptDefinition(NamedTuple):
    """A definition as the database has it: in Nova's words, and when it was seen to be so."""

    server_id: ServerId
    server_name: str
    project_id: ProjectId
    digest: str
    """Of all before it and of the definition: whether a new look shows anything new."""
    definition: str
    noted_at: datetime
