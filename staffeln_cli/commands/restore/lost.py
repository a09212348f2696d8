"""What of a project, or which named servers, are to be brought back, and what is back already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from staffeln_cli.cloud import definition_of
from staffeln_cli.commands.restore.plan import RestoreRequest
from staffeln_cli.errors import NotFound
from staffeln_cli.model import Decision, InventoryVolume, ProjectId
from staffeln_cli.model.restorations import (
    PartKind,
    Restoration,
    RestorationState,
)
from staffeln_cli.model.servers import KeptDefinition, ServerDefinition
from staffeln_cli.operations import lookup
from staffeln_cli.operations.restoration import restored_id
from staffeln_cli.planning.recreating import lost_since
from staffeln_cli.planning.retention.keep_rules import stamp
from staffeln_cli.runtime import Run

RECENT = timedelta(days=7)
"""What a project has lacked for longer was not lost by the present disaster."""


@dataclass(slots=True)
class Lost:
    """What is to be brought back."""

    servers: list[ServerDefinition] = field(default_factory=list)
    volumes: list[InventoryVolume] = field(default_factory=list)
    begun: list[Restoration] = field(default_factory=list)
    """Which an earlier run has begun and not ended."""
    looked_at: set[str] = field(default_factory=set)


def lost(run: Run, request: RestoreRequest) -> Lost:
    """Look up what is named; NotFound for what is not known, before anything is done."""
    found = Lost()
    definitions = [_named(run, wanted) for wanted in request.servers]
    for kept in definitions:
        _sort_in(run, request, found, _Item.of(kept))
    for wanted in request.projects:
        project_id = lookup.project(run.runtime, wanted).project_id
        _of_project(run, request, found, project_id)
    return found


@dataclass(frozen=True, slots=True)
class _Item:
    """A server or volume that may have been brought back already."""

    kind: PartKind
    id: str
    name: str
    server: ServerDefinition | None = None
    volume: InventoryVolume | None = None

    @classmethod
    def of(cls, kept: KeptDefinition) -> "_Item":
        definition = definition_of(
            kept.server_id, kept.server_name, kept.project_id, kept.definition
        )
        return cls(PartKind.SERVER, kept.server_id, kept.server_name, server=definition)


def _named(run: Run, wanted: str) -> KeptDefinition:
    """The definition of the one server of this id or name; of several, of the one that is gone."""
    found: Sequence[KeptDefinition] = run.store.servers.called(wanted)
    if len(found) > 1:
        gone = [one for one in found if run.cloud.servers.status(one.server_id) is None]
        found = gone or found
    if not found:
        known = lookup.server(run.runtime, wanted, also_gone=True)  # or NotFound
        raise NotFound(
            f"how server {known.server_id} was made is not known: collect keeps that of protected"
            " servers while they exist; restore its volumes, and boot it by hand:"
            f" staffeln restore --server {known.server_id}"
        )
    if len(found) > 1:
        described = (f"{one.server_id} (project {one.project_id})" for one in found)
        raise lookup.ambiguous("servers", wanted, described)
    return found[0]


def _of_project(run: Run, request: RestoreRequest, found: Lost, project_id: ProjectId) -> None:
    """Its servers that Nova does not have, and its volumes that no such server had."""
    there = {server.id for server in run.cloud.listings.servers_of(project_id)}
    volumes = {one.volume_id: one for one in run.store.inventory.volumes_of_project(project_id)}
    with_servers: set[str] = set()
    for kept in run.store.servers.of_project(project_id):
        item = _Item.of(kept)
        if item.server is None or kept.server_id in there:
            continue
        attached = [one.volume_id for one in item.server.volumes]
        with_servers.update(attached)
        rows = [volumes[one] for one in attached if one in volumes]
        if _is_wanted(run, request, item, rows):
            _sort_in(run, request, found, item)
    for volume in volumes.values():
        if volume.volume_id in with_servers or volume.last_success_at is None:
            continue
        if volume.gone_at is None and run.cloud.lookups.volume(volume.volume_id) is not None:
            continue
        item = _Item(PartKind.VOLUME, volume.volume_id, volume.volume_name, volume=volume)
        if _is_wanted(run, request, item, [volume]):
            _sort_in(run, request, found, item)


def _is_wanted(
    run: Run, request: RestoreRequest, item: _Item, volumes: Iterable[InventoryVolume]
) -> bool:
    """Whether it was there at the moment that is asked for, or until a few days ago."""
    since = lost_since(volumes)
    if since is None or since >= _earliest(run, request.at):
        return True
    what = f"staffeln restore --{item.kind} {item.id}"
    command = f"{what} --recreate" if item.kind is PartKind.SERVER else what
    reason = f"is left: it is gone since {stamp(since)}; if it is wanted: {command}"
    run.decide(Decision("leave", item.kind, item.id, item.name, reason))
    return False


def _earliest(run: Run, at: datetime | None) -> datetime:
    return at if at is not None else run.now() - RECENT


def _sort_in(run: Run, request: RestoreRequest, found: Lost, item: _Item) -> None:
    """Carry on what is under way; what is back already is named."""
    if item.id in found.looked_at:
        return
    found.looked_at.add(item.id)
    newest = None if request.prints else run.store.restorations.newest(item.id)
    if newest is not None and newest.state is RestorationState.BEGUN:
        if newest.at == request.at or request.at is None:
            found.begun.append(newest)
            return
        _drop(run, newest)
    elif newest is not None and (new_id := restored_id(run, newest)) is not None:
        reason = f"is back already, as {new_id}, since {stamp(newest.ended_at or run.now())}"
        run.decide(Decision("leave", item.kind, new_id, item.name, reason))
        return
    if item.server is not None:
        found.servers.append(item.server)
    elif item.volume is not None:
        found.volumes.append(item.volume)


def _drop(run: Run, restoration: Restoration) -> None:
    """Give up what was begun for another moment; what it has made already is named."""
    for part in run.store.restorations.parts(restoration.id):
        if part.made_id is not None:
            reason = (
                "was made for the restoration that is given up for this one; if nobody needs it:"
                f" openstack {part.kind} delete {part.made_id}"
            )
            run.decide(Decision("leave", part.kind, part.made_id, part.name, reason))
    if not run.dry_run:
        run.store.restorations.end(restoration, RestorationState.DROPPED, run.now())
