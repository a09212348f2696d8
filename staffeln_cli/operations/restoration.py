"""Carry on a restoration from wherever it stands: volumes, ports, the server that has them."""

from collections.abc import Sequence
from typing import NamedTuple

from staffeln_cli.model.restorations import (
    NewDevice,
    Part,
    PartKind,
    Restoration,
    RestorationState,
)
from staffeln_cli.operations.booted_server import server_booted
from staffeln_cli.operations.restored_ports import ports_made
from staffeln_cli.operations.restored_volumes import volumes_made
from staffeln_cli.runtime import Run


class Back(NamedTuple):
    """What is back: a server with its volumes, or a volume."""

    id: str
    volumes: int
    differences: Sequence[str]


def carry_on(run: Run, restoration: Restoration) -> Back:
    """Make what is still to be made, and wait for it. May be repeated after any end.

    RestorationFailed, CloudUnavailable or Stopped leave it to be carried on.
    """
    parts = run.store.restorations.parts(restoration.id)
    volumes = _of(parts, PartKind.VOLUME)
    volume_ids = volumes_made(run, restoration, volumes)
    new_id = str(volume_ids[0]) if volume_ids else ""
    for server in _of(parts, PartKind.SERVER):
        port_ids = ports_made(run, restoration, _of(parts, PartKind.PORT))
        devices = [
            NewDevice(volume_id, part.request["is_root"], part.request["deleted_with_server"])
            for part, volume_id in zip(volumes, volume_ids, strict=True)
        ]
        new_id = server_booted(run, restoration, server, devices, port_ids)
    run.store.restorations.end(restoration, RestorationState.DONE, run.now())
    made = run.store.restorations.parts(restoration.id)
    differences = [part.difference for part in made if part.difference is not None]
    return Back(new_id, len(volume_ids), differences)


def _of(parts: Sequence[Part], kind: PartKind) -> list[Part]:
    return [part for part in parts if part.kind is kind]


def restored_id(run: Run, restoration: Restoration) -> str | None:
    """The id of what a restoration brought back, if that still exists."""
    parts = run.store.restorations.parts(restoration.id)
    made_id = next((part.made_id for part in _of(parts, restoration.kind)), None)
    if made_id is None:
        return None
    if restoration.kind is PartKind.SERVER:
        return made_id if run.cloud.servers.status(made_id) is not None else None
    return made_id if run.cloud.lookups.volume(made_id) is not None else None
