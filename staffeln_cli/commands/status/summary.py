"""The summary of `staffeln status`: what is protected, what is overdue, what ran."""

from collections.abc import Container, Iterable, Iterator
from datetime import datetime, timedelta
from heapq import nsmallest

from staffeln_cli.config import Settings
from staffeln_cli.config.rules import schedule
from staffeln_cli.model import DrillState, InventoryVolume, ProjectId, SkipCause, State
from staffeln_cli.planning.estimates import Limits, Work, work_of
from staffeln_cli.planning.health import LastRun, Late, Summary, Tally
from staffeln_cli.planning.protection import due
from staffeln_cli.planning.protection.pausing import NO_PAUSES, Pauses
from staffeln_cli.planning.recovery import RecoveryRates
from staffeln_cli.planning.retention.shortening import grace_ends_at
from staffeln_cli.runtime import Runtime

_A_DAY = timedelta(days=1)
_REGULAR = ("check", "retain", "report")
"""Passes that should end as often as backups are due; of collect, only good ones count."""
_WORST = 10
"""Overdue volumes named in the summary; `status volumes --overdue` has all."""


def summary(runtime: Runtime) -> Summary:
    """The state now, in one pass over the volumes."""
    from staffeln_cli.store import Filter

    store, now = runtime.store, runtime.now()
    tally, counts = Tally(), store.records.count()
    volumes = _with_unknown(
        tally, store.status_queries.volumes(Filter()), store.projects.suspected()
    )
    pauses = store.pauses.held(now)
    late = tallied(tally, volumes, runtime.settings, now, pauses)
    worst = nsmallest(_WORST, late, key=lambda volume: volume.since)
    rates = RecoveryRates(store.drills.ended_in([DrillState.PASSED]))
    collected_at = store.status_queries.last_good("collect", now)
    runs = {
        name: LastRun(run["started_at"], run["outcome"], run["host"])
        for name, run in sorted(store.runs.last_of_each().items())
    }
    return Summary(
        cloud=store.cloud.name(),
        generated_at=now,
        volumes=tally,
        backups={state: counts[state] for state in State if state in counts},
        runs=runs,
        collected_at=collected_at,
        is_stale=collected_at is not None and is_stale(runtime.settings, collected_at, now),
        worst=tuple(worst),
        work=_work(runtime, now),
        pauses=tuple(pauses),
        quotas=store.projects.quotas(),
        untracked=store.observations.marked().untracked,
        late_runs={
            name: runs[name].at
            for name in _REGULAR
            if name in runs and _is_late(runtime.settings, runs[name].at, now)
        },
        proven_every=str(runtime.settings.verify.every),
        recovery_rates=rates.by_chain_length(),
    )


def _with_unknown(
    tally: Tally,
    volumes: Iterable[tuple[InventoryVolume, str | None]],
    unknown_projects: Container[ProjectId],
) -> Iterator[tuple[InventoryVolume, str | None]]:
    """Count the protected volumes that nobody listed, or whose project nobody listed."""
    for volume, project_name in volumes:
        is_unknown = volume.suspected_gone_at is not None or volume.project_id in unknown_projects
        tally.unknown += volume.protected and is_unknown
        yield volume, project_name


def _is_late(settings: Settings, began: datetime, now: datetime) -> bool:
    """Whether a pass has not ended for twice the interval of backups and of reports."""
    is_outdated = due.is_outdated
    return is_outdated(began, now, settings.backup.min_interval) and is_outdated(
        began, now, settings.report.period
    )


def _work(runtime: Runtime, now: datetime) -> Work:
    """What waits and runs; the rates are read only if something does."""
    settings, durations = runtime.settings.backup, runtime.store.durations
    if not (unfinished := durations.unfinished()):
        return Work()
    limits = Limits(settings.max_in_flight, settings.max_in_flight_per_project)
    window = schedule(runtime.settings).window
    opening = window.next_opening(now) if window is not None else None
    return work_of(unfinished, durations.rates(), now, limits, opening)


def is_stale(settings: Settings, moment: datetime, now: datetime) -> bool:
    """Whether the last look at the cloud is older than a volume's last backup may be."""
    return due.is_outdated(moment, now, settings.backup.min_interval)


def tallied(
    tally: Tally,
    volumes: Iterable[tuple[InventoryVolume, str | None]],
    settings: Settings,
    now: datetime,
    pauses: Pauses = NO_PAUSES,
) -> Iterator[Late]:
    """Add the volumes that exist to a tally, and yield those that are overdue, if not paused."""
    rules = schedule(settings)
    for volume, project_name in volumes:
        tally.ended += _ended_lately(volume, settings, now)
        _add_shortening(tally, volume, settings, now)
        if volume.gone_at is not None:
            continue
        tally.future += due.has_future_moment(volume, now)
        tally.bad_retention += volume.bad_retention is not None
        if not volume.protected:
            tally.skipped += volume.skip_cause is SkipCause.REQUEST
            continue
        tally.protected += 1
        _add_proof(tally, volume, settings.verify.every.before(now))
        success = volume.last_success_at
        if volume.unrestorable_since is not None:
            tally.lost += 1
        elif success is None:
            tally.never += 1
        else:
            tally.oldest_success = min(success, tally.oldest_success or success)
        is_overdue = due.is_overdue(volume, now, rules)
        if pauses.of(volume) is not None:
            tally.paused += 1
            tally.paused_overdue += is_overdue
        elif is_overdue:
            tally.overdue += 1
            yield _late(volume, project_name)


def _ended_lately(volume: InventoryVolume, settings: Settings, now: datetime) -> bool:
    ended_at = volume.protection_ended_at
    if ended_at is None:
        return False
    return now < max(settings.report.period.after(ended_at), ended_at + _A_DAY)


def _add_proof(tally: Tally, volume: InventoryVolume, since: datetime) -> None:
    tally.proof_failed += volume.proof_failed_at is not None
    if volume.proven_at is not None:
        tally.proofs[volume.volume_id] = volume.proven_at
        tally.proven += volume.proof_failed_at is None and volume.proven_at >= since


def _add_shortening(
    tally: Tally, volume: InventoryVolume, settings: Settings, now: datetime
) -> None:
    """Of a volume that is gone, only `keep_last` ends: that is no warning of its own."""
    if volume.retention_shortened_at is None:
        return
    until = grace_ends_at(volume, settings.retention.grace, now)
    if until is not None:
        tally.shortened += 1
        tally.shortened_from = min(until, tally.shortened_from or until)


def _late(volume: InventoryVolume, project_name: str | None) -> Late:
    success = volume.last_success_at
    return Late(
        project=project_name or volume.project_id,
        server=volume.server_name or volume.server_id or "",
        volume=volume.volume_name or volume.volume_id,
        since=success or volume.unrestorable_since or volume.expected_since,
        ever=success is not None or volume.unrestorable_since is not None,
        failures=volume.failures,
    )
