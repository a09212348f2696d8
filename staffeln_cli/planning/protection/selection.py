"""Which volumes are protected, and why others are not."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from staffeln_cli.model import (
    DecidedBy,
    InventoryVolume,
    Project,
    ProjectId,
    Protection,
    Server,
    ServerId,
    SkipCause,
    Volume,
)
from staffeln_cli.model.statuses import VOLUME_BUSY, VOLUME_USABLE
from staffeln_cli.model.text import quoted
from staffeln_cli.planning.protection.retention_metadata import retention_of
from staffeln_cli.planning.protection.rules import Rules

_CLONE = re.compile(r"backup-vol-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def narrowed(servers: Iterable[Server], rules: Rules) -> Iterator[Server]:
    """The servers with only the metadata that selection reads.

    Servers with the same metadata share one mapping: there may be tens of thousands.
    """
    shared: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
    projects: dict[ProjectId, ProjectId] = {}
    keys = (rules.metadata_key, rules.retention_key)
    for server in servers:
        items = tuple([(key, server.metadata[key]) for key in keys if key in server.metadata])
        if items not in shared:
            shared[items] = dict(items)
        project_id = projects.setdefault(server.project_id, server.project_id)
        yield Server(server.id, server.name, project_id, shared[items])


def protection(
    volume: Volume,
    servers: Mapping[ServerId, Server],
    projects: Mapping[ProjectId, Project],
    rules: Rules,
    known: InventoryVolume | None,
) -> Protection:
    """Judge one volume; `known` is its row of the last pass.

    `servers` and `projects` must come from complete listings.
    """
    found = [servers[i] for i in volume.server_ids if i in servers]
    marked = [server for server in found if is_marked(server, rules)]
    wanted = _own_mark(volume, rules)
    skipped = _skip(volume, projects, rules) or (
        None if marked or wanted else _unmarked(volume, found, known)
    )
    retention, bad, retention_decided_by = retention_of(volume, found, rules, known)
    server_id, server_name = _server(volume, marked or found, known)
    is_busy = volume.status in VOLUME_BUSY
    return Protection(
        protected=skipped is None,
        skip_reason=skipped.reason if skipped is not None else None,
        skip_cause=skipped.cause if skipped is not None else None,
        problem=_problem(volume) if skipped is None and not is_busy else None,
        busy=skipped is None and is_busy,
        server_id=server_id,
        server_name=server_name,
        retention=retention,
        bad_retention=bad,
        protection_decided_by=_decided_by(volume, found, rules),
        retention_decided_by=retention_decided_by,
    )


def is_temporary(volume: Volume) -> bool:
    """Whether Cinder created it for its own use: a backup's clone, or a migration's target."""
    if (volume.migration_status or "").startswith("target:"):
        return True
    # No server ever has a clone, but a user may give such a name to their own volume.
    return not volume.server_ids and _CLONE.fullmatch(volume.name) is not None


def _own_mark(volume: Volume, rules: Rules) -> bool | None:
    """What the volume's own metadata ask for; any other text than true and false says nothing."""
    text = volume.metadata.get(rules.metadata_key, "") if rules.metadata_key else ""
    return {"true": True, "false": False}.get(text.strip().lower())


def _decided_by(volume: Volume, servers: list[Server], rules: Rules) -> DecidedBy | None:
    """Whose word says whether the volume is protected; its own comes before its servers'."""
    if _says_true(volume.metadata.get(rules.skip_volume_key)):
        return DecidedBy.VOLUME
    if _own_mark(volume, rules) is not None:
        return DecidedBy.VOLUME
    if not servers:
        return None
    return DecidedBy.SERVER if rules.metadata_key else DecidedBy.DEFAULT


def is_marked(server: Server, rules: Rules) -> bool:
    """Whether the server asks that its volumes are backed up."""
    return not rules.metadata_key or _says_true(server.metadata.get(rules.metadata_key))


def _says_true(value: str | None) -> bool:
    return value is not None and value.strip().lower() == "true"


class _Skip(NamedTuple):
    """Why a volume is not protected, for the program and for people."""

    cause: SkipCause
    reason: str


_UNKNOWN_PROJECT = _Skip(SkipCause.PROJECT_UNKNOWN, "its project is unknown")
_DISABLED_PROJECT = _Skip(SkipCause.PROJECT_DISABLED, "its project is disabled")
_DETACHED = _Skip(SkipCause.DETACHED, "not attached to a server")
_UNMARKED = _Skip(SkipCause.UNMARKED, "its server is not marked")
_UNKNOWN_SERVER = _Skip(SkipCause.SERVER_UNKNOWN, "its server is unknown to Nova")


def _skip(volume: Volume, projects: Mapping[ProjectId, Project], rules: Rules) -> _Skip | None:
    """Why the volume is not protected, regardless of its servers."""
    project = projects.get(volume.project_id)
    if project is None:
        return _UNKNOWN_PROJECT
    if not project.enabled:
        return _DISABLED_PROJECT
    if _says_true(volume.metadata.get(rules.skip_volume_key)):
        return _Skip(SkipCause.REQUEST, f"marked with {rules.skip_volume_key}")
    if _own_mark(volume, rules) is False:
        return _Skip(SkipCause.REQUEST, f"marked with {rules.metadata_key}=false")
    return None


def _unmarked(
    volume: Volume, servers: list[Server], known: InventoryVolume | None
) -> _Skip | None:
    """Why a volume without a marked server is skipped; None if an unknown server was marked."""
    if not volume.server_ids:
        return _DETACHED
    if len(servers) == len(set(volume.server_ids)):
        return _UNMARKED
    if known is None:
        return _UNKNOWN_SERVER
    if known.protected:
        return None
    return _Skip(
        known.skip_cause or _UNKNOWN_SERVER.cause,
        known.skip_reason or _UNKNOWN_SERVER.reason,
    )


def _server(
    volume: Volume, candidates: list[Server], known: InventoryVolume | None
) -> tuple[ServerId | None, str]:
    """The server to show: for a detached volume, the last one."""
    if candidates:
        first = min(candidates, key=lambda server: server.id)
        return first.id, first.name
    if known is not None and known.server_id is not None:
        return known.server_id, known.server_name
    return min(volume.server_ids, default=None), ""


def _problem(volume: Volume) -> str | None:
    if volume.status in VOLUME_USABLE:
        return None
    return f"the volume is in status {quoted(volume.status)}, which allows no backup"
