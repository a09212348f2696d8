"""All there is to say about one volume, as `staffeln explain` says it."""

from dataclasses import dataclass
from datetime import datetime

from staffeln_cli.model import BackupRecord, InventoryVolume
from staffeln_cli.planning.protection.next_backup import NextBackup
from staffeln_cli.planning.retention.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Next:
    """The next backup: when it is due, whether the volume is overdue, which kind, and why."""

    due_at: datetime
    is_overdue: bool
    backup: NextBackup


@dataclass(frozen=True, slots=True)
class Explanation:
    """All there is to say about one volume; verdicts newest first."""

    volume: InventoryVolume
    project_name: str
    from_cloud: bool
    """Whether Cinder was asked; else other people's backups are not seen."""
    retention: str
    unfinished: tuple[BackupRecord, ...]
    next: Next | None
    verdicts: tuple[Verdict, ...]
