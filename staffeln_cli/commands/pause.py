"""Plan no backups for a while: of a volume, a server, a project, or everything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from staffeln_cli.model.pauses import Pause, PauseScope
from staffeln_cli.operations import lookup
from staffeln_cli.planning.protection.pausing import Pauses
from staffeln_cli.runtime import Runtime, caller


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRequest:
    """What to pause or to resume; things are named by id or name."""

    volumes: Sequence[str] = ()
    servers: Sequence[str] = ()
    projects: Sequence[str] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Resumed:
    """What was resumed, whether it was paused, and the wider pause that still holds."""

    target: str
    changed: bool
    still: Pause | None


def pause(
    runtime: Runtime, request: PauseRequest, reason: str, until: datetime | None
) -> list[Pause]:
    """Pause, and cancel what the schedule has planned; NotFound before anything is done.

    Backups that run go on, and so do ad-hoc backups and retention.
    """
    now, who = runtime.now(), caller()
    wanted = [
        Pause(scope, item_id, name, reason, now, until, who)
        for scope, item_id, name in _items(runtime, request)
    ]
    for one in wanted:
        runtime.store.pauses.save(one)
    new = Pauses(wanted, now)
    covered = [one for one in runtime.store.inventory.all_volumes() if new.of(one) is not None]
    runtime.store.lifecycle.cancel_planned(
        [one.volume_id for one in covered], f"paused: {reason}", now, only_scheduled=True
    )
    return wanted


def resume(runtime: Runtime, request: PauseRequest) -> list[Resumed]:
    """End pauses: what is due is planned by the next `collect`."""
    now, store = runtime.now(), runtime.store
    done: list[Resumed] = []
    for scope, item_id, name in _items(runtime, request):
        held = store.pauses.held(now)
        was_held = any((one.scope, one.item_id) == (scope, item_id) for one in held)
        ended = Pause(scope, item_id, name, None, now, None, caller())
        store.pauses.resume(ended)
        target = ended.target
        done.append(Resumed(target, was_held, _wider(runtime, scope, item_id)))
    return done


def _items(runtime: Runtime, request: PauseRequest) -> list[tuple[PauseScope, str, str]]:
    return [*_named(runtime, request)]


def _named(runtime: Runtime, request: PauseRequest) -> Iterator[tuple[PauseScope, str, str]]:
    for text in request.volumes:
        volume = lookup.volume(runtime, text)
        yield PauseScope.VOLUME, volume.volume_id, volume.volume_name
    for text in request.servers:
        server = lookup.server(runtime, text)
        yield PauseScope.SERVER, server.server_id, server.name
    for text in request.projects:
        project = lookup.project(runtime, text)
        yield PauseScope.PROJECT, project.project_id, project.project_name
    if request.everything:
        yield PauseScope.ALL, "", ""


def _wider(runtime: Runtime, scope: PauseScope, item_id: str) -> Pause | None:
    """The pause that some volume of what was resumed is still under."""
    held = runtime.store.pauses.held(runtime.now())
    if not held:
        return None
    columns = {PauseScope.VOLUME: 0, PauseScope.SERVER: 1, PauseScope.PROJECT: 2}
    for one in runtime.store.inventory.all_volumes():
        ids = one.volume_id, one.server_id, one.project_id
        if scope is not PauseScope.ALL and ids[columns[scope]] != item_id:
            continue
        if one.gone_at is None and (still := held.of(one)) is not None:
            return still
    return None
