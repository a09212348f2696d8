"""The operator's summary: the state of all projects, and what needs attention."""

from collections.abc import Collection, Iterable, Iterator
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
from staffeln_cli.model.text import one_line
from staffeln_cli.planning.protection import due
from staffeln_cli.planning.protection.pausing import described
from staffeln_cli.reports.delivery import ReportMailer, is_over, message_id
from staffeln_cli.reports.model import Item, OperatorSummary, ProjectState, Proofs, ProtectionState
from staffeln_cli.reports.pages.operator import operator_page
from staffeln_cli.reports.project_report import (
    bad_retention,
    is_stuck,
    protection_end,
    trouble,
)
from staffeln_cli.reports.proofs import proofs_of, unproven
from staffeln_cli.reports.protection import protection_state
from staffeln_cli.runtime import Run, Runtime

if TYPE_CHECKING:
    from staffeln_cli.store.reports import Charge


def send_operator_summary(run: Run, mailer: ReportMailer, now: datetime) -> None:
    """Send the operator a summary, if one is configured and the period is over."""
    receivers = mail.addresses(run.settings.mail.operator)
    last = run.store.reports.operator_reported_at()
    if not receivers or not is_over(last, run.settings.report.period, now):
        return
    summary = operator_summary(run.runtime, now, run.failures)
    if run.settings.report.only == "trouble" and not summary.is_trouble:
        return
    page, to = operator_page(summary, mailer.when), ", ".join(receivers)
    run.decide(Decision("send", "operator", to, "operator", page.subject))
    if run.dry_run:
        return
    try:
        refused = mailer.send(page, summary, receivers, message_id("operator", last))
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
    names = runtime.store.projects.names()
    since = reports.operator_reported_at() or period.before(now)
    tallies = _tallied(runtime, now, names)
    failing = {volume_id for one in tallies.values() for volume_id in one.failing}
    events = list(reports.between(since, now))
    marked = runtime.store.observations.marked()
    return OperatorSummary(
        cloud=one_line(runtime.store.cloud.name() or ""),
        since=since,
        until=now,
        projects=_states(tallies, reports.successes(since, now), names),
        trouble=trouble(
            failed=[o for o in events if not o.succeeded and o.volume_id in failing],
            lost=[one for one in events if one.state is State.MISSING],
            stuck=[one for one in events if is_stuck(one)],
            project_names=names,
        ),
        bad_retention=[item for tally in tallies.values() for item in tally.bad_retention],
        ended=[
            protection_end(one, one_line(names.get(one.project_id, one.project_id)))
            for one in reports.protection_ended_between(since, now)
        ],
        proofs=_proofs(runtime, names),
        findings=[
            *_findings(
                untracked=marked.untracked,
                unknown=len(runtime.store.projects.suspected()),
                future=sum(tally.future for tally in tallies.values()),
            ),
            *(one_line(described(pause)) for pause in runtime.store.pauses.held(now)),
        ],
        foreign=marked.foreign,
        unsent=[
            (one_line(names.get(ProjectId(one.id), one.id)), one_line(one.reason))
            for one in failures
            if one.kind == "project"
        ],
        runs=[
            (name, str(row["outcome"]), row["started_at"])
            for name, row in sorted(runtime.store.runs.last_of_each().items())
            if row["outcome"] not in ("ok", "skipped")
        ],
    )


def _proofs(runtime: Runtime, names: dict[ProjectId, str]) -> Proofs:
    """The volumes of all projects whose restore drill failed."""
    failed = list(unproven(runtime.store.inventory.all_volumes()))
    drills = runtime.store.drills.of_volumes([one.volume_id for one in failed])
    found: list[Item] = []
    for one in failed:
        project = one_line(names.get(one.project_id, one.project_id))
        found += proofs_of([one], {one.volume_id: drills.get(one.volume_id, [])}, project).failed
    return Proofs(failed=found)


def _findings(*, untracked: int, unknown: int, future: int) -> Iterator[str]:
    """What no project's report has, and nobody else would notice."""
    if untracked:
        yield f"{untracked:,} backups of Staffeln's have no record: staffeln doctor --orphans"
    if unknown:
        yield f"{unknown:,} projects are unknown to Keystone"
    if future:
        yield f"volumes whose history lies in the future: {future:,} (staffeln doctor)"


@dataclass(slots=True)
class _Tally:
    """One project's volumes, counted."""

    protected: int = 0
    unprotected: int = 0
    waiting: int = 0
    future: int = 0
    failing: set[VolumeId] = field(default_factory=set)
    bad_retention: list[Item] = field(default_factory=list)

    def add(self, volume: InventoryVolume, state: ProtectionState | None) -> None:
        """Count a volume that exists."""
        self.protected += volume.protected
        self.waiting += state is ProtectionState.WAITING
        self.unprotected += state in (ProtectionState.OVERDUE, ProtectionState.UNRESTORABLE)
        if volume.protected and volume.failures:
            self.failing.add(volume.volume_id)


def _tallied(
    runtime: Runtime, now: datetime, names: dict[ProjectId, str]
) -> dict[ProjectId, _Tally]:
    tallies: dict[ProjectId, _Tally] = {}
    pauses = runtime.store.pauses.held(now)
    restorable: Collection[VolumeId] = runtime.store.reports.restorable()
    for one in runtime.store.inventory.all_volumes():
        if one.gone_at is not None:
            continue
        state = protection_state(
            one, restorable=one.volume_id in restorable, settings=runtime.settings, now=now
        )
        state = state if pauses.of(one) is None else None
        tally = tallies.setdefault(one.project_id, _Tally())
        tally.add(one, state)
        tally.future += due.has_future_moment(one, now)
        if one.bad_retention:
            name = one_line(names.get(one.project_id, one.project_id))
            tally.bad_retention.append(bad_retention(one, name))
    return tallies


def _states(
    tallies: dict[ProjectId, _Tally],
    made: dict[ProjectId, "Charge"],
    names: dict[ProjectId, str],
) -> list[ProjectState]:
    """The projects with anything protected, or anything backed up, by name."""
    states = []
    for project_id in {*tallies, *made}:
        tally = tallies.get(project_id, _Tally())
        number = made[project_id].backups if project_id in made else 0
        if tally.protected or number:
            states.append(
                ProjectState(
                    name=one_line(names.get(project_id, project_id)),
                    protected=tally.protected,
                    unprotected=tally.unprotected,
                    waiting=tally.waiting,
                    failed=len(tally.failing),
                    made=number,
                )
            )
    return sorted(states, key=lambda one: one.name)
