"""The output of `staffeln explain` as JSON."""

from typing import Any

from staffeln_cli.model import Drill
from staffeln_cli.planning.explanation import Explanation, Next
from staffeln_cli.planning.recovery import RecoveryTime
from staffeln_cli.planning.retention.verdicts import Verdict


def as_json(explained: Explanation) -> dict[str, Any]:
    """The facts and decisions about a volume, for programs."""
    volume, recovery = explained.volume, explained.recovery
    return {
        "volume_id": volume.volume_id,
        "volume_name": volume.volume_name,
        "server_id": volume.server_id,
        "server_name": volume.server_name,
        "project_id": volume.project_id,
        "project_name": explained.project_name,
        "protected": volume.protected,
        "skip_reason": volume.skip_reason,
        "gone_at": volume.gone_at,
        "retention": explained.retention,
        "bad_retention": volume.bad_retention,
        "last_success_at": volume.last_success_at,
        "proven_at": volume.proven_at,
        "proof_failed_at": volume.proof_failed_at,
        "proof": _drill(explained.proof),
        "recovery_seconds": _median(recovery),
        "server_recovery_seconds": _median(explained.server_recovery),
        "from_cloud": explained.from_cloud,
        "next": _next(explained.next) if explained.next is not None else None,
        "paused": explained.pause.as_json() if explained.pause is not None else None,
        "unfinished": [
            {"name": record.name, "state": record.state, "reason": record.reason}
            for record in explained.unfinished
        ],
        "backups": [_verdict(record) for record in explained.verdicts],
        "former_owners": [
            {
                "project_id": one.project_id,
                "project_name": one.project_name,
                "backups": one.number,
                "retention": one.retention,
            }
            for one in explained.former
        ],
    }


def _next(following: Next) -> dict[str, Any]:
    return {
        "due_at": following.due_at,
        "window_opens_at": following.opens_at,
        "kind": following.backup.kind,
        "reason": following.backup.reason,
        "overdue": following.is_overdue,
    }


def _median(recovery: RecoveryTime | None) -> float | None:
    return round(recovery.median, 3) if recovery is not None else None


def _drill(drill: Drill | None) -> dict[str, Any] | None:
    if drill is None:
        return None
    return {
        "backup_id": drill.backup_id,
        "state": drill.state,
        "level": drill.level,
        "reason": drill.reason,
        "console": drill.console,
        "ended_at": drill.ended_at,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    backup, record = verdict.member.backup, verdict.member.record
    return {
        "backup_id": backup.id,
        "name": backup.name,
        "kind": "incremental" if backup.is_incremental else "full",
        "status": backup.status,
        "started_at": verdict.member.started_at,
        "keep": verdict.keep,
        "rule": verdict.rule,
        "reason": verdict.reason,
        "earliest": verdict.earliest,
        "dependents": list(verdict.dependents),
        "pinned": record is not None and record.pinned,
        "pin_note": record.pin_note if record is not None else None,
    }
