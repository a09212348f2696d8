"""Gather the evidence for auditors: terms, achieved intervals, proofs and decisions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from staffeln_cli.config.rules import configured_terms, schedule
from staffeln_cli.model import (
    Drill,
    DrillState,
    Event,
    InventoryVolume,
    ProjectId,
    ServerId,
    State,
    VolumeId,
)
from staffeln_cli.model.text import one_line
from staffeln_cli.planning.audit import Audit, Pin, ProjectAudit, VolumeAudit
from staffeln_cli.planning.intervals import Achieved, achieved
from staffeln_cli.planning.recovery import RecoveryTime, by_server
from staffeln_cli.reports.recovery import recovery_times
from staffeln_cli.runtime import Runtime

if TYPE_CHECKING:
    from staffeln_cli.store.successes import Success

_Key = tuple[ProjectId, VolumeId]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the state knows beside the backups."""

    runtime: Runtime
    since: datetime
    until: datetime
    volumes: Mapping[VolumeId, InventoryVolume]
    proofs: Mapping[_Key, Drill]
    """The newest drill of each volume that went well."""
    recovery: Mapping[_Key, RecoveryTime]


def audit(
    runtime: Runtime, since: datetime | None = None, project_id: ProjectId | None = None
) -> Audit:
    """What the state has of a period that ends now; of one project, if its id is given.

    Without a begin, it goes as far back as the rows of backups do that are gone.
    """
    now, settings, store = runtime.now(), runtime.settings, runtime.store
    begin = since or settings.retention.history.before(now)
    passed = store.drills.ended_in([DrillState.PASSED])
    known = _Known(
        runtime=runtime,
        since=begin,
        until=now,
        volumes={volume.volume_id: volume for volume in store.inventory.all_volumes()},
        proofs={(drill.project_id, drill.volume_id): drill for drill in passed},
        recovery=recovery_times(runtime),
    )
    by_project = _events(known)
    return Audit(
        cloud=one_line(store.cloud.name() or ""),
        since=begin,
        until=now,
        history=str(settings.retention.history),
        terms=configured_terms(settings),
        every=str(settings.verify.every),
        proven_since=settings.verify.every.before(now),
        projects=_projects(known, by_project, project_id),
        pauses=tuple(store.pauses.held(now)),
        events=by_project.get(None, []),
    )


def _events(known: _Known) -> dict[ProjectId | None, list[Event]]:
    """What people decided, by the project that it is about."""
    found: dict[ProjectId | None, list[Event]] = {}
    for event in known.runtime.store.events.between(known.since, known.until):
        volume = known.volumes.get(event.volume_id) if event.volume_id else None
        owner = event.project_id or (volume.project_id if volume is not None else None)
        found.setdefault(owner, []).append(event)
    return found


def _projects(
    known: _Known,
    events: Mapping[ProjectId | None, Sequence[Event]],
    only: ProjectId | None,
) -> list[ProjectAudit]:
    """The projects with anything protected, backed up or decided, by name."""
    names = known.runtime.store.projects.names()
    groups: dict[ProjectId, list[tuple[VolumeAudit, ServerId | None]]] = {
        owner: [] for owner in events if owner is not None
    }
    for audited, server_id in _volumes(known):
        groups.setdefault(audited.project_id, []).append((audited, server_id))
    projects = [
        ProjectAudit(
            project_id=project_id,
            project_name=one_line(names.get(project_id, "")) or project_id,
            volumes=sorted((one for one, _ in some), key=_order),
            servers=by_server((server, one.server_name, one.recovery) for one, server in some),
            events=events.get(project_id, []),
        )
        for project_id, some in groups.items()
        if only in (None, project_id)
    ]
    return sorted(projects, key=lambda found: (found.project_name, found.project_id))


def _order(volume: VolumeAudit) -> tuple[str, str, str]:
    return volume.server_name, volume.volume_name, volume.volume_id


def _volumes(known: _Known) -> Iterator[tuple[VolumeAudit, ServerId | None]]:
    """The volumes that are protected, or that had or have backups, with their servers' ids."""
    seen: set[_Key] = set()
    for key, backups in known.runtime.store.successes.by_volume():
        seen.add(key)
        volume = known.volumes.get(key[1])
        if volume is not None and volume.project_id != key[0]:
            volume = None  # another project owns it by now
        is_protected = volume is not None and volume.protected
        is_recent = any(known.since < backup.started_at <= known.until for backup in backups)
        if is_protected or is_recent or any(backup.state is State.AVAILABLE for backup in backups):
            yield _audited(known, key, volume, backups), backups[-1].server_id
    for volume in known.volumes.values():
        key = volume.project_id, volume.volume_id
        if volume.protected and key not in seen:
            yield _audited(known, key, volume, []), volume.server_id


def _audited(
    known: _Known, key: _Key, volume: InventoryVolume | None, backups: Sequence["Success"]
) -> VolumeAudit:
    settings = known.runtime.settings
    there = [backup for backup in backups if backup.state is State.AVAILABLE]
    proof = known.proofs.get(key) if volume is not None else None
    return VolumeAudit(
        **_identity(key, volume, backups),
        protected=volume is not None and volume.protected,
        protected_since=volume.protected_since if volume is not None else None,
        retention=(volume.retention if volume else None) or str(settings.retention.time),
        interval=settings.backup.min_interval.after(known.until) - known.until,
        achieved=_achieved(known, volume, [backup.started_at for backup in backups]),
        available=sum(backup.broken_at is None for backup in there),
        lost=sum(_is_lost(known, backup) for backup in backups),
        last_success_at=backups[-1].started_at if backups else None,
        proven_at=volume.proven_at if volume is not None else None,
        proof_level=proof.level if proof is not None else None,
        proof_failed_at=volume.proof_failed_at if volume is not None else None,
        recovery=known.recovery.get(key),
        pins=[
            Pin(
                one_line(backup.name),
                one_line(backup.pinned_by or ""),
                one_line(backup.pin_note or ""),
            )
            for backup in there
            if backup.pinned
        ],
    )


def _identity(
    key: _Key, volume: InventoryVolume | None, backups: Sequence["Success"]
) -> dict[str, Any]:
    """Names and size, of a volume that another project owns by now as its last backup has them."""
    source = volume or backups[-1]
    return {
        "project_id": key[0],
        "volume_id": key[1],
        "volume_name": one_line(source.volume_name) or key[1],
        "server_name": one_line(source.server_name),
        "size_gib": source.size_gib or 0,
    }


def _achieved(
    known: _Known, volume: InventoryVolume | None, starts: Sequence[datetime]
) -> Achieved:
    """Backups are expected while a volume is protected; of others, from the first to the last."""
    begin, end = starts[0] if starts else known.until, starts[-1] if starts else known.until
    if volume is not None:
        begin = volume.expected_since if volume.protected else begin
        ended_at = volume.protection_ended_at or volume.gone_at or end
        end = known.until if volume.protected else ended_at
    since, until = max(known.since, begin), min(known.until, end)
    return achieved(starts, since, until, schedule(known.runtime.settings))


def _is_lost(known: _Known, backup: "Success") -> bool:
    when = {State.AVAILABLE: backup.broken_at, State.MISSING: backup.deleted_at}.get(backup.state)
    return when is not None and when > known.since
