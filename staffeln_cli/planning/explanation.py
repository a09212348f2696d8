"""What `staffeln explain` shows about one volume."""

from dataclasses import dataclass
from datetime import datetime

from staffeln_cli.model import BackupId, BackupRecord, Drill, InventoryVolume, ProjectId
from staffeln_cli.model.pauses import Pause
from staffeln_cli.planning.protection.full_or_incremental import NextBackup
from staffeln_cli.planning.recovery import RecoveryTime
from staffeln_cli.planning.retention.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Next:
    """The next backup: when it is due, whether the volume is overdue, which kind, and why."""

    due_at: datetime
    opens_at: datetime | None
    """When the window opens in which it starts; None: it need not wait for one."""
    is_overdue: bool
    backup: NextBackup


@dataclass(frozen=True, slots=True)
class FormerBackups:
    """Backups of the volume in a project that owned it before, and how they are kept."""

    project_id: ProjectId
    project_name: str
    number: int
    retention: str | None
    """None: nobody noted it when the volume left the project, so that all are kept."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known about one volume; verdicts newest first."""

    volume: InventoryVolume
    project_name: str
    from_cloud: bool
    """Whether Cinder was asked; otherwise only backups with a record of ours are known."""
    retention: str
    unfinished: tuple[BackupRecord, ...]
    next: Next | None
    pause: Pause | None
    recovery: RecoveryTime | None
    """What a restore of its newest backup takes; None before the first restore drill."""
    server_recovery: RecoveryTime | None
    """What it takes to restore all volumes of its server, if it has several."""
    proof: Drill | None
    """The newest restore drill of it that says something about its backups."""
    verdicts: tuple[Verdict, ...]
    former: tuple[FormerBackups, ...] = ()
    """Those in the projects of former owners, which the verdicts are not about."""
    unrestorable: frozenset[BackupId] = frozenset()
    """The backups that are broken, or may depend on one that is broken or gone."""
