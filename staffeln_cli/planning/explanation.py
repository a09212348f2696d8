"""All there is to say about one volume, as `staffeln explain` says it."""

from dataclasses import dataclass
from datetime import datetime

from staffeln_cli.model import BackupRecord, InventoryVolume, Kind
from staffeln_cli.planning.retention.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Next:
    """The backup that comes next: when at the earliest, of which kind, and why that kind."""

    due_at: datetime | None
    kind: Kind
    reason: str
    is_overdue: bool


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
