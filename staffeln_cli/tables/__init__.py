"""The schema as SQLAlchemy tables, with the laws that the database itself keeps."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, false, text
from sqlalchemy.orm import Mapped, mapped_column

from staffeln_cli.model import DecidedBy, Kind, Origin, SkipCause, State
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.tables.catalog import DisabledHostRow, ExportRecordRow
from staffeln_cli.tables.columns import Base, UtcDateTime
from staffeln_cli.tables.drills import DrillRow
from staffeln_cli.tables.pauses import PauseRow

__all__ = [
    "SCHEMA_REVISION",
    "BackupRow",
    "Base",
    "CloudRow",
    "DisabledHostRow",
    "DrillRow",
    "ExportRecordRow",
    "FormerOwnerRow",
    "LeadershipRow",
    "LeaseRow",
    "PauseRow",
    "ProjectRow",
    "RunRow",
    "UtcDateTime",
    "VolumeRow",
]

SCHEMA_REVISION = "0009"
"""The Alembic revision this code was written for; a test compares it with `sql/versions`."""


class CloudRow(Base):
    """The cloud that this database belongs to: one row, from the first pass on."""

    __tablename__ = "cloud"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    identity: Mapped[str]
    """The id of its block-storage service in Keystone."""
    region: Mapped[str]
    auth_url: Mapped[str]
    name: Mapped[str]
    block_storage_url: Mapped[str | None]
    """The Cinder endpoint, without the project; none until a pass after the upgrade from 3.0."""
    backups_listed_at: Mapped[datetime | None]
    """When `check` last saw a complete listing of the backups."""
    operator_reported_at: Mapped[datetime | None]
    """When the operator last got the summary of all projects."""
    installation_id: Mapped[str | None]
    """A random id of this installation, which its backups bear; none until the first pass."""
    untracked: Mapped[int] = mapped_column(server_default=text("0"))
    """Backups in that listing that bear our mark and that no live record accounts for."""
    foreign_marked: Mapped[int] = mapped_column(server_default=text("0"))
    """Backups in that listing that bear the mark of another installation."""
    untracked_at: Mapped[datetime | None]
    """When the two were counted."""
    collect_confirmed_at: Mapped[datetime | None]
    """When somebody last ran `collect --confirm`: what was suspected by then may be gone."""
    check_confirmed_at: Mapped[datetime | None]
    """When somebody last ran `check --confirm`."""


class ProjectRow(Base):
    """A project as last seen, and how far its reports have come."""

    __tablename__ = "projects"

    project_id: Mapped[str] = mapped_column(primary_key=True)
    project_name: Mapped[str]
    domain_id: Mapped[str]
    enabled: Mapped[bool]
    gone_at: Mapped[datetime | None]
    suspected_gone_at: Mapped[datetime | None]
    """When Keystone first said that there is no such project; it is gone at a second time."""
    reported_at: Mapped[datetime | None]
    quota_gib: Mapped[int | None]
    """The project's quota of backups when a report last asked for it; negative: unlimited."""
    quota_gib_used: Mapped[int | None]
    quota_backups: Mapped[int | None]
    quota_backups_used: Mapped[int | None]
    quota_seen_at: Mapped[datetime | None]
    quota_full_at: Mapped[datetime | None]
    """When one of the two is full at the rate of that time; none: not within a year."""


