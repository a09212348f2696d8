"""The whole state of a simulated cloud, and the switches that change its behaviour."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from typing import TypeVar

from staffeln_cli.demo.simcloud.clock import Clock, machine_time
from staffeln_cli.demo.simcloud.rows import (
    ApplicationCredential,
    Backup,
    Flavor,
    Grant,
    Group,
    Network,
    Port,
    Project,
    SecurityGroup,
    Server,
    Token,
    User,
    Volume,
)
from staffeln_cli.demo.simcloud.tables import Table

IMPLIED = {
    "admin": ("admin", "manager", "member", "reader"),
    "manager": ("manager", "member", "reader"),
    "member": ("member", "reader"),
}


@dataclass(frozen=True)
class BackupHost:
    """A host that runs cinder-backup, with a store of its own."""

    name: str = "simulated"
    zone: str = "nova"
    is_enabled: bool = True
    reason: str | None = None
    """Why somebody disabled it."""


@dataclass
class Settings:
    """How the services behave; a reset puts the initial values back."""

    finish_after: timedelta | None = None
    delete_after: timedelta | None = timedelta(0)
    restore_pace: timedelta | None = None
    """How long a restore takes for each GiB of each backup in the chain; none: `finish_after`."""
    backup_service_up: bool = True
    backup_hosts: tuple[BackupHost, ...] = (BackupHost(),)
    supports_force_delete: bool = True
    flip_incrementals: bool = False
    max_limit: int = 1000
    keystone_limit: int | None = None
    keystone_pages: bool = True
    allow_rescope: bool = True
    token_lifetime: timedelta = timedelta(days=1)
    catalogue_type: str = "volumev3"
    catalogue_lacks: frozenset[str] = frozenset()
    endpoint_filter: dict[str, frozenset[str]] = field(default_factory=dict)
    regions: tuple[str, ...] = ("RegionOne",)
    cinder_host: str = "127.0.0.1"
    odd_tokens: dict[str, int] = field(default_factory=dict)
    clock_offsets: dict[str, timedelta] = field(default_factory=dict)
    date_form: str = "GMT"
    latency: float = 0.0
    cinder_narrows: bool = False
    """Cinder's policy takes no role for an admin's, whatever Keystone says."""
    switches_hosts: bool = True
    """Cinder 29 answers `enable` and `disable` of a service without doing so."""
    zones: tuple[str, ...] = ("nova",)
    """Nova's availability zones."""
    boot_fault: str | None = None
    """Why no server boots; none: each is ACTIVE at once."""
    console: str = "simulated login: "
    """What the console of every server shows."""
    volume_types: dict[str, bool] = field(default_factory=lambda: {"lvm": False})
    """The names of the volume types, and whether their volumes are encrypted."""
    lagging_rows: frozenset[str] = frozenset()
    """Rows that an API node behind its database shows neither in listings nor by id."""


@dataclass
class Quota:
    """How much a project may have; -1 is no limit."""

    backups: int = 100
    backup_gigabytes: int = 1000
    volumes: int = 100
    gigabytes: int = 1000


@dataclass
class ComputeQuota:
    """How much of Nova a project may have; -1 is no limit."""

    instances: int = 100
    cores: int = 100
    ram: int = 51200


@dataclass
class Networking:
    """What Neutron knows."""

    networks: dict[str, Network] = field(default_factory=dict)
    ports: dict[str, Port] = field(default_factory=dict)
    security_groups: dict[str, SecurityGroup] = field(default_factory=dict)

    def ports_of(self, server_id: str) -> list[Port]:
        return [port for port in self.ports.values() if port.device_id == server_id]


@dataclass
class Identity:
    """What Keystone knows."""

    projects: dict[str, Project] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    grants: dict[str, list[Grant]] = field(default_factory=dict)
    credentials: dict[str, ApplicationCredential] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)


