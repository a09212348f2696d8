"""Carry on a restore drill from wherever it stands: restore, check, boot, remove, conclude."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from staffeln_cli.errors import CloudUnavailable, Refused, ResultUnknown
from staffeln_cli.model import Drill, DrillState
from staffeln_cli.model.drills import DRILL_UNFINISHED
from staffeln_cli.operations.drill.checking import check
from staffeln_cli.operations.drill.clearing import clear
from staffeln_cli.operations.drill.restoring import begin, follow
from staffeln_cli.operations.drill.watch import Watch, tell_cancelled
from staffeln_cli.runtime import Run

log = logging.getLogger(__name__)
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
_SHARE = 0.05
"""Of the time that a restore has taken so far: how exactly its end is measured."""


def carry_on(run: Run, drill: Drill, until: datetime | None) -> Drill:
    """Do all that can be done for a drill now; until a moment, wait for Cinder and Nova, too.

    The drill must be claimed by this run. It comes back as it is then, perhaps unfinished.
    """
    watch, asked_at = Watch(drill), run.now()
    while watch.drill.state in DRILL_UNFINISHED:
        state, watch.acted = watch.drill.state, False
        _step(run, watch)
        current = run.store.drills.by_id(drill.id)
        if current is None:
            break
        watch.drill = current
        if current.state is not state:
            log.info("drill %s of backup %s: %s -> %s", *_named(current), state, current.state)
        if current.state is not state or watch.acted:
            continue
        waits = until is not None and run.now() < until and not run.runtime.stop.is_requested
        if not waits or not run.store.drills.extend_claim(current, run.claim()):
            break
        run.runtime.stop.sleep(_pause(run.now() - asked_at))
    return watch.drill


def _pause(waited: timedelta) -> float:
    return min(max(waited.total_seconds() * _SHARE, _FIRST_PAUSE), _LONGEST_PAUSE)


def _step(run: Run, watch: Watch) -> None:
    """Move the drill to its next state, if that is possible by now."""
    try:
        _STEPS[watch.drill.state](run, watch)
    except (CloudUnavailable, Refused, ResultUnknown) as error:
        log.warning("drill %s of backup %s: %s", *_named(watch.drill), error)


def _named(drill: Drill) -> tuple[str, str]:
    return drill.id, f"{drill.backup_id} (volume {drill.volume_id}, project {drill.project_id})"


def follow_left(run: Run) -> None:
    """Do what can be done now for drills that no living process follows; wait for nothing."""
    if not run.store.drills.unfinished():
        return
    left = run.store.drills.claim_left(run.claim())
    for _ in run.parallel(lambda drill: _resume(run, drill), left):
        pass
    run.store.drills.release(run.id)


def _resume(run: Run, drill: Drill) -> None:
    """One that had not begun does not begin now: that is for `verify`, which has the bounds."""
    if drill.state is not DrillState.PLANNED:
        carry_on(run, drill, None)
        return
    reason = "the run that planned it ended before it began"
    if run.store.drills.cancelled(drill, run.now(), owner=run.id, reason=reason):
        tell_cancelled(drill, reason)


_STEPS: Mapping[DrillState, Callable[[Run, Watch], None]] = {
    DrillState.PLANNED: begin,
    DrillState.RESTORING: follow,
    DrillState.CHECKING: check,
    DrillState.CLEARING: clear,
}
