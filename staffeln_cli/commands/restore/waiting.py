"""Wait for restored volumes, and show how far each has come."""

from collections.abc import Sequence

from staffeln_cli.commands.restore.plan import Requested, failed
from staffeln_cli.model.statuses import VOLUME_BEING_RESTORED, VOLUME_USABLE
from staffeln_cli.runtime import Run

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 15.0


def wait(run: Run, requested: Sequence[Requested]) -> list[Requested]:
    """Look up the new volumes until each is available or has failed; those that can be used."""
    waiting, pause = list(requested), _FIRST_WAIT
    usable: list[Requested] = []
    for restore in requested:
        run.runtime.progress(restore.plan.new.name, 0, None)
    while waiting and not run.runtime.stop.is_requested:
        run.runtime.stop.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_WAIT)
        statuses = run.parallel(lambda restore: _status(run, restore), list(waiting))
        for restore, status in statuses:
            if status in VOLUME_BEING_RESTORED:
                continue
            waiting.remove(restore)
            run.runtime.progress(restore.plan.new.name, 1, 1)
            if _ended_well(run, restore, status):
                usable.append(restore)
    run.counts["restoring"] = len(waiting)
    return usable


def _status(run: Run, restore: Requested) -> str | None:
    volume = run.cloud.lookups.volume(restore.volume_id)
    return volume.status if volume is not None else None


def _ended_well(run: Run, restore: Requested, status: str | None) -> bool:
    if status in VOLUME_USABLE:
        run.count("restored")
        return True
    end = "is gone" if status is None else f"ended in status {status}"
    failed(run, restore.plan.backup, f"the new volume {restore.volume_id} {end}")
    return False
