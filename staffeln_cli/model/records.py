"""What Staffeln remembers: its own record of each backup, and the inventory of volumes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, NewType

from staffeln_cli.model.cloud import Backup, BackupId, ProjectId, ServerId, Volume, VolumeId

RecordId = NewType("RecordId", str)


class State(StrEnum):
    """Where a backup record stands; `model.lifecycle.NEXT` has the legal moves."""

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


class SkipCause(StrEnum):
    """Why a volume is not protected; the sentence for people is beside it."""

    UNMARKED = "unmarked"
    """Its server does not ask for backups."""
    DETACHED = "detached"
    """It is attached to no server."""
    REQUEST = "request"
    """The volume's own metadata asks to leave it out."""
    PROJECT_DISABLED = "project_disabled"
    PROJECT_UNKNOWN = "project_unknown"
    """Keystone has no such project, or never listed it."""
    SERVER_UNKNOWN = "server_unknown"
    """Nova does not list its server, and it was not protected before."""
    GONE = "gone"
    """The volume does not exist any more."""


class Protection(NamedTuple):
    """What selection concludes about a volume in one pass of `collect`.

    `retention` is the valid text that applies (None: the default), never an invalid one;
    `bad_retention` shows an invalid one to people. `problem` and `busy` are set for protected
    volumes only.
    """

    protected: bool
    skip_reason: str | None = None
    skip_cause: SkipCause | None = None
    problem: str | None = None
    busy: bool = False
    server_id: ServerId | None = None
    server_name: str = ""
    retention: str | None = None
    bad_retention: str | None = None


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
    """The retention terms of its last pass, as `planning.retention.recorded_terms` writes them."""
    suspected_gone_at: datetime | None = None
    """When Cinder first said that there is no such volume; it is gone at a second time."""
    unrestorable_since: datetime | None = None
    """When the last backup that it could be restored from was found missing."""
    protection_ended_at: datetime | None = None
    """When it ceased to be protected; none while it is, or if it never was."""
    protection_end_cause: SkipCause | None = None

    @classmethod
    def seen(
        cls,
        volume: Volume,
        protection: Protection,
        now: datetime,
        *,
        known: "InventoryVolume | None",
        succeeded_at: datetime | None = None,
    ) -> "InventoryVolume":
        """The row of a volume that a listing has just shown; `known` is the row of the last pass.

        `succeeded_at` is for a volume without a row that has backups, as after an import: the
        start of the newest one. `last_seen_at` of known rows is updated for all at once when the
        listing has ended.
        """
        since = known.protected_since if known is not None else None
        ended_at, end_cause = None, None
        if known is not None and not protection.protected:
            ended_at, end_cause = known.protection_ended_at, known.protection_end_cause
            if known.protected:
                ended_at, end_cause = now, protection.skip_cause
        return cls(
            volume_id=volume.id,
            volume_name=volume.name,
            project_id=volume.project_id,
            server_id=protection.server_id,
            server_name=protection.server_name,
            status=volume.status,
            size_gib=volume.size_gib,
            volume_type=volume.volume_type,
            availability_zone=volume.availability_zone,
            bootable=volume.bootable,
            encrypted=volume.encrypted,
            protected=protection.protected,
            skip_reason=protection.skip_reason,
            retention=protection.retention,
            bad_retention=protection.bad_retention,
            first_seen_at=known.first_seen_at if known is not None else now,
            last_seen_at=known.last_seen_at if known is not None else now,
            protected_since=(since or now) if protection.protected else None,
            last_started_at=known.last_started_at if known is not None else succeeded_at,
            last_success_at=known.last_success_at if known is not None else succeeded_at,
            last_failed_at=known.last_failed_at if known is not None else None,
            failures=known.failures if known is not None else 0,
            retained_as=known.retained_as if known is not None else None,
            unrestorable_since=known.unrestorable_since if known is not None else None,
            protection_ended_at=ended_at,
            protection_end_cause=end_cause,
        )

    @property
    def expected_since(self) -> datetime:
        """Since when the volume should have had a backup, if it never had one."""
        return self.protected_since or self.first_seen_at


class ProjectRecord(NamedTuple):
    """What Staffeln remembers of a project, also after it is gone."""

    project_id: ProjectId
    project_name: str
    domain_id: str
    enabled: bool
    gone_at: datetime | None = None
    reported_at: datetime | None = None


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
    suspected_missing_at: datetime | None = None
    """When Cinder first said that there is no such backup; it is missing at a second time."""
    seen_again_at: datetime | None = None
    """When a backup that counted as missing or failed turned out to be there."""
    reported_at: datetime | None = None
    """When the project's report told of its end."""
    removal_reported_at: datetime | None = None

    @property
    def succeeded(self) -> bool:
        """Whether there was a backup once, whatever became of it."""
        if self.state in (State.DELETING, State.DELETED):
            return self.reason is None
        return self.state in (State.AVAILABLE, State.MISSING)

    @classmethod
    def found(
        cls, backup: Backup, origin: Origin, now: datetime, *, record_id: RecordId
    ) -> "BackupRecord":
        """A record for an available backup that Cinder has and that had no record.

        Its name has Cinder's id in it: a backup's name need not be unique, a record's must be.
        """
        return cls(
            id=record_id,
            name=f"{backup.name}#{backup.id}",
            volume_id=backup.volume_id,
            project_id=backup.project_id,
            kind=Kind.INCREMENTAL if backup.is_incremental else Kind.FULL,
            state=State.AVAILABLE,
            origin=origin,
            planned_at=backup.created_at,
            started_at=backup.created_at,
            finished_at=now,
            backup_id=backup.id,
            size_gib=backup.size_gib,
        )

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
