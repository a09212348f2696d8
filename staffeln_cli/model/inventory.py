"""The inventory: what Staffeln remembers of volumes and projects."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from staffeln_cli.model.cloud import ProjectId, ServerId, Volume, VolumeId


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


class DecidedBy(StrEnum):
    """Whose word decides about a volume's protection, or its retention."""

    VOLUME = "volume"
    """The volume's own metadata, which come first."""
    SERVER = "server"
    """The metadata of a server that it is attached to."""
    DEFAULT = "default"
    """The configuration alone."""


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
    protection_decided_by: DecidedBy | None = None
    retention_decided_by: DecidedBy | None = None


_NOT_SEEN: dict[str, Any] = {
    "gone_at": None,
    "suspected_gone_at": None,
    "retention_before": None,
    "retention_shortened_at": None,
}
"""What is not known of a volume, or not true, when a listing shows it."""


class InventoryVolume(NamedTuple):
    """What Staffeln remembers of a volume, also after it is gone, and of its backups."""

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
    """Start of the newest backup that became available and can be restored, or of the last one."""
    last_failed_at: datetime | None = None
    failures: int = 0
    """Failed backups since the last successful one."""
    retained_as: str | None = None
    """The retention terms of its last pass, as `planning.retention.recorded_terms` writes them."""
    suspected_gone_at: datetime | None = None
    """When Cinder first said that there is no such volume; it is gone at a second time."""
    unrestorable_since: datetime | None = None
    """When the last backup that it could be restored from was found missing or broken."""
    protection_ended_at: datetime | None = None
    """When it ceased to be protected; none while it is, or if it never was."""
    protection_end_cause: SkipCause | None = None
    skip_cause: SkipCause | None = None
    proven_at: datetime | None = None
    """When the last restore drill ended that went well."""
    proof_failed_at: datetime | None = None
    """When a restore drill of it failed, if none of a backup as new has gone well since."""
    user_metadata: Mapping[str, str] | None = None
    """What its users have set, for a restore; none: nothing."""
    protection_decided_by: DecidedBy | None = None
    """Whose word protects it or leaves it out; none: nobody's."""
    retention_decided_by: DecidedBy | None = None
    retention_before: str | None = None
    """The retention that was shortened; none: the default. It holds until the grace is over."""
    retention_shortened_at: datetime | None = None
    """When the shorter retention was first seen; none if there is no longer one to hold."""

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

        `succeeded_at`, the start of its newest backup, is for a volume that has backups and no
        row. `last_seen_at` of known rows is updated for all at once when the listing has ended.
        """
        since = known.protected_since if known is not None else None
        protected_since = (since or now) if protection.protected else None
        end = _protection_end(known, protection, now)
        news = _as_listed(volume, protection, protected_since, end)
        if known is not None:
            return known._replace(**news)
        return cls(
            volume_id=volume.id,
            first_seen_at=now,
            last_seen_at=now,
            last_started_at=succeeded_at,
            last_success_at=succeeded_at,
            **news,
        )

    def transferred(self, project_id: ProjectId, retention: str | None) -> "InventoryVolume":
        """The row as a new owner has it: nothing is known of backups in their project.

        `retention` is what applied when that project last owned the volume, if it ever did.
        """
        return self._replace(
            project_id=project_id,
            server_id=None,
            server_name="",
            retention=retention,
            bad_retention=None,
            protected_since=None,
            last_started_at=None,
            last_success_at=None,
            last_failed_at=None,
            failures=0,
            retained_as=None,
            unrestorable_since=None,
            proven_at=None,
            proof_failed_at=None,
            retention_before=None,
            retention_shortened_at=None,
        )

    @property
    def expected_since(self) -> datetime:
        """Since when the volume should have had a backup, if it never had one."""
        return self.protected_since or self.first_seen_at


def _as_listed(
    volume: Volume,
    protection: Protection,
    protected_since: datetime | None,
    end: tuple[datetime | None, SkipCause | None],
) -> dict[str, Any]:
    """The columns that a listing says anew: one literal, since a cloud has very many volumes."""
    return {
        "volume_name": volume.name,
        "project_id": volume.project_id,
        "server_id": protection.server_id,
        "server_name": protection.server_name,
        "status": volume.status,
        "size_gib": volume.size_gib,
        "volume_type": volume.volume_type,
        "availability_zone": volume.availability_zone,
        "bootable": volume.bootable,
        "encrypted": volume.encrypted,
        "protected": protection.protected,
        "skip_reason": protection.skip_reason,
        "skip_cause": protection.skip_cause,
        "retention": protection.retention,
        "bad_retention": protection.bad_retention,
        "protected_since": protected_since,
        "protection_ended_at": end[0],
        "protection_end_cause": end[1],
        "user_metadata": volume.user_metadata or None,
        "protection_decided_by": protection.protection_decided_by,
        "retention_decided_by": protection.retention_decided_by,
        **_NOT_SEEN,
    }


def _protection_end(
    known: InventoryVolume | None, protection: Protection, now: datetime
) -> tuple[datetime | None, SkipCause | None]:
    """When a volume ceased to be protected, and why; `known` is its row of the last pass."""
    if protection.protected or known is None:
        return None, None
    if known.protected:
        return now, protection.skip_cause
    return known.protection_ended_at, known.protection_end_cause


class FormerOwner(NamedTuple):
    """The retention of a volume in a project that it has left: its backups there stay."""

    project_id: ProjectId
    volume_id: VolumeId
    retention: str | None
    last_applied_retention: str | None
    left_at: datetime


class ProjectRecord(NamedTuple):
    """What Staffeln remembers of a project, also after it is gone."""

    project_id: ProjectId
    project_name: str
    domain_id: str
    enabled: bool
    gone_at: datetime | None = None
    reported_at: datetime | None = None
    unsent_named_at: datetime | None = None
    """When a pass last named it because nobody has an address for its report."""


class ProjectQuota(NamedTuple):
    """A project's quota of backups when a report last asked; a negative limit: unlimited."""

    gib: int
    gib_used: int
    backups: int
    backups_used: int
    seen_at: datetime
    full_at: datetime | None
    """When one of the two is full at the rate of that time; None: not within a year."""

    def days_left(self, now: datetime) -> int | None:
        """Whole days until one of the two is full; None: not within a year."""
        return None if self.full_at is None else max(0, (self.full_at - now).days)