@dataclass
class Waiting:
    """Work that Cinder has accepted and not finished: what, and since when. Oldest first."""

    creates: dict[str, datetime] = field(default_factory=dict)
    deletes: dict[str, datetime] = field(default_factory=dict)
    restores: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    imports: dict[str, datetime] = field(default_factory=dict)
    created_while_down: set[str] = field(default_factory=set)
    dooms: list[str] = field(default_factory=list)


class World:
    """Everything in the cloud. Whoever reads or changes it holds the lock."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self.clock = clock
        self.lock = RLock()
        self.clear()

    def clear(self) -> None:
        self.settings = Settings()
        self.identity = Identity()
        self.servers: Table[Server] = Table()
        self.volumes: Table[Volume] = Table()
        self.backups: Table[Backup] = Table("volume_id", "parent_id", "name", "status")
        self.attached: dict[str, list[str]] = {}
        self.deleted_servers: dict[str, datetime] = {}
        self.quotas: dict[str, Quota] = {}
        self.compute_quotas: dict[str, ComputeQuota] = {}
        self.flavors = {"tiny": Flavor("tiny", "tiny")}
        self.keys: set[tuple[str, str]] = set()
        """The users and the names of their keys."""
        self.networking = Networking()
        self.usage: dict[str, tuple[int, int]] = {}
        self.waiting = Waiting()
        self._chance = random.Random(0)  # noqa: S311  ids have to be repeatable, not secret

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def now(self) -> datetime:
        """Give the time as the database keeps it: whole seconds."""
        return self.clock.now().replace(microsecond=0)

    def expiry_to_show(self) -> datetime:
        """Say when a new token ends, so that a client on the machine's clock believes it, too."""
        return max(self.clock.now(), machine_time()) + self.settings.token_lifetime

    def quota(self, project_id: str) -> Quota:
        return self.quotas.setdefault(project_id, Quota())

    def compute_quota(self, project_id: str) -> ComputeQuota:
        return self.compute_quotas.setdefault(project_id, ComputeQuota())

    def charge(self, project_id: str, count: int, gib: int) -> None:
        """Charge backups to a project's quota, or release them from it."""
        backups, gigabytes = self.usage.get(project_id, (0, 0))
        self.usage[project_id] = (backups + count, gigabytes + gib)

    def roles(self, user_id: str, project_id: str) -> tuple[str, ...]:
        """Give the names of a user's roles on a project, groups and implied roles included."""
        names: dict[str, None] = {}
        for grant in self.identity.grants.get(project_id, ()):
            if user_id in self.holders(grant):
                names.update(dict.fromkeys(IMPLIED.get(grant.role, (grant.role,))))
        return tuple(names)

    def role_id(self, name: str) -> str:
        if name not in self.identity.roles:
            self.identity.roles[name] = self.new_id().replace("-", "")
        return self.identity.roles[name]

    def holders(self, grant: Grant) -> list[str]:
        if grant.group_id:
            return self.identity.groups[grant.group_id].members
        return [grant.user_id] if grant.user_id else []

    def project(self, name_or_id: str) -> Project:
        found = self.identity.projects.get(name_or_id)
        return found or _named(self.identity.projects.values(), name_or_id)

    def user(self, name_or_id: str) -> User:
        found = self.identity.users.get(name_or_id)
        return found or _named(self.identity.users.values(), name_or_id)

    def group(self, name_or_id: str) -> Group:
        found = self.identity.groups.get(name_or_id)
        return found or _named(self.identity.groups.values(), name_or_id)

    def server(self, name_or_id: str) -> Server:
        return self.servers.get(name_or_id) or _named(self.servers, name_or_id)

    def volume(self, name_or_id: str) -> Volume:
        return self.volumes.get(name_or_id) or _named(self.volumes, name_or_id)


N = TypeVar("N", Project, User, Group, Server, Volume)


def _named(things: Iterable[N], name_or_id: str) -> N:
    found = [thing for thing in things if name_or_id in (thing.id, thing.name)]
    if len(found) != 1:
        raise LookupError(f"{len(found)} things are called {name_or_id!r}")
    return found[0]
