"""The vocabulary: what Staffeln knows of a cloud and of its own backups."""

from staffeln_cli.model.catalog import ExportCandidate, ExportRecord
from staffeln_cli.model.cloud import (
    Backup,
    BackupId,
    CloudSeen,
    NewVolume,
    Project,
    ProjectId,
    Server,
    ServerId,
    UnreadableRow,
    Volume,
    VolumeId,
)
from staffeln_cli.model.drills import Drill, DrillId, DrillState, ProofLevel
from staffeln_cli.model.events import Event, EventKind
from staffeln_cli.model.inventory import (
    DecidedBy,
    FormerOwner,
    InventoryVolume,
    ProjectQuota,
    ProjectRecord,
    Protection,
    SkipCause,
)
from staffeln_cli.model.outcome import Decision, Failure, Outcome, RunId
from staffeln_cli.model.records import (
    BackupRecord,
    Kind,
    Origin,
    RecordBrief,
    RecordId,
    ScheduledPlan,
    State,
)

__all__ = [
    "Backup",
    "BackupId",
    "BackupRecord",
    "CloudSeen",
    "DecidedBy",
    "Decision",
    "Drill",
    "DrillId",
    "DrillState",
    "Event",
    "EventKind",
    "ExportCandidate",
    "ExportRecord",
    "Failure",
    "FormerOwner",
    "InventoryVolume",
    "Kind",
    "NewVolume",
    "Origin",
    "Outcome",
    "Project",
    "ProjectId",
    "ProjectQuota",
    "ProjectRecord",
    "ProofLevel",
    "Protection",
    "RecordBrief",
    "RecordId",
    "RunId",
    "ScheduledPlan",
    "Server",
    "ServerId",
    "SkipCause",
    "State",
    "UnreadableRow",
    "Volume",
    "VolumeId",
]
