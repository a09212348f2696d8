"""The vocabulary: what Staffeln knows of a cloud and of its own backups, as frozen facts.

Those that come by the hundred thousand are named tuples, which are made and compared in C.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, NewType

ProjectId = NewType("ProjectId", str)
ServerId = NewType("ServerId", str)
VolumeId = NewType("VolumeId", str)
BackupId = NewType("BackupId", str)
RecordId = NewType("RecordId", str)
RunId = NewType("RunId", str)

_NOTHING: Mapping[str, str] = MappingProxyType({})


class State(StrEnum):
    """Where a backup record stands; `planning.lifecycle.NEXT` has the legal moves."""

    PLANNED = "planned"
    STARTING = "starting"
    CREATING = "creating"
    AVAILABLE = "available"
    DELETING = "deleting"
    DELETED = "deleted"
    MISSING = "missing"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Kind(StrEnum):
    """What a backup holds: everything, or what changed since the one before it."""

    FULL = "full"
    INCREMENTAL = "incremental"


class Origin(StrEnum):
    """How a backup record came to be."""

    SCHEDULED = "scheduled"
    ADHOC = "adhoc"
    ADOPTED = "adopted"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class CloudSeen:
    """Which cloud a login is to: `identity` is the id of its block-storage service in Keystone."""

    identity: str
    region: str
    auth_url: str
    name: str


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


class InventoryVolume(NamedTuple):
    """What Staffeln remembers of a volume, also when it is long gone, and how its backups went."""

    volume_id: VolumeId
    volume_name: str
    project_id: ProjectId
    server_id: ServerId | None
    server_name: str
    status: str
    size_gib: int
    volume_type: str | None
    availability_zone: str | None
    bootable: bool
    encrypted: bool
    protected: bool
    skip_reason: str | None
    retention: str | None
    """The last valid retention that the server's metadata asked for; none: the default."""
    bad_retention: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    protected_since: datetime | None = None
    gone_at: datetime | None = None
    last_started_at: datetime | None = None
    last_success_at: datetime | None = None
    """Start of the newest backup that became available and is still there, or of the last one."""
    last_failed_at: datetime | None = None
    failures: int = 0
    """Failed backups since the last successful one."""
    retained_as: str | None = None
    """What retention promised when its last pass judged, see `planning.promises`."""


class RecordBrief(NamedTuple):
    """Of a record of a backup that Cinder may have, what retention judges by."""

    backup_id: BackupId
    state: State
    started_at: datetime | None = None
    chain_id: BackupId | None = None
    pinned: bool = False
    pin_note: str | None = None


@dataclass(frozen=True, slots=True)
class BackupRecord:
    """Staffeln's own row for one backup, from the plan to the deletion."""

    id: RecordId
    name: str
    volume_id: VolumeId
    project_id: ProjectId
    kind: Kind
    state: State
    origin: Origin
    planned_at: datetime
    backup_id: BackupId | None = None
    volume_name: str = ""
    server_id: ServerId | None = None
    server_name: str = ""
    chain_id: BackupId | None = None
    attempt: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None
    size_gib: int | None = None
    reason: str | None = None
    pinned: bool = False
    pin_note: str | None = None
    remains: bool = False
    """A failed backup that Cinder still has, and that `check` must remove."""
    delete_attempts: int = 0
    delete_reason: str | None = None
    next_try_at: datetime | None = None
    waiting_since: datetime | None = None
    """Start of the volume's last backup, when planned: the longest without one goes first."""
    not_before: datetime | None = None
    pinned_by: str | None = None
    deleted_at: datetime | None = None

    @property
    def brief(self) -> RecordBrief | None:
        """What retention judges by; None where Cinder was never heard of having the backup."""
        if self.backup_id is None:
            return None
        return RecordBrief(
            self.backup_id,
            self.state,
            self.started_at,
            self.chain_id,
            self.pinned,
            self.pin_note,
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """One item that failed in a run, named."""

    kind: str
    id: str
    reason: str
    name: str = ""
    """What people call it, where that is known."""


@dataclass(slots=True)
class Decision:
    """One line of a plan: what happens (or would happen) to which thing, and why.

    Not frozen, because a plan has a million of them, and to freeze one takes three times as long.
    """

    action: str
    kind: str
    id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of one command did."""

    command: str
    run_id: RunId
    outcome: str
    started_at: datetime
    duration_s: float
    api_requests: int
    dry_run: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    decisions: Collection[Decision] = ()
    note: str | None = None
    """What ended the run early, or why it was skipped: a sentence for the operator."""
    tells: bool = False
    """Whether its decisions are an answer that somebody waits for, as those of a dry run are."""
    exit_code: int = 0
