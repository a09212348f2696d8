"""The server of a restoration: booted from what was made for it, and waited for."""

from collections.abc import Sequence
from datetime import timedelta

from staffeln_cli.cloud import ServerStatus
from staffeln_cli.errors import RestorationFailed
from staffeln_cli.model.restorations import (
    RESTORATION_KEY,
    NewDevice,
    NewServer,
    Part,
    Restoration,
)
from staffeln_cli.operations.restoration_parts import Made, ensured
from staffeln_cli.runtime import Run

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 10.0
_GIVEN_UP_AFTER = timedelta(minutes=30)


def server_booted(
    run: Run,
    restoration: Restoration,
    part: Part,
    devices: Sequence[NewDevice],
    port_ids: Sequence[str],
) -> str:
    """The id of the new server, which is ACTIVE."""
    part = _unless_gone(run, part)

    def find() -> str | None:
        servers = run.cloud.listings.servers_of(restoration.project_id)
        mine = (
            server.id
            for server in servers
            if server.metadata.get(RESTORATION_KEY) == restoration.id
        )
        return next(mine, None)

    def make() -> Made:
        wanted = _wanted(restoration, part)
        return Made(run.cloud.servers.boot(restoration.project_id, wanted, devices, port_ids))

    server_id = ensured(run, part, find, make)
    _await_active(run, server_id)
    return server_id


def _wanted(restoration: Restoration, part: Part) -> NewServer:
    request = dict(part.request)
    marked = request["metadata"] | {RESTORATION_KEY: str(restoration.id)}
    return NewServer(**request | {"metadata": marked, "tags": tuple(request["tags"])})


def _unless_gone(run: Run, part: Part) -> Part:
    """The part, to be made again where the server was deleted since."""
    if part.made_id is None or run.cloud.servers.status(part.made_id) is not None:
        return part
    run.store.restorations.renew(part, part.name)
    return part._replace(made_id=None, requested_at=None)


def _await_active(run: Run, server_id: str) -> None:
    pause, until = _FIRST_WAIT, run.now() + _GIVEN_UP_AFTER
    while True:
        found = run.cloud.servers.status(server_id) or ServerStatus("DELETED")
        if found.status == "ACTIVE":
            return
        if found.status in {"ERROR", "DELETED"}:
            why = f": {found.fault}" if found.fault else ""
            advice = "delete it, see to the cause, and repeat the command: the volumes are kept"
            raise RestorationFailed(f"server {server_id} is {found.status}{why}; {advice}")
        if run.now() > until:
            advice = "repeat the command to wait on"
            raise RestorationFailed(f"server {server_id} is still {found.status}; {advice}")
        run.runtime.stop.sleep(pause)
        run.runtime.stop.check()
        pause = min(pause * 1.5, _LONGEST_WAIT)
