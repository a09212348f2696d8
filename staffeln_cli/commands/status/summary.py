"""Describe now: what is protected, what has slipped, what ran. It asks the database only."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import nsmallest
from typing import TYPE_CHECKING

from staffeln_cli.config import Settings
from staffeln_cli.model import State
from staffeln_cli.planning.health import LastRun, Late, Summary, Tally
from staffeln_cli.planning.protection import due
from staffeln_cli.runtime import Runtime

if TYPE_CHECKING:
    from staffeln_cli.store.status_queries import VolumeSeen

_WORST = 10
"""Overdue volumes named in the summary; `status volumes --overdue` has all."""


def summary(runtime: Runtime) -> Summary:
    """The state now, in one pass over the volumes."""
    from staffeln_cli.store import Filter

    store, now = runtime.store, runtime.now()
    tally, counts = Tally(), store.backups.count()
    late = tallied(tally, store.status_queries.volumes(Filter()), runtime.settings, now)
    worst = nsmallest(_WORST, late, key=lambda one: one.since)
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
    """Whether a look at the cloud is as old as a volume's last backup may not be."""
    return due.is_overdue(due.History(), now, settings.backup.min_interval, moment)


def tallied(
    tally: Tally, volumes: Iterable["VolumeSeen"], settings: Settings, now: datetime
) -> Iterator[Late]:
    """Add the volumes that exist to a tally, and yield those that are overdue."""
    interval, mark = settings.backup.min_interval, settings.select.skip_volume_key
    for one in volumes:
        if one.gone_at is not None:
            continue
        tally.bad_retention += one.bad_retention is not None
        if not one.protected:
            tally.skipped += mark in (one.skip_reason or "")
            continue
        tally.protected += 1
        success, since = one.last_success_at, since_when(one)
        if success is None:
            tally.never += 1
        else:
            tally.oldest_success = min(success, tally.oldest_success or success)
        if due.is_overdue(history_of(one), now, interval, since):
            tally.overdue += 1
            yield _late(one, success, since)


def history_of(one: "VolumeSeen") -> due.History:
    """How a volume's backups went so far."""
    return due.History(
        last_started_at=one.last_started_at,
        last_success_at=one.last_success_at,
        failures=one.failures,
        last_failed_at=one.last_failed_at,
    )


def since_when(one: "VolumeSeen") -> datetime:
    """Since when it should have had a backup, if it never had one."""
    return one.protected_since or one.first_seen_at


def _late(one: "VolumeSeen", success: datetime | None, since: datetime) -> Late:
    return Late(
        project=one.project_name or one.project_id,
        server=one.server_name or one.server_id or "",
        volume=one.volume_name or one.volume_id,
        since=success or since,
        ever=success is not None,
        failures=one.failures,
    )
