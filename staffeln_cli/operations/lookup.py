"""What people name on the command line, by an id or by a name that is not ambiguous."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from staffeln_cli.errors import NotFound
from staffeln_cli.model import (
    Backup,
    BackupId,
    InventoryVolume,
    ProjectId,
    ProjectRecord,
    ServerId,
    VolumeId,
)
from staffeln_cli.runtime import Run, Runtime

_Item = TypeVar("_Item")
AN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class SeenServer(NamedTuple):
    """A server that volumes were seen on."""

    server_id: ServerId
    name: str
    project_name: str
    exists: bool
    """Whether a volume that exists was last seen on it."""


def volume(runtime: Runtime, wanted: str, *, also_gone: bool = False) -> InventoryVolume:
    """The one volume that was ever seen with this id or, last, with this name; else NotFound.

    A name means a volume that exists, if there is one; with `also_gone` any that ever had it.
    """
    inventory = runtime.store.inventory
    found = inventory.volumes([VolumeId(wanted)]).get(VolumeId(wanted))
    if found is not None:
        return found
    named: Sequence[InventoryVolume] = inventory.volumes_named(wanted)
    if not also_gone:
        named = _existing(named, lambda one: one.gone_at is None)
    if not named:
        raise NotFound(
            f"no volume {wanted!r} was ever seen; has `staffeln collect` run since it exists?"
        )
    return _only("volumes", wanted, named, _described_volume)


def server(runtime: Runtime, wanted: str, *, also_gone: bool = False) -> SeenServer:
    """The one server of this id or name on which a volume was ever seen; else NotFound."""
    names = runtime.store.projects.names()
    seen = [
        SeenServer(server_id, name, names.get(project_id, project_id), exists)
        for server_id, name, project_id, exists in runtime.store.inventory.servers_called(wanted)
    ]
    found: Sequence[SeenServer] = [one for one in seen if one.server_id == wanted] or seen
    if not also_gone:
        found = _existing(found, lambda one: one.exists)
    if not found:
        raise NotFound(
            f"no volume was ever seen on a server {wanted!r};"
            " see: staffeln status volumes -c server_id -c server_name"
        )
    return _only("servers", wanted, found, _described_server)


def project(runtime: Runtime, wanted: str) -> ProjectRecord:
    """The one project that was ever seen with this id or name; else NotFound."""
    called = runtime.store.projects.called(wanted)
    found = [one for one in called if one.project_id == wanted] or called
    found = list(_existing(found, lambda one: one.gone_at is None))
    if not found:
        raise NotFound(f"no project {wanted!r} was ever seen; see: staffeln status projects")
    return _only("projects", wanted, found, lambda one: f"{one.project_id} ({one.domain_id})")


def project_id(runtime: Runtime, wanted: str) -> ProjectId:
    """The id of a project named by id, which need not have been seen yet, or by name."""
    is_known = runtime.store.projects.called(wanted)
    return project(runtime, wanted).project_id if is_known else ProjectId(wanted)


def backup(run: Run, name: str) -> Backup:
    """A backup by any of its names; also one that Staffeln did not make, by Cinder's id."""
    record = run.store.records.find(name)
    if record is not None and record.backup_id is None:
        raise NotFound(f"backup {record.name} is {record.state}: Cinder has nothing to restore")
    backup_id = record.backup_id if record is not None else None
    if backup_id is None and AN_ID.fullmatch(name):
        backup_id = BackupId(name)
    found = run.cloud.backups.look(backup_id) if backup_id is not None else None
    if found is None:
        raise NotFound(
            f"Cinder has no backup {name!r}; nothing was restored;"
            " see: staffeln status backups -c name -c backup_id -c state"
        )
    return found


def volume_ids(
    runtime: Runtime, wanted: Iterable[str], *, also_gone: bool = False
) -> Iterator[VolumeId]:
    """Ids of volumes named by id, which need not have been seen yet, or by name."""
    for text in wanted:
        if AN_ID.fullmatch(text):
            yield VolumeId(text)
        else:
            yield volume(runtime, text, also_gone=also_gone).volume_id


def server_ids(runtime: Runtime, wanted: Iterable[str]) -> Iterator[ServerId]:
    """Ids of servers named by id, which need not have been seen yet, or by name."""
    for text in wanted:
        yield ServerId(text) if AN_ID.fullmatch(text) else server(runtime, text).server_id


def _existing(items: Sequence[_Item], exists: Callable[[_Item], bool]) -> Sequence[_Item]:
    """Those that exist; all where none does."""
    return [item for item in items if exists(item)] or items


def _only(
    kind: str, wanted: str, items: Sequence[_Item], described: Callable[[_Item], str]
) -> _Item:
    if len(items) == 1:
        return items[0]
    raise ambiguous(kind, wanted, map(described, items))


def ambiguous(kind: str, wanted: str, candidates: Iterable[str]) -> NotFound:
    """The error that lists what a name may mean."""
    listed = sorted(candidates)
    ids = "\n".join(f"  {one}" for one in listed)
    return NotFound(f"{len(listed)} {kind} are named {wanted!r}; say which by its id:\n{ids}")


def _described_volume(one: InventoryVolume) -> str:
    where = f"of {one.server_name}" if one.server_name else "of no server"
    gone = ", gone" if one.gone_at is not None else ""
    return f"{one.volume_id} ({where}, project {one.project_id}{gone})"


def _described_server(one: SeenServer) -> str:
    return f"{one.server_id} (project {one.project_name}{'' if one.exists else ', gone'})"
