"""What one process has seen of the drill that it follows, and the verdicts that it gives."""

import logging
from dataclasses import dataclass
from datetime import datetime

from staffeln_cli.model import Drill, DrillState, ProofLevel
from staffeln_cli.runtime import Run

log = logging.getLogger(__name__)
ATTEMPTS = 2
"""So many failures in a row are believed: a restart of cinder-backup, or a slow host, looks like
one."""


@dataclass(slots=True)
class Watch:
    """What one process has seen of the drill that it follows without interruption."""

    drill: Drill
    began_at: datetime | None = None
    """When the restore was first seen to have begun."""
    is_ours: bool = False
    """Whether this process has asked for the restore, so that its times are known."""
    idle_since: datetime | None = None
    """Since when Cinder does not restore the backup, although the scratch volume waits for it."""
    acted: bool = False
    """Whether the last step asked for something, so that a look at once may show its effect."""
    boot_asked_at: datetime | None = None
    """When this process has asked Nova for the scratch server."""
    asked_to_delete_at: datetime | None = None
    server_gone_at: datetime | None = None
    """When Nova was first seen to have no scratch server any more."""


def cancel(run: Run, drill: Drill, reason: str) -> None:
    """Nothing was found out about the backup."""
    run.store.drills.clearing(drill, DrillState.CANCELLED, reason=reason, owner=run.id)


def succeed(
    run: Run,
    drill: Drill,
    level: ProofLevel,
    reason: str | None = None,
    console: str | None = None,
) -> None:
    """The backup is proven to this level; the reason says why to no further one."""
    run.store.drills.clearing(
        drill, DrillState.PASSED, level=level, reason=reason, console=console, owner=run.id
    )


def fail(run: Run, drill: Drill, reason: str) -> None:
    """The backup is not what it should be."""
    run.store.drills.clearing(drill, DrillState.FAILED, reason=reason, owner=run.id)


def suspect(run: Run, drill: Drill, reason: str, doubt: str, console: str | None = None) -> None:
    """It did not go well: failed, if it is so for the second time; else it is tried once more."""
    if drill.attempt >= ATTEMPTS:
        reason = f"{reason}, {drill.attempt} times in a row"
        verdict, suspected = DrillState.FAILED, False
    else:
        reason = f"{reason}; it is tried once more, as {doubt} looks the same"
        verdict, suspected = DrillState.CANCELLED, True
    run.store.drills.clearing(
        drill, verdict, reason=reason, suspected=suspected, console=console, owner=run.id
    )


def tell_cancelled(drill: Drill, reason: str) -> None:
    """Nobody has to act: it is tried again in a later pass."""
    log.warning("the drill of backup %s was cancelled: %s", drill.backup_id, reason)
