"""Evidence for auditors: what was promised of each volume's protection, and what was achieved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from staffeln_cli.model import Event, InventoryVolume, ProjectId, ProofLevel, VolumeId
from staffeln_cli.model.pauses import Pause
from staffeln_cli.planning.intervals import Achieved
from staffeln_cli.planning.recovery import RecoveryTime, ServerRecovery


@dataclass(frozen=True, slots=True)
class Pin:
    """A backup that is kept until it is released."""

    backup: str
    who: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeAudit:
    """One volume in one project."""

    project_id: ProjectId
    volume_id: VolumeId
    volume_name: str
    server_name: str
    size_gib: int
    protected: bool
    protected_since: datetime | None
    retention: str
    interval: timedelta
    """The interval between two backups that is promised at the end of the period."""
    achieved: Achieved
    available: int
    """Backups that it can be restored from at present."""
    lost: int
    """Backups that somebody else deleted, or that broke, in the period."""
    last_success_at: datetime | None
    proven_at: datetime | None
    proof_level: ProofLevel | None
    proof_failed_at: datetime | None
    recovery: RecoveryTime | None
    """What a restore of its newest backup takes."""
    pins: Sequence[Pin] = ()

    @property
    def is_kept(self) -> bool:
        """Whether the volume was never overdue in the period."""
        return not self.achieved.late


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectAudit:
    """One project: its volumes by server and name, and what people decided about it."""

    project_id: ProjectId
    project_name: str
    volumes: Sequence[VolumeAudit]
    servers: Sequence[ServerRecovery] = ()
    events: Sequence[Event] = ()

    @property
    def kept(self) -> int:
        """Volumes that were never overdue in the period."""
        return sum(one.is_kept for one in self.volumes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """All projects in a period."""

    cloud: str
    since: datetime
    until: datetime
    history: str
    """How long rows of backups stay that are gone: earlier ones may be missing here."""
    terms: Mapping[str, str]
    """What the configuration says at present, by key."""
    every: str
    """The time within which each volume is to be proven."""
    proven_since: datetime
    projects: Sequence[ProjectAudit]
    pauses: Sequence[Pause] = ()
    """For what no backups are planned at present, whenever that began."""
    events: Sequence[Event] = field(default=())
    """What people decided, and what changed, for the whole cloud."""

    @property
    def volumes(self) -> int:
        """How many volumes are in it."""
        return sum(len(one.volumes) for one in self.projects)

    @property
    def kept(self) -> int:
        """Volumes that were never overdue in the period."""
        return sum(one.kept for one in self.projects)

    @property
    def protected(self) -> int:
        """Volumes that are protected at present."""
        return sum(one.protected for project in self.projects for one in project.volumes)

    @property
    def proven(self) -> int:
        """Protected volumes whose newest drill went well, in the time within which it should."""
        return sum(
            one.protected and is_proven(one, self.proven_since)
            for project in self.projects
            for one in project.volumes
        )


def is_proven(volume: VolumeAudit | InventoryVolume, since: datetime) -> bool:
    """Whether a drill of a volume has gone well since a moment, and none has failed after it."""
    return (
        volume.proof_failed_at is None
        and volume.proven_at is not None
        and volume.proven_at >= since
    )
