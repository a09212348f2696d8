"""The boot of a restored volume: a server without networks, watched by its console.

A server that Nova could not run says nothing about the backup: then the volume is proven to be
restored, and the reason says why not to boot. A console that shows something, but not what
`verify.boot_pattern` asks for, is a failure.
"""

import re
from datetime import timedelta

from staffeln_cli.errors import Refused
from staffeln_cli.model import Drill, ProofLevel, Volume
from staffeln_cli.model.drills import ScratchServer
from staffeln_cli.model.durations import Duration
from staffeln_cli.model.text import escaped, one_line, storable
from staffeln_cli.operations.drill.watch import Watch, succeed, suspect
from staffeln_cli.runtime import Run

_READ_LINES = 200
"""Lines of the console that are searched."""
_KEPT_LINES = 40
_KEPT_CHARACTERS = 4000
_SHOWN = 120


def is_wanted(run: Run, drill: Drill) -> bool:
    """Whether this volume is to be booted."""
    return run.settings.verify.boot is not None and drill.bootable


def is_begun(run: Run, watch: Watch) -> bool:
    """Whether Nova was asked for a server, by this process or, found by its name, by another."""
    if watch.drill.scratch_server_id is not None or watch.boot_asked_at is not None:
        return True
    return is_wanted(run, watch.drill) and _server(run, watch) is not None


def begin(run: Run, watch: Watch, volume: Volume) -> None:
    """Ask Nova once; a lost reply is found by the server's name."""
    drill, servers = watch.drill, run.cloud.scratch_servers
    watch.boot_asked_at = run.now()
    try:
        flavor_id = servers.flavor_id(run.settings.verify.boot or "")
        server_id = servers.boot(drill, volume.id, flavor_id)
    except Refused as refusal:
        _not_booted(run, drill, f"Nova refused the server: {refusal}")
        return
    run.store.drills.note_scratch(drill, server_id=server_id, owner=run.id)
    watch.acted = True


def follow(run: Run, watch: Watch) -> None:
    """See whether the console shows by now what it should; or that it never will."""
    drill, settings = watch.drill, run.settings.verify
    server = _server(run, watch)
    if server is None:
        _judge_absence(run, watch)
        return
    if server.status == "ERROR":
        _not_booted(run, drill, f"Nova could not run the server: {server.fault or 'no reason'}")
        return
    is_active = server.status == "ACTIVE"
    console = run.cloud.scratch_servers.console(server.id, _READ_LINES) if is_active else ""
    if re.search(settings.boot_pattern, console):
        succeed(run, drill, ProofLevel.BOOTED, console=_kept(console))
    elif run.now() - server.created_at >= settings.boot_timeout:
        _judge_silence(run, drill, server, console)


def _server(run: Run, watch: Watch) -> ScratchServer | None:
    """By its id, or by its name where the reply with the id was lost."""
    drill, servers = watch.drill, run.cloud.scratch_servers
    if drill.scratch_server_id is not None:
        return servers.look(drill.scratch_server_id)
    found = servers.named(drill.scratch_name)
    if not found:
        return None
    run.store.drills.note_scratch(drill, server_id=found[0].id, owner=run.id)
    return found[0]


def _judge_absence(run: Run, watch: Watch) -> None:
    drill, asked_at = watch.drill, watch.boot_asked_at
    if drill.scratch_server_id is not None:
        reason = f"somebody else deleted the scratch server {drill.scratch_server_id}"
        _not_booted(run, drill, reason)
    elif asked_at is None or run.now() - asked_at >= run.settings.cloud.settle_time:
        _not_booted(run, drill, "the request to boot it never reached Nova")


def _judge_silence(run: Run, drill: Drill, server: ScratchServer, console: str) -> None:
    timeout = Duration(exact=timedelta(seconds=run.settings.verify.boot_timeout.total_seconds()))
    if server.status != "ACTIVE":
        _not_booted(run, drill, f"after {timeout} the server was still {server.status}")
    elif not console.strip():
        _not_booted(run, drill, f"after {timeout} its console had shown nothing")
    else:
        last = one_line(console.strip().splitlines()[-1])[:_SHOWN]
        reason = (
            f"it was restored, but did not boot within {timeout}: its console shows nothing that"
            f" verify.boot_pattern matches, and ends with {last!r}"
        )
        suspect(run, drill, reason, "a slow host", console=_kept(console))


def _not_booted(run: Run, drill: Drill, reason: str) -> None:
    succeed(run, drill, ProofLevel.RESTORED, f"it was not booted: {reason}")


def _kept(console: str) -> str:
    """The last lines, without anything that a terminal may act on."""
    lines = storable(console).rstrip().splitlines()[-_KEPT_LINES:]
    return escaped("\n".join(lines))[-_KEPT_CHARACTERS:]
