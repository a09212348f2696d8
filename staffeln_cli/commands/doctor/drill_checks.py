"""Checks of what restore drills need and leave behind."""

from collections.abc import Iterator, Sequence

from staffeln_cli.commands.doctor.check import Check, CheckContext, ok, warning
from staffeln_cli.errors import Refused
from staffeln_cli.model import Volume
from staffeln_cli.model.drills import ScratchServer
from staffeln_cli.operations import scratch

_NAMED = 5
"""Volumes named in one line."""


def scratch_volumes(context: CheckContext) -> Iterator[Check]:
    """Whether restore drills have left volumes in Staffeln's own project."""
    ended, unknown = scratch.leftovers(context.runtime)
    if ended:
        text = f"restore drills that have ended left {_listed(ended)}"
        yield warning(text, "the next `staffeln verify` removes them")
    if unknown:
        text = f"this database knows no restore drill that made {_listed(unknown)}"
        yield warning(text, "if no other installation uses this project, delete them by hand")
    if not ended and not unknown:
        yield ok("restore drills have left nothing in Staffeln's own project")


def scratch_servers(context: CheckContext) -> Iterator[Check]:
    """Whether restore drills have left servers, and whether volumes could be booted."""
    ended, unknown = scratch.leftover_servers(context.runtime)
    if ended:
        text = f"restore drills that have ended left {_servers(ended)}"
        yield warning(text, "the next `staffeln verify` removes them")
    if unknown:
        text = f"this database knows no restore drill that made {_servers(unknown)}"
        yield warning(text, "if no other installation uses this project, delete them by hand")
    flavor = context.runtime.settings.verify.boot
    if flavor is None:
        yield ok("restored volumes are not booted (verify.boot)")
        return
    try:
        context.runtime.cloud.scratch_servers.flavor_id(flavor)
    except Refused as refusal:
        yield warning(str(refusal), "nothing is booted: verify ends with 78")
        return
    yield ok(f"restored volumes that are bootable are booted with flavor {flavor}")


def _servers(servers: Sequence[ScratchServer]) -> str:
    shown = ", ".join(f"{server.name} ({server.id})" for server in servers[:_NAMED])
    more = f" and {len(servers) - _NAMED} more" if len(servers) > _NAMED else ""
    return f"the scratch servers {shown}{more}"


def _listed(volumes: Sequence[Volume]) -> str:
    shown = ", ".join(f"{volume.name} ({volume.id})" for volume in volumes[:_NAMED])
    more = f" and {len(volumes) - _NAMED} more" if len(volumes) > _NAMED else ""
    return f"the scratch volumes {shown}{more}"
