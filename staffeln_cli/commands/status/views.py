"""The rows of `status volumes`, `backups`, `projects` and `runs`."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import TYPE_CHECKING

from staffeln_cli.commands.status.summary import tallied
from staffeln_cli.config.rules import schedule
from staffeln_cli.model import InventoryVolume, ProjectQuota, ProjectRecord, State
from staffeln_cli.model.lifecycle import IN_FLIGHT
from staffeln_cli.model.pauses import Pause
from staffeln_cli.planning.health import Tally
from staffeln_cli.planning.protection import due
from staffeln_cli.planning.protection.pausing import described
from staffeln_cli.planning.usage import VolumeUsage
from staffeln_cli.reports.recovery import recovery_times
from staffeln_cli.runtime import Runtime

if TYPE_CHECKING:
    from staffeln_cli.store import Filter
    from staffeln_cli.store.status_queries import BackupCount

VOLUMES = (
    *("volume_id", "volume_name", "server_id", "server_name", "project_id", "project_name"),
    *("protected", "skip_reason", "retention", "bad_retention", "status", "size_gib"),
    *("last_success_at", "next_due_at", "overdue", "last_started_at", "last_failed_at"),
    *("failures", "first_seen_at", "gone_at", "proven_at", "proof_failed_at"),
    *("paused", "pause_reason", "paused_by", "paused_until"),
    "recovery_seconds",
)
BACKUPS = (
    *("name", "backup_id", "volume_id", "volume_name", "server_id", "server_name"),
    *("project_id", "project_name", "kind", "state", "reason", "attempt", "planned_at"),
    *("started_at", "finished_at", "deleted_at", "size_gib", "origin", "chain_id", "pinned"),
    *("pin_note", "pinned_by", "delete_reason", "delete_refusal", "succeeded_at", "record_id"),
)
PROJECTS = (
    *("project_id", "project_name", "domain_id", "enabled", "protected", "skipped", "overdue"),
    *("never", "oldest_success", "planned", "running", "available", "failed", "size_gib"),
    *("reported_at", "gone_at", "quota_gib", "quota_gib_used", "quota_backups"),
    *("quota_backups_used", "quota_seen_at", "quota_days_left", "paused"),
)
RUNS = (
    *("run_id", "command", "host", "started_at", "ended_at", "duration_s", "outcome"),
    *("api_requests", "counts", "failures"),
)
USAGE = (*VolumeUsage._fields, "since", "until")
COLUMNS = {
    "volumes": VOLUMES,
    "backups": BACKUPS,
    "projects": PROJECTS,
    "runs": RUNS,
    "usage": USAGE,
}


@dataclass(frozen=True, slots=True)
class View:
    """A table: the names of its columns, and its rows, which come as they are read."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[object, ...]]
    remarks: tuple[str, ...] = ()
    """What people are told below it."""

    def of(self, columns: Sequence[str]) -> "View":
        """Only these columns, in the order of the view, as the openstack client has them."""
        indexes = [index for index, name in enumerate(self.columns) if name in columns]
        names = tuple(self.columns[index] for index in indexes)
        rows = (tuple(row[index] for index in indexes) for row in self.rows)
        return replace(self, columns=names, rows=rows)

    def by(self, columns: Sequence[str], *, descending: bool = False) -> "View":
        """Sorted by the first column, then the next; rows without a value come last."""
        rows = list(self.rows)
        for name in reversed(columns):
            index = self.columns.index(name)
            known = [row for row in rows if row[index] is not None]
            known.sort(key=lambda row: _rank(row[index]), reverse=descending)
            rows = known + [row for row in rows if row[index] is None]
        return replace(self, rows=iter(rows))

    def first(self, number: int | None) -> "View":
        """At most so many rows; None: all."""
        return replace(self, rows=islice(self.rows, number))


