"""Backup records: Staffeln's own row for each backup."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, NewType

from staffeln_cli.model.cloud import Backup, BackupId, ProjectId, ServerId, VolumeId
from staffeln_cli.model.naming import called

RecordId = NewType("RecordId", str)


class State(StrEnum):
    """The state of a backup record; `model.lifecycle.NEXT` has the legal moves."""

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


class RecordBrief(NamedTuple):
    """The columns that retention reads of a record whose backup Cinder may have."""

    backup_id: BackupId
    state: State
    started_at: datetime | None = None
    chain_id: BackupId | None = None
    pinned: bool = False
    pin_note: str | None = None
    parent_id: BackupId | None = None
    """The backup that it depends on, as its export record names it."""
    suspected_missing_at: datetime | None = None
    """When Cinder first said that there is no such backup."""
    broken_at: datetime | None = None
    """When Cinder first showed it broken, although it was available; None: it is whole."""


class ScheduledPlan(NamedTuple):
    """The part of a record that the schedule has planned which a later look may change."""

    id: RecordId
    kind: Kind
    chain_id: BackupId | None


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
    succeeded_at: datetime | None = None
    """When the backup became available; kept whatever becomes of it."""
    size_gib: int | None = None
    reason: str | None = None
    pinned: bool = False
    pin_note: str | None = None
    remains: bool = False
    """A failed backup that Cinder still has, and that `check` must remove."""
    delete_attempts: int = 0
    delete_reason: str | None = None
    delete_refusal: str | None = None
    """Why Cinder refused the last request to delete it."""
    status_reset: bool = False
    """Its status in Cinder was reset, without which it could not have been deleted."""
    next_try_at: datetime | None = None
    waiting_since: datetime | None = None
    """Start of the volume's last backup, if any: the volume that waits longest goes first."""
    not_before: datetime | None = None
    pinned_by: str | None = None
    deleted_at: datetime | None = None
    suspected_missing_at: datetime | None = None
    """When Cinder first said that there is no such backup; it is missing at a second time."""
    broken_at: datetime | None = None
    """When Cinder first showed it broken, although it was available; None: it is whole."""
    broken_reported_at: datetime | None = None
    """When the project got a report of that."""
    owner_unproven: bool = False
    """Nobody has confirmed since its start that its project owned the volume.

    Of a failed one: the project did not.
    """
    seen_again_at: datetime | None = None
    """When a backup that counted as missing, failed or broken turned out to be whole."""
    parent_id: BackupId | None = None
    """The backup that it depends on, as its export record names it."""
    exported: bool = False
    """The catalog has its export record."""
    reported_at: datetime | None = None
    """When the project got a report of its end."""
    removal_reported_at: datetime | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the backup was once available."""
        return self.succeeded_at is not None

    @property
    def called(self) -> str:
        """What people call its volume."""
        return called(self.volume_name, self.server_name)

    @property
    def is_broken(self) -> bool:
        """Whether it was available, and cannot be restored any more."""
        return self.state is State.AVAILABLE and self.broken_at is not None

    @classmethod
    def found(
        cls,
        backup: Backup,
        origin: Origin,
        now: datetime,
        *,
        record_id: RecordId,
        chain_id: BackupId | None,
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
            chain_id=chain_id,
            size_gib=backup.size_gib,
        )

    @property
    def brief(self) -> RecordBrief | None:
        """What retention reads of it; None while no id of Cinder's is known."""
        if self.backup_id is None:
            return None
        return RecordBrief(
            self.backup_id,
            self.state,
            self.started_at,
            self.chain_id,
            self.pinned,
            self.pin_note,
            self.parent_id,
            self.suspected_missing_at,
            self.broken_at,
        )
