"""Make what a restoration needs: each part once, whatever happens to this process."""

import logging
from collections.abc import Callable
from typing import NamedTuple

from staffeln_cli.errors import Refused, RestorationFailed, ResultUnknown
from staffeln_cli.model.restorations import Part
from staffeln_cli.runtime import Run

log = logging.getLogger(__name__)
_PAUSE = 5.0


class Made(NamedTuple):
    """What came of a request."""

    id: str
    difference: str | None = None
    """In what it is not like its source."""


def ensured(run: Run, part: Part, find: Callable[[], str | None], make: Callable[[], Made]) -> str:
    """The id of a part: as it is known, or found by its name, or asked for now.

    The intention is written first. RestorationFailed where it is refused, or where nobody knows
    yet what came of the request.
    """
    if part.made_id is not None:
        return part.made_id
    restorations = run.store.restorations
    found = None if part.requested_at is None else _looked_for(run, part, find)
    if found is None:
        restorations.note_requested(part, run.now())
        made = _made(run, part, find, make)
    else:
        made = Made(found)
    restorations.note_made(part, made.id, made.difference)
    log.info("%s %s is %s", part.kind, part.name, made.id)
    return made.id


def _looked_for(run: Run, part: Part, find: Callable[[], str | None]) -> str | None:
    """The part that an earlier request made; None only `cloud.settle_time` after that request."""
    requested_at = part.requested_at or run.now()
    until = requested_at + run.settings.cloud.settle_time
    while (found := find()) is None and run.now() < until:
        run.runtime.progress(f"is there a {part.kind} {part.name}?", 0, None)
        run.runtime.stop.sleep(min(_PAUSE, (until - run.now()).total_seconds()))
        run.runtime.stop.check()
    return found


def _made(run: Run, part: Part, find: Callable[[], str | None], make: Callable[[], Made]) -> Made:
    try:
        return make()
    except Refused as refusal:
        run.store.restorations.renew(part, part.name)  # certainly not made: nothing to look for
        raise RestorationFailed(f"{part.kind} {part.name}: {refusal}") from refusal
    except ResultUnknown as error:
        found = find()
        if found is not None:
            return Made(found)
        advice = "repeat the command: it looks whether that was made after all"
        raise RestorationFailed(f"{part.kind} {part.name}: {error}; {advice}") from error
