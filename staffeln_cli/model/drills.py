"""Restore drills: one row for each attempt to prove a backup by restoring it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, NewType

from staffeln_cli.model.cloud import BackupId, ProjectId, ServerId, VolumeId

DrillId = NewType("DrillId", str)

DRILL_KEY = "staffeln:drill"
"""Metadata of a scratch volume or server: the id of its drill."""
SCRATCH = "staffeln-drill-"
"""With what the names of scratch volumes and servers begin."""


class DrillState(StrEnum):
    """The state of a drill; `NEXT_DRILL_STATES` has the legal moves."""

    PLANNED = "planned"
    RESTORING = "restoring"
    CHECKING = "checking"
    CLEARING = "clearing"
    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ProofLevel(StrEnum):
    """What a drill has shown of a backup."""

    RESTORED = "restored"
    BOOTED = "booted"


NEXT_DRILL_STATES: dict[DrillState, frozenset[DrillState]] = {
    DrillState.PLANNED: frozenset({DrillState.RESTORING, DrillState.CANCELLED}),
    DrillState.RESTORING: frozenset({DrillState.CHECKING, DrillState.CLEARING}),
    DrillState.CHECKING: frozenset({DrillState.CLEARING}),
    DrillState.CLEARING: frozenset({DrillState.PASSED, DrillState.FAILED, DrillState.CANCELLED}),
    DrillState.PASSED: frozenset(),
    DrillState.FAILED: frozenset(),
    DrillState.CANCELLED: frozenset(),
}
"""From each state, the states that may follow; `store.drills` has a method for each move."""

DRILL_UNFINISHED = frozenset(state for state, later in NEXT_DRILL_STATES.items() if later)
"""At most one drill of a volume is in these; a unique partial index says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One restore drill, from the plan to the end."""

    id: DrillId
    backup_id: BackupId
    backup_name: str
    backup_at: datetime
    """The moment whose data the backup holds."""
    volume_id: VolumeId
    volume_name: str
    server_name: str
    project_id: ProjectId
    """The owner of the backup; the scratch volume is in Staffeln's own project."""
    chain_length: int
    """The backups that the restore reads: the full and the incrementals up to this one."""
    chain_at: datetime
    """The moment whose data the full backup of the chain holds."""
    size_gib: int
    volume_type: str | None
    availability_zone: str | None
    bootable: bool
    encrypted: bool
    planned_at: datetime
    state: DrillState = DrillState.PLANNED
    attempt: int = 1
    """2 repeats a drill whose restore failed once, because a restart of cinder-backup looks so."""
    scratch_volume_id: VolumeId | None = None
    scratch_server_id: ServerId | None = None
    started_at: datetime | None = None
    """When the restore was asked for."""
    waiting_seconds: float | None = None
    """From the request to the beginning of the restore."""
    restoring_seconds: float | None = None
    """None where nobody watched when the restore ended."""
    total_seconds: float | None = None
    """From the request until the scratch volume was gone."""
    level: ProofLevel | None = None
    verdict: DrillState | None = None
    """How the drill ends when its remains are removed: passed, failed or cancelled."""
    suspected: bool = False
    """The restore failed for the first time: the drill is cancelled, and repeated."""
    reason: str | None = None
    console: str | None = None
    """The last lines of the console of the booted server."""
    ended_at: datetime | None = None
    reported_at: datetime | None = None
    """When the project got a report of its end."""

    @property
    def scratch_name(self) -> str:
        """The name of the scratch volume and the scratch server."""
        return f"{SCRATCH}{self.id}"


class ScratchServer(NamedTuple):
    """A server that boots a scratch volume."""

    id: ServerId
    name: str
    status: str
    created_at: datetime
    fault: str | None = None
    """Why Nova could not run it."""


def drill_of(scratch_name: str) -> DrillId | None:
    """The drill that a scratch volume or server belongs to, by its name; None of other things."""
    if not scratch_name.startswith(SCRATCH):
        return None
    return DrillId(scratch_name.removeprefix(SCRATCH))
