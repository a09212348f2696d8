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
    yield from _left("volumes", ended, unknown)
    if not ended and not unknown:
        yield ok("restore drills have left nothing in Staffeln's own project")


def scratch_servers(context: CheckContext) -> Iterator[Check]:
    """Whether restore drills have left servers, and whether volumes could be booted."""
    yield from _left("servers", *scratch.leftover_servers(context.runtime))
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


_Leftovers = Sequence[Volume] | Sequence[ScratchServer]


def _left(kind: str, ended: _Leftovers, unknown: _Leftovers) -> Iterator[Check]:
    if ended:
        text = f"restore drills that have ended left {_listed(kind, ended)}"
        yield warning(text, "the next `staffeln verify` removes them")
    if unknown:
        text = f"this database knows no restore drill that made {_listed(kind, unknown)}"
        yield warning(text, "if no other installation uses this project, delete them by hand")


def _listed(kind: str, leftovers: _Leftovers) -> str:
    shown = ", ".join(f"{leftover.name} ({leftover.id})" for leftover in leftovers[:_NAMED])
    more = f" and {len(leftovers) - _NAMED} more" if len(leftovers) > _NAMED else ""
    return f"the scratch {kind} {shown}{more}"
