"""What a report contains: the facts of a period, sorted by what they mean to the reader."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from staffeln_cli.model import BackupRecord, DrillId, Kind, VolumeId
from staffeln_cli.planning.recovery import ServerRecovery
from staffeln_cli.reports.quota_forecast import QuotaForecast


class ProtectionState(Enum):
    """Why a protected volume counts as not protected, or as waiting."""

    WAITING = "nothing is wrong yet, its first backup is still to come"
    UNRESTORABLE = "there is nothing to restore it from"
    OVERDUE = "there has been no successful backup for too long"


@dataclass(frozen=True, slots=True)
class Item:
    """One volume in a list, and a remark about it."""

    volume: str
    server: str
    note: str = ""
    at: datetime | None = None
    project: str = ""


@dataclass(frozen=True, slots=True)
class Proofs:
    """The restore drills that a report names."""

    failed: Sequence[Item] = ()
    """Protected volumes whose restore drill failed and that were not proven since."""
    passed: Sequence[Item] = ()
    """Backups proven since the last report."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """Volumes with the same reason."""

    reason: str
    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Unsafe:
    """A protected volume without a recent backup, when it had the last one, and why."""

    volume: str
    server: str
    why: str
    last: datetime | None
    state: ProtectionState


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made."""

    volume: str
    server: str
    backup: str
    kind: Kind
    gib: int
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class MadeOn:
    """The backups made of one server's volumes, when there are too many to name each."""

    server: str
    volumes: int
    full: int
    incremental: int
    gib: int


@dataclass(frozen=True, slots=True)
class Removed:
    """The backups of one volume that retention removed."""

    volume: str
    server: str
    number: int
    gib: int
    first: datetime
    last: datetime
    """Starts of the oldest and of the newest of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What went wrong in a period, and what still is wrong."""

    failures: Sequence[Grouped]
    failed: int
    """Volumes whose last backup failed; those that went well later are not among them."""
    lost: Sequence[Item]
    """Backups that someone else deleted."""
    broken: Sequence[Item] = ()
    """Backups that were available, and cannot be restored any more."""
    stuck: Sequence[Item]
    """Backups that could not be removed so far."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.failures or self.lost or self.broken or self.stuck)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectReport:
    """One project's report."""

    project_id: str
    project_name: str
    since: datetime | None
    until: datetime
    protected: int
    unsafe: Sequence[Unsafe]
    trouble: Trouble
    recovered: Sequence[Item]
    made: Sequence[Made]
    made_on: Sequence[MadeOn]
    skipped: Sequence[Grouped]
    bad_retention: Sequence[Item]
    ended: Sequence[Item] = ()
    """Volumes that lost their protection."""
    ended_volumes: Sequence[VolumeId] = field(default=(), repr=False)
    """Their ids, to be marked as reported."""
    paused: Sequence[Item] = ()
    """Protected volumes for which nothing is planned, and why."""
    seen_again: Sequence[Item] = ()
    """Backups that counted as missing, failed or broken, and are whole after all."""
    shortened: Sequence[Item] = ()
    """Volumes whose shorter retention takes effect soon, and when."""
    gone: Sequence[Item] = ()
    """Volumes that are gone, and when no backup is kept for their sake any more."""
    removed: Sequence[Removed]
    pinned: Sequence[Item]
    records: Sequence[BackupRecord] = field(repr=False)
    """The records in this report, to be marked as reported."""
    quota_forecast: QuotaForecast | None = None
    proofs: Proofs = Proofs()
    recovery: Sequence[ServerRecovery] = ()
    """How long it is expected to take to restore the servers, where that is known."""
    drills: Sequence[DrillId] = field(default=(), repr=False)
    """The drills in this report, to be marked as reported."""

    @property
    def overdue(self) -> int:
        """Volumes whose last successful backup is too long ago."""
        return sum(volume.state is ProtectionState.OVERDUE for volume in self.unsafe)

    @property
    def waiting(self) -> int:
        """Volumes that wait for their first backup."""
        return sum(volume.state is ProtectionState.WAITING for volume in self.unsafe)

    @property
    def unprotected(self) -> int:
        """Volumes that should be protected, and are not."""
        return len(self.unsafe) - self.waiting

    @property
    def is_trouble(self) -> bool:
        """Whether someone should act."""
        news = self.ended or self.shortened or self.proofs.failed
        return bool(self.unprotected or self.trouble or self.bad_retention or news)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectState:
    """The state of one project, in the operator's summary."""

    name: str
    protected: int = 0
    unprotected: int = 0
    waiting: int = 0
    failed: int = 0
    made: int = 0

    @property
    def is_well(self) -> bool:
        """Whether nobody has to look at it."""
        return not (self.unprotected or self.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSummary:
    """The operator's report: all projects."""

    cloud: str
    since: datetime
    until: datetime
    projects: Sequence[ProjectState]
    trouble: Trouble
    bad_retention: Sequence[Item]
    ended: Sequence[Item] = ()
    """Volumes that lost their protection in the period."""
    shortened: Sequence[Item] = ()
    """Volumes whose shorter retention takes effect soon, and when."""
    findings: Sequence[str] = ()
    """What `status` warns of beside: untracked backups, unknown projects, wrong clocks."""
    proofs: Proofs = Proofs()
    foreign: int = 0
    """Backups that bear the mark of another installation: told, and no trouble."""
    unsent: Sequence[tuple[str, str]]
    """Projects whose report could not be sent, and why."""
    runs: Sequence[tuple[str, str, datetime]]
    """Commands whose last run did not go well: how it ended, and when it began."""

    @property
    def is_trouble(self) -> bool:
        """Whether someone should act."""
        unwell = any(not project.is_well for project in self.projects)
        news = self.ended or self.shortened or self.findings or self.proofs.failed
        return bool(
            unwell or self.trouble or self.bad_retention or self.unsent or self.runs or news
        )