def volumes(runtime: Runtime, wanted: "Filter", *, overdue: bool = False) -> View:
    """The volumes that exist or have a backup; a paused one is not overdue, as in the summary."""
    now, rules = runtime.now(), schedule(runtime.settings)
    default = str(runtime.settings.retention.time)
    pauses = runtime.store.pauses.held(now)
    recovery = recovery_times(runtime)

    def row(volume: InventoryVolume, project_name: str | None) -> tuple[object, ...]:
        values = volume._asdict()
        values["project_name"] = project_name
        values["retention"] = volume.retention or default
        pause = pauses.of(volume) if volume.protected else None
        values |= _pause(pause)
        expected = recovery.get((volume.project_id, volume.volume_id))
        values["recovery_seconds"] = round(expected.median, 3) if expected is not None else None
        values["next_due_at"], values["overdue"] = None, False
        if volume.protected:
            values["next_due_at"] = due.next_due_at(volume, rules.min_interval, now)
            values["overdue"] = pause is None and due.is_overdue(volume, now, rules)
        return tuple(values[name] for name in VOLUMES)

    rows = (row(*found) for found in runtime.store.status_queries.volumes(wanted))
    index = VOLUMES.index("overdue")
    rows = (values for values in rows if values[index] or not overdue)
    return View(VOLUMES, rows, tuple(described(pause) for pause in pauses))


def _pause(pause: Pause | None) -> dict[str, object]:
    if pause is None:
        return {"paused": False, "pause_reason": None, "paused_by": None, "paused_until": None}
    return {
        "paused": True,
        "pause_reason": pause.reason,
        "paused_by": pause.paused_by,
        "paused_until": pause.until,
    }


def backups(runtime: Runtime, wanted: "Filter") -> View:
    """The backup records, newest plan first."""
    return View(
        BACKUPS,
        (tuple(backup) for backup in runtime.store.status_queries.backups(BACKUPS, wanted)),
    )


def projects(runtime: Runtime, wanted: "Filter") -> View:
    """The projects that exist, or that have backups left."""
    queries = runtime.store.status_queries
    counts: dict[str, list[BackupCount]] = defaultdict(list)
    for count in queries.backup_counts():
        counts[count.project_id].append(count)
    tallies: dict[str, Tally] = {}
    quotas, now = runtime.store.projects.quotas(), runtime.now()
    pauses = runtime.store.pauses.held(now)
    for project_id, group in groupby(queries.volumes(wanted), lambda found: found[0].project_id):
        tally = tallies[project_id] = Tally()
        for _ in tallied(tally, group, runtime.settings, now, pauses):
            pass
    return View(
        PROJECTS,
        (
            _project(one, tallies.get(one.project_id, Tally()), counts.get(one.project_id, []))
            + _quota(quotas.get(one.project_id), now)
            + (tallies.get(one.project_id, Tally()).paused,)
            for one in queries.projects(wanted)
            if one.gone_at is None or one.project_id in counts
        ),
    )


def _project(
    project: ProjectRecord, tally: Tally, counts: Sequence["BackupCount"]
) -> tuple[object, ...]:
    number: Mapping[State, int] = {count.state: count.number for count in counts}
    kept = [count.size_gib for count in counts if count.state is State.AVAILABLE]
    return (
        *(project.project_id, project.project_name, project.domain_id, project.enabled),
        *(tally.protected, tally.skipped, tally.overdue, tally.never, tally.oldest_success),
        number.get(State.PLANNED, 0),
        sum(number.get(state, 0) for state in IN_FLIGHT),
        *(number.get(State.AVAILABLE, 0), number.get(State.FAILED, 0), sum(kept)),
        *(project.reported_at, project.gone_at),
    )


def _quota(quota: ProjectQuota | None, now: datetime) -> tuple[object, ...]:
    if quota is None:
        return (None,) * 6
    return *quota[:5], quota.days_left(now)


def runs(runtime: Runtime, *, command: str | None = None, outcome: str | None = None) -> View:
    """The runs, newest first; a run without an end is still running, or died."""
    rows = runtime.store.status_queries.runs(command, outcome)
    return View(
        RUNS,
        (
            (
                *(run.id, run.command, run.host, run.started_at, run.ended_at),
                (run.ended_at - run.started_at) / timedelta(seconds=1) if run.ended_at else None,
                *(run.outcome, run.api_requests, run.counts, len(run.failures)),
            )
            for run in rows
        ),
    )


def _rank(value: object) -> tuple[bool, float, str]:
    """Numbers before texts; texts and moments as they are written, without case."""
    if isinstance(value, (bool, int, float)):
        return False, value, ""
    return True, 0.0, str(value).casefold()
