"""The operator's summary: the state of all projects, and what needs attention."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from staffeln_cli import mail
from staffeln_cli.mail import MessageRejected
from staffeln_cli.model import (
    Decision,
    Failure,
    InventoryVolume,
    ProjectId,
    State,
    VolumeId,
)
from staffeln_cli.model.text import many, one_line
from staffeln_cli.planning.health import WATCHED
from staffeln_cli.planning.protection import due
from staffeln_cli.planning.protection.pausing import described
from staffeln_cli.planning.retention.shortening import grace_ends_at
from staffeln_cli.reports.delivery import ReportMailer, is_over, message_id
from staffeln_cli.reports.model import (
    Item,
    OperatorSummary,
    ProjectState,
    Proofs,
    ProtectionState,
    Trouble,
)
from staffeln_cli.reports.pages.operator import operator_page
from staffeln_cli.reports.proofs import proofs_of, unproven
from staffeln_cli.reports.protection import protection_state
from staffeln_cli.reports.terms import bad_retention, protection_end, shortening
from staffeln_cli.reports.trouble import is_stuck, trouble
from staffeln_cli.runtime import Run, Runtime

if TYPE_CHECKING:
    from staffeln_cli.store.reports import Charge


def send_operator_summary(run: Run, mailer: ReportMailer, now: datetime) -> None:
    """Send the operator a summary, if one is configured and the period is over."""
    recipients = mail.addresses(run.settings.mail.operator)
    last = run.store.reports.operator_reported_at()
    if not recipients or not is_over(last, run.settings.report.period, now):
        return
    summary = operator_summary(run.runtime, now, run.failures)
    if run.settings.report.only == "trouble" and not summary.is_trouble:
        return
    page, to = operator_page(summary, mailer.when), ", ".join(recipients)
    run.decide(Decision("send", "operator", to, "operator", page.subject))
    if run.dry_run:
        return
    try:
        refused = mailer.send(page, summary, recipients, message_id("operator", last))
    except MessageRejected as error:
        run.fail("operator", to, f"the summary of all projects was not sent: {error}")
        return
    run.store.reports.note_operator_reported(now)
    for address, reason in refused.items():
        run.fail("operator", address, f"was refused: {reason}")


def operator_summary(
    runtime: Runtime, now: datetime, failures: Iterable[Failure] = ()
) -> OperatorSummary:
    """The state of all projects, and what happened since the last summary."""
    reports, period = runtime.store.reports, runtime.settings.report.period
    names = {
        project_id: one_line(name) for project_id, name in runtime.store.projects.names().items()
    }
    since = reports.operator_reported_at() or period.before(now)
    tallies = _tallied(runtime, now, names)
    marked = runtime.store.observations.marked()
    return OperatorSummary(
        cloud=one_line(runtime.store.cloud.name() or ""),
        since=since,
        until=now,
        projects=_states(tallies, reports.successes(since, now), names),
        trouble=_trouble(runtime, tallies, names, since, now),
        bad_retention=[item for tally in tallies.values() for item in tally.bad_retention],
        ended=[
            protection_end(volume, names.get(volume.project_id, volume.project_id))
            for volume in reports.protection_ended_between(since, now)
        ],
        shortened=[item for tally in tallies.values() for item in tally.shortened],
        proofs=_proofs(runtime, names),
        findings=[*_findings(runtime, tallies, now)],
        foreign=marked.foreign,
        unsent=[
            (names.get(ProjectId(failure.id), failure.id), one_line(failure.reason))
            for failure in failures
            if failure.kind == "project"
        ],
        runs=_bad_runs(runtime),
    )


def _trouble(
    runtime: Runtime,
    tallies: Mapping[ProjectId, "_Tally"],
    names: Mapping[ProjectId, str],
    since: datetime,
    now: datetime,
) -> Trouble:
    """What went wrong in all projects; of failures, those without a later success."""
    failing = {volume_id for tally in tallies.values() for volume_id in tally.failing}
    records = list(runtime.store.reports.between(since, now))
    return trouble(
        failed=[
            record for record in records if not record.succeeded and record.volume_id in failing
        ],
        lost=[record for record in records if record.state is State.MISSING],
        broken=[record for record in records if record.is_broken],
        stuck=[record for record in records if is_stuck(record)],
        project_names=names,
    )


def _bad_runs(runtime: Runtime) -> list[tuple[str, str, datetime]]:
    """The commands that nobody watches whose last run did not go well."""
    return [
        (name, str(row["outcome"]), row["started_at"])
        for name, row in sorted(runtime.store.runs.last_of_each().items())
        if row["outcome"] != "ok" and name not in WATCHED
    ]


def _proofs(runtime: Runtime, names: Mapping[ProjectId, str]) -> Proofs:
    """The volumes of all projects whose restore drill failed."""
    failed = list(unproven(runtime.store.inventory.all_volumes()))
    drills = runtime.store.drills.of_volumes([volume.volume_id for volume in failed])
    found: list[Item] = []
    for volume in failed:
        project = names.get(volume.project_id, volume.project_id)
        of_volume = {volume.volume_id: drills.get(volume.volume_id, [])}
        found += proofs_of([volume], of_volume, project).failed
    return Proofs(failed=found)


def _findings(
    runtime: Runtime, tallies: Mapping[ProjectId, "_Tally"], now: datetime
) -> Iterator[str]:
    """What no project's report has, and nobody else would notice."""
    if untracked := runtime.store.observations.marked().untracked:
        backups = many(untracked, "backup")
        yield f"{backups} of Staffeln's without a record: staffeln doctor --orphans"
    if unknown := len(runtime.store.projects.suspected()):
        yield f"{many(unknown, 'project')} unknown to Keystone"
    if future := sum(tally.future for tally in tallies.values()):
        yield f"volumes whose history lies in the future: {future:,} (staffeln doctor)"
    yield from (one_line(described(pause)) for pause in runtime.store.pauses.held(now))


