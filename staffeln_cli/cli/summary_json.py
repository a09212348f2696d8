"""The output of `status -f json`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from staffeln_cli.planning.estimates import Work
    from staffeln_cli.planning.health import Summary


def as_json(state: "Summary") -> str:
    """The summary as one JSON object."""
    from staffeln_cli.model.text import dumped

    volumes = state.volumes
    names = ("protected", "skipped", "overdue", "never")
    return dumped(
        {
            "cloud": state.cloud,
            "generated_at": state.generated_at,
            "paused": [pause.as_json() for pause in state.pauses],
            "untracked": state.untracked,
            "volumes": {name: getattr(volumes, name) for name in names},
            "backups": dict(state.backups),
            "oldest_success": volumes.oldest_success,
            "work": _work(state),
            "proofs": {
                "proven": volumes.proven,
                "failed": volumes.proof_failed,
                "every": state.proven_every,
                "recovery": [
                    {"chain_length": length, "seconds_per_gib": round(rate, 3)}
                    for length, rate in state.recovery_rates.items()
                ],
            },
            "runs": {
                name: {"at": run.at, "outcome": run.outcome, "host": run.host}
                for name, run in state.runs.items()
            },
        }
    )


def _window(work: "Work") -> dict[str, Any] | None:
    """Of the window that planned backups wait for, or start in; None: there is none."""
    if work.opening is None:
        return None
    return {
        "opens_at": work.opening.opens_at,
        "closes_at": work.opening.closes_at,
        "last_start_at": work.last_start_at,
        "suffices": work.window_suffices,
    }


def _work(state: "Summary") -> dict[str, Any]:
    work = state.work
    return {
        "running": [
            {
                "volume_id": one.backup.volume_id,
                "volume_name": one.backup.volume_name,
                "server_name": one.backup.server_name,
                "project_id": one.backup.project_id,
                "kind": one.backup.kind,
                "started_at": one.backup.started_at,
                "done_at": one.done_at,
            }
            for one in work.running
        ],
        "waiting": work.waiting,
        "window": _window(work),
        "running_done_at": work.running_done_at,
        "done_at": work.done_at,
    }
