"""The summary of `staffeln status`: what is protected, what is overdue, what ran."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import nsmallest

from staffeln_cli.config import Settings
from staffeln_cli.model import InventoryVolume, SkipCause, State
from staffeln_cli.planning.health import LastRun, Late, Summary, Tally
from staffeln_cli.planning.protection import due
from staffeln_cli.runtime import Runtime

_WORST = 10
"""Overdue volumes named in the summary; `status volumes --overdue` has all."""


def summary(runtime: Runtime) -> Summary:
    """The state now, in one pass over the volumes."""
    from staffeln_cli.store import Filter

    store, now = runtime.store, runtime.now()
    tally, counts = Tally(), store.records.count()
    late = tallied(tally, store.status_queries.volumes(Filter()), runtime.settings, now)
    worst = nsmallest(_WORST, late, key=lambda volume: volume.since)
    collected_at = store.status_queries.last_good("collect")
    return Summary(
        cloud=store.cloud.name(),
        generated_at=now,
        volumes=tally,
        backups={state: counts[state] for state in State if state in counts},
        runs={
            name: LastRun(run["started_at"], run["outcome"], run["host"])
            for name, run in sorted(store.runs.last_of_each().items())
        },
        collected_at=collected_at,
        is_stale=collected_at is not None and is_stale(runtime.settings, collected_at, now),
        worst=tuple(worst),
    )


def is_stale(settings: Settings, moment: datetime, now: datetime) -> bool:
    """Whether the last look at the cloud is older than a volume's last backup may be."""
    return due.is_outdated(moment, now, settings.backup.min_interval)


def tallied(
    tally: Tally,
    volumes: Iterable[tuple[InventoryVolume, str | None]],
    settings: Settings,
    now: datetime,
) -> Iterator[Late]:
    """Add the volumes that exist to a tally, and yield those that are overdue."""
    interval = settings.backup.min_interval
    for volume, project_name in volumes:
        if volume.gone_at is not None:
            continue
        tally.bad_retention += volume.bad_retention is not None
        if not volume.protected:
            tally.skipped += volume.skip_cause is SkipCause.REQUEST
            continue
        tally.protected += 1
        success = volume.last_success_at
        if success is None:
            tally.never += 1
        else:
            tally.oldest_success = min(success, tally.oldest_success or success)
        if due.is_overdue(volume, now, interval):
            tally.overdue += 1
            yield _late(volume, project_name)


def _late(volume: InventoryVolume, project_name: str | None) -> Late:
    success = volume.last_success_at
    return Late(
        project=project_name or volume.project_id,
        server=volume.server_name or volume.server_id or "",
        volume=volume.volume_name or volume.volume_id,
        since=success or volume.expected_since,
        ever=success is not None,
        failures=volume.failures,
    )