@dataclass(slots=True)
class _Tally:
    """One project's volumes, counted."""

    protected: int = 0
    unprotected: int = 0
    waiting: int = 0
    future: int = 0
    failing: set[VolumeId] = field(default_factory=set)
    bad_retention: list[Item] = field(default_factory=list)
    shortened: list[Item] = field(default_factory=list)

    def add(self, volume: InventoryVolume, state: ProtectionState | None) -> None:
        """Count a volume that exists."""
        self.protected += volume.protected
        self.waiting += state is ProtectionState.WAITING
        self.unprotected += state in (ProtectionState.OVERDUE, ProtectionState.UNRESTORABLE)
        if volume.protected and volume.failures:
            self.failing.add(volume.volume_id)


def _tallied(
    runtime: Runtime, now: datetime, names: Mapping[ProjectId, str]
) -> dict[ProjectId, _Tally]:
    tallies: dict[ProjectId, _Tally] = {}
    pauses, settings = runtime.store.pauses.held(now), runtime.settings
    restorable: Collection[VolumeId] = runtime.store.reports.restorable()
    for volume in runtime.store.inventory.all_volumes():
        if volume.gone_at is not None:
            continue
        is_restorable = volume.volume_id in restorable
        state = protection_state(volume, restorable=is_restorable, settings=settings, now=now)
        tally = tallies.setdefault(volume.project_id, _Tally())
        tally.add(volume, state if pauses.of(volume) is None else None)
        tally.future += due.has_future_moment(volume, now)
        name = names.get(volume.project_id, volume.project_id)
        if volume.bad_retention:
            tally.bad_retention.append(bad_retention(volume, name))
        if grace_ends_at(volume, settings.retention.grace, now) is not None:
            tally.shortened.append(shortening(volume, settings, now, name))
    return tallies


def _states(
    tallies: dict[ProjectId, _Tally],
    made: Mapping[ProjectId, "Charge"],
    names: Mapping[ProjectId, str],
) -> list[ProjectState]:
    """The projects with anything protected, or anything backed up, by name."""
    states = []
    for project_id in {*tallies, *made}:
        tally = tallies.get(project_id, _Tally())
        number = made[project_id].backups if project_id in made else 0
        if tally.protected or number:
            states.append(
                ProjectState(
                    name=names.get(project_id, project_id),
                    protected=tally.protected,
                    unprotected=tally.unprotected,
                    waiting=tally.waiting,
                    failed=len(tally.failing),
                    made=number,
                )
            )
    return sorted(states, key=lambda state: state.name)
