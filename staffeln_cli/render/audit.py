"""The evidence for auditors as JSON, and as rows for a spreadsheet."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from staffeln_cli.model import Event
from staffeln_cli.model.pauses import Pause
from staffeln_cli.planning.audit import Audit, ProjectAudit, VolumeAudit
from staffeln_cli.planning.recovery import RecoveryTime

_PROJECT = ("project_id", "project_name")
_VOLUME = (
    *("volume_id", "volume_name", "server_name", "size_gib", "protected", "protected_since"),
    *("retention", "interval_s", "backups", "largest_gap_s", "largest_gap_since"),
    *(
        "gap_95_s",
        "late_gaps",
        "kept",
        "available",
        "lost",
        "last_success_at",
        "proven_at",
        "proof_level",
    ),
    *("proof_failed_at", "recovery_s", "recovery_shortest_s", "recovery_longest_s", "pins"),
)
_EVENT = ("at", "event", "by", "item", "before", "after", "reason")
COLUMNS = ("row", *_PROJECT, *_VOLUME, *_EVENT)


def as_json(audit: Audit) -> dict[str, Any]:
    """One object with everything."""
    return {
        "cloud": audit.cloud,
        "since": audit.since,
        "until": audit.until,
        "history": audit.history,
        "terms": dict(audit.terms),
        "volumes": audit.volumes,
        "kept": audit.kept,
        "protected": audit.protected,
        "proven": audit.proven,
        "projects": [_project(project) for project in audit.projects],
        "paused": [_pause(pause) for pause in audit.pauses],
        "events": [_event(event) for event in audit.events],
    }


def rows(audit: Audit) -> Iterator[tuple[object, ...]]:
    """A row for each volume, pause and event, with `COLUMNS`; the first one says which it is."""
    for project in audit.projects:
        named = {"project_id": project.project_id, "project_name": project.project_name}
        for volume in project.volumes:
            values = _volume(volume)
            pins = "; ".join(
                " ".join(filter(None, (pin.backup, f"by {pin.who}" if pin.who else "", pin.note)))
                for pin in volume.pins
            )
            yield _row({"row": "volume", **named, **values, "pins": pins or None})
        for event in project.events:
            yield _row({"row": "event", **named, **_event(event)})
    for pause in audit.pauses:
        held = {"at": pause.since, "by": pause.paused_by, "item": pause.target}
        yield _row({"row": "pause", **held, "reason": pause.reason})
    for event in audit.events:
        yield _row({"row": "event", **_event(event)})


def _row(values: dict[str, object]) -> tuple[object, ...]:
    return tuple(values.get(name) for name in COLUMNS)


def _project(project: ProjectAudit) -> dict[str, Any]:
    return {
        "project_id": project.project_id,
        "project_name": project.project_name,
        "volumes": [_volume(volume) for volume in project.volumes],
        "servers": [
            {"server_name": server.name, "volumes": server.volumes, **_recovery(server.time)}
            for server in project.servers
        ],
        "events": [_event(event) for event in project.events],
    }


def _volume(volume: VolumeAudit) -> dict[str, Any]:
    largest = volume.achieved.largest
    return {
        "volume_id": volume.volume_id,
        "volume_name": volume.volume_name,
        "server_name": volume.server_name,
        "size_gib": volume.size_gib,
        "protected": volume.protected,
        "protected_since": volume.protected_since,
        "retention": volume.retention,
        "interval_s": _seconds(volume.interval),
        "backups": volume.achieved.backups,
        "largest_gap_s": _seconds(largest.length if largest is not None else None),
        "largest_gap_since": largest.start if largest is not None else None,
        "gap_95_s": _seconds(volume.achieved.usual),
        "late_gaps": volume.achieved.late,
        "kept": volume.is_kept,
        "available": volume.available,
        "lost": volume.lost,
        "last_success_at": volume.last_success_at,
        "proven_at": volume.proven_at,
        "proof_level": volume.proof_level,
        "proof_failed_at": volume.proof_failed_at,
        **_recovery(volume.recovery),
        "pins": [
            {"backup": pin.backup, "by": pin.who, "note": pin.note or None} for pin in volume.pins
        ],
    }


def _recovery(recovery: RecoveryTime | None) -> dict[str, int | None]:
    if recovery is None:
        return {"recovery_s": None, "recovery_shortest_s": None, "recovery_longest_s": None}
    return {
        "recovery_s": round(recovery.median),
        "recovery_shortest_s": round(recovery.shortest),
        "recovery_longest_s": round(recovery.longest),
    }


def _pause(pause: Pause) -> dict[str, Any]:
    return {
        "scope": pause.scope,
        "id": pause.item_id,
        "name": pause.item_name,
        "reason": pause.reason,
        "since": pause.since,
        "until": pause.until,
        "by": pause.paused_by,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "event": event.kind,
        "by": event.who,
        "item": event.item,
        "volume_id": event.volume_id,
        "before": event.before,
        "after": event.after,
        "reason": event.reason,
    }


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else round(length.total_seconds())