class VolumeRow(Base):
    """The inventory: every volume seen, also when it is long gone, and how its backups went."""

    __tablename__ = "volumes"

    volume_id: Mapped[str] = mapped_column(primary_key=True)
    volume_name: Mapped[str]
    project_id: Mapped[str] = mapped_column(index=True)
    server_id: Mapped[str | None] = mapped_column(index=True)
    server_name: Mapped[str]
    status: Mapped[str]
    size_gib: Mapped[int]
    volume_type: Mapped[str | None]
    availability_zone: Mapped[str | None]
    bootable: Mapped[bool]
    encrypted: Mapped[bool]
    protected: Mapped[bool]
    skip_reason: Mapped[str | None]
    skip_cause: Mapped[SkipCause | None]
    retention: Mapped[str | None]
    """The last valid retention that the server's metadata asked for; none: the default."""
    bad_retention: Mapped[str | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    protected_since: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
    suspected_gone_at: Mapped[datetime | None]
    """When Cinder first said that there is no such volume; it is gone at a second time."""
    last_started_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    unrestorable_since: Mapped[datetime | None]
    """When the last backup that the volume could be restored from was found missing."""
    last_failed_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    """Failed backups since the last successful one."""
    usual_full_s: Mapped[int | None]
    """How many seconds a full backup of it usually takes, from planning.estimates."""
    usual_incremental_s: Mapped[int | None]
    retained_as: Mapped[str | None]
    """The retention terms of its last pass, as `planning.retention.recorded_terms` writes them."""
    retention_before: Mapped[str | None]
    """The longer retention that still holds, until `retention.grace` after the shortening."""
    retention_shortened_at: Mapped[datetime | None]
    """When the shorter one was first seen."""
    protection_ended_at: Mapped[datetime | None]
    """When the volume ceased to be protected; none while it is, or if it never was."""
    protection_end_cause: Mapped[SkipCause | None]
    protection_end_reported_at: Mapped[datetime | None]
    """When the project was told of that; a later end is to be reported again."""
    proven_at: Mapped[datetime | None]
    """When the last restore drill ended that went well."""
    proof_failed_at: Mapped[datetime | None]
    """When a restore drill of it failed, if none of a backup as new has gone well since."""
    user_metadata: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What its users have set on the volume, for a restore; none: nothing."""
    protection_decided_by: Mapped[DecidedBy | None]
    """Whose word protects it or leaves it out; none: nobody's."""
    retention_decided_by: Mapped[DecidedBy | None]


class FormerOwnerRow(Base):
    """The retention terms of a volume in a project that it has left: its backups there stay."""

    __tablename__ = "former_owners"

    project_id: Mapped[str] = mapped_column(primary_key=True)
    volume_id: Mapped[str] = mapped_column(primary_key=True)
    retention: Mapped[str | None]
    last_applied_retention: Mapped[str | None]
    left_at: Mapped[datetime]


class BackupRow(Base):
    """One backup, from plan to deletion; moves are compare-and-set, see `model.lifecycle`."""

    __tablename__ = "backups"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    backup_id: Mapped[str | None] = mapped_column(unique=True)
    volume_id: Mapped[str] = mapped_column(index=True)
    volume_name: Mapped[str]
    server_id: Mapped[str | None]
    server_name: Mapped[str]
    project_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[Kind]
    state: Mapped[State] = mapped_column(index=True)
    origin: Mapped[Origin]
    reason: Mapped[str | None]
    attempt: Mapped[int]
    chain_id: Mapped[str | None]
    parent_id: Mapped[str | None]
    """The backup that it depends on, as its export record names it; none: a full, or not known."""
    exported: Mapped[bool] = mapped_column(server_default=false())
    """The catalog has its export record."""
    size_gib: Mapped[int | None]
    planned_at: Mapped[datetime]
    waiting_since: Mapped[datetime | None]
    """Start of the volume's last backup, when planned: the longest without one goes first."""
    not_before: Mapped[datetime | None]
    """A planned backup that met a busy volume is not tried again earlier."""
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    """When the backup became available; kept whatever becomes of it."""
    deleted_at: Mapped[datetime | None]
    suspected_missing_at: Mapped[datetime | None]
    """When Cinder first said that there is no such backup; it is missing at a second time."""
    seen_again_at: Mapped[datetime | None]
    """When a backup that counted as missing or failed turned out to be there."""
    pinned: Mapped[bool] = mapped_column(server_default=false())
    pin_note: Mapped[str | None]
    pinned_by: Mapped[str | None]
    remains: Mapped[bool] = mapped_column(server_default=false())
    """A failed backup that Cinder may still have, and that `check` must remove."""
    delete_reason: Mapped[str | None]
    delete_refusal: Mapped[str | None]
    """Why Cinder refused the last request to delete it."""
    status_reset: Mapped[bool] = mapped_column(server_default=false())
    """Its status in Cinder was reset, without which it could not have been deleted."""
    delete_attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_try_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    reported_at: Mapped[datetime | None]
    removal_reported_at: Mapped[datetime | None]


# PostgreSQL has the same condition, by migration 0001: to name it here as well would load its
# dialect in every command, which takes longer than all tables together.
Index(
    "one_unfinished_backup_per_volume",
    BackupRow.volume_id,
    unique=True,
    sqlite_where=BackupRow.state.in_(sorted(UNFINISHED)),
)
Index(
    "backups_without_export_record",
    BackupRow.planned_at,
    sqlite_where=(BackupRow.state == State.AVAILABLE) & BackupRow.exported.is_(False),
)


class RunRow(Base):
    """One execution of one command."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    command: Mapped[str]
    host: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    api_requests: Mapped[int] = mapped_column(server_default=text("0"))
    counts: Mapped[dict[str, Any]]
    failures: Mapped[list[Any]]


class LeadershipRow(Base):
    """The fencing number of each leader lock, raised at each acquisition."""

    __tablename__ = "leadership"

    name: Mapped[str] = mapped_column(primary_key=True)
    fence: Mapped[int] = mapped_column(BigInteger)
    owner: Mapped[str]
    acquired_at: Mapped[datetime]


class LeaseRow(Base):
    """A lock that a run holds until it releases it, or until the database's clock has passed."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    token: Mapped[str]
    """Known to the holder alone."""
    expires_at: Mapped[datetime]
