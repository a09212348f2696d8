"""What the simulated cloud knows: one small record per thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Project:
    """A project of the one domain."""

    id: str
    name: str
    domain_id: str = "default"
    enabled: bool = True


@dataclass(slots=True)
class User:
    """A user, with the password in the clear: this cloud keeps no secrets."""

    id: str
    name: str
    password: str
    email: str | None = None
    enabled: bool = True


@dataclass(slots=True)
class Group:
    """A group of users."""

    id: str
    name: str
    members: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role of a user or a group on a project."""

    role: str
    project_id: str
    user_id: str | None = None
    group_id: str | None = None


@dataclass(frozen=True, slots=True)
class ApplicationCredential:
    """A secret that stands for one user in one project, and for nothing else."""

    id: str
    secret: str
    user_id: str
    project_id: str


@dataclass(slots=True)
class Token:
    """What a token allows, and until when."""

    id: str
    user_id: str
    project_id: str | None
    methods: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime
    shown_expiry: datetime
    audit_ids: tuple[str, ...]


@dataclass(slots=True)
class Server:
    """A server of Nova."""

    id: str
    name: str
    project_id: str
    user_id: str
    created_at: datetime
    updated_at: datetime
    status: str = "ACTIVE"
    metadata: dict[str, str] = field(default_factory=dict)
    hidden: bool = False
    task_state: str | None = None
    flavor: str = "tiny"
    image_id: str | None = None
    description: str | None = None
    key_name: str | None = None
    config_drive: bool = False
    user_data: str | None = None
    zone: str = "nova"
    tags: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    """By name, as Nova shows those of its ports."""
    deletes_volumes: frozenset[str] = frozenset()
    """The volumes that are deleted with it."""
    fault: str | None = None
    """Why it is in ERROR."""
    rendered: tuple[object, bytes] | None = None


@dataclass(slots=True)
class Network:
    """A network of Neutron; addresses are given out from its number."""

    id: str
    name: str
    project_id: str
    number: int
    shared: bool = False


@dataclass(slots=True)
class SecurityGroup:
    """A security group of Neutron."""

    id: str
    name: str
    project_id: str


@dataclass(slots=True)
class Port:
    """A port of Neutron, and the server that it belongs to."""

    id: str
    name: str
    network_id: str
    project_id: str
    ip: str
    mac: str
    device_id: str = ""
    security_groups: tuple[str, ...] = ()
    """By id."""
    floating_ip: str | None = None


@dataclass(frozen=True, slots=True)
class Flavor:
    """A flavor of Nova."""

    id: str
    name: str
    vcpus: int = 1
    ram: int = 256


@dataclass(frozen=True, slots=True)
class Attachment:
    """That a volume is attached; without a server it is the host's own."""

    id: str
    server_id: str | None
    device: str
    attached_at: datetime


@dataclass(slots=True)
class Volume:
    """A volume of Cinder."""

    id: str
    name: str | None
    project_id: str
    user_id: str
    created_at: datetime
    updated_at: datetime | None
    size: int = 1
    status: str = "available"
    previous_status: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    volume_type: str = "lvm"
    availability_zone: str = "nova"
    bootable: bool = False
    encrypted: bool = False
    multiattach: bool = False
    migration_status: str | None = None
    consumes_quota: bool = True
    snapshot_id: str | None = None
    source_volid: str | None = None
    host: str = "simulated@lvm#lvm"
    rendered: tuple[object, bytes] | None = None


@dataclass(slots=True)
class Backup:
    """A backup of Cinder. Its parent is in no view, as in the real one."""

    id: str
    name: str | None
    volume_id: str
    project_id: str
    user_id: str
    created_at: datetime
    updated_at: datetime | None
    size: int
    status: str = "creating"
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    parent_id: str | None = None
    snapshot_id: str | None = None
    data_timestamp: datetime | None = None
    fail_reason: str | None = None
    container: str | None = None
    availability_zone: str | None = None
    object_count: int = 0
    num_dependent_backups: int = 0
    host: str | None = "simulated"
    encryption_key_id: str | None = None
    doomed: str | None = None
    spoiled: bool = False
    """Its data in the store is damaged: nothing can be restored from it."""
    stuck: bool = False
    rendered: tuple[object, bytes] | None = None
