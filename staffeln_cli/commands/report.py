"""Send each project whose period is over a report, and record that it was sent."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime

from staffeln_cli import mail
from staffeln_cli.errors import MailUnavailable, NotFound
from staffeln_cli.mail import MessageRejected
from staffeln_cli.model import Decision, Outcome, ProjectId, ProjectRecord
from staffeln_cli.operations import lookup
from staffeln_cli.planning.audit import Audit
from staffeln_cli.reports.audit import audit
from staffeln_cli.reports.composing import draft_report, with_quotas
from staffeln_cli.reports.delivery import ReportMailer, is_over, message_id
from staffeln_cli.reports.model import ProjectReport
from staffeln_cli.reports.operator_summary import operator_summary, send_operator_summary
from staffeln_cli.reports.pages.html import Pages
from staffeln_cli.reports.pages.layout import writing
from staffeln_cli.reports.pages.operator import operator_page
from staffeln_cli.reports.pages.project import project_page
from staffeln_cli.reports.recipients import Recipients, may_receive_report, project_of
from staffeln_cli.runtime import Run, Runtime, run_pass

log = logging.getLogger(__name__)
COUNTS = ("projects", "sent", "logged", "unsent")
Show = Callable[[str], None]


def run(runtime: Runtime, *, dry_run: bool = False, show: Show | None = None) -> Outcome:
    """One pass. Without a sender, reports go to `show` if it is given, else to the log."""
    return run_pass(
        runtime,
        "report",
        lambda run: _report(run, show),
        counts=COUNTS,
        leader=True,
        dry_run=dry_run,
    )


def _report(run: Run, show: Show | None) -> None:
    now, mailer = run.now(), ReportMailer(run.settings)
    due = [
        project
        for project in run.store.reports.projects_to_report()
        if is_over(project.reported_at, run.settings.report.period, now)
        and may_receive_report(project, run)
    ]
    run.counts["projects"] = len(due)
    recipients = Recipients(run, [project_of(project) for project in due])
    try:
        for (project, _), report in run.parallel(
            lambda draft: with_quotas(run.runtime, draft[1]), _drafts(run, due, now)
        ):
            run.runtime.stop.check()
            _note_quota(run, report, now)
            if mailer.sends:
                _send(run, mailer, recipients, project, report)
            else:
                _log(run, mailer, project, report, show)
        if mailer.sends:
            send_operator_summary(run, mailer, now)
    except MailUnavailable:
        run.counts["unsent"] = len(due) - run.counts["sent"]
        raise
    finally:
        mailer.close()
    if mailer.refused and not run.counts["sent"]:
        raise MailUnavailable(f"{mailer.server.shown}: took none of {mailer.refused} reports")


def _note_quota(run: Run, report: ProjectReport, now: datetime) -> None:
    """Remembered for `status`, which does not ask the cloud."""
    if report.quota_forecast is not None and not run.dry_run:
        project_id = ProjectId(report.project_id)
        run.store.projects.note_quota(project_id, report.quota_forecast.seen(now))


def _drafts(
    run: Run, due: list[ProjectRecord], now: datetime
) -> Iterator[tuple[ProjectRecord, ProjectReport]]:
    """The reports to be sent; none for a project without trouble if only trouble is reported."""
    only_trouble = run.settings.report.only == "trouble"
    for project in due:
        if (
            only_trouble
            and not draft_report(run.runtime, project, now, only_trouble=True).is_trouble
        ):
            continue
        yield project, draft_report(run.runtime, project, now)


def _send(
    run: Run,
    mailer: ReportMailer,
    recipients: Recipients,
    project: ProjectRecord,
    report: ProjectReport,
) -> None:
    """Send one report, and only then record that it was sent."""
    page = project_page(report, mailer.when)
    addresses, why_not = recipients.of(project_of(project))
    if not addresses:
        _without_address(run, project, why_not)
        return
    run.decide(_decision("send", project, f"to {', '.join(addresses)}: {page.subject}"))
    if run.dry_run:
        return
    try:
        refused = mailer.send(
            page, report, addresses, message_id(project.project_id, project.reported_at)
        )
    except MessageRejected as error:
        _unsent(run, project, str(error))
        return
    _note_reported(run, project, report)
    run.count("sent")
    log.info("project %s: report sent to %s", project.project_id, ", ".join(addresses))
    recipients.name_unknown(project_of(project))
    for address, reason in refused.items():
        run.fail("project", project.project_id, f"{address} was refused: {reason}")


def _log(
    run: Run,
    mailer: ReportMailer,
    project: ProjectRecord,
    report: ProjectReport,
    show: Show | None,
) -> None:
    page = project_page(report, mailer.when)
    run.decide(_decision("log", project, page.subject))
    if run.dry_run:
        return
    text = mailer.text(page, report)
    if show is not None:
        show(text)
    else:
        level = logging.WARNING if report.is_trouble else logging.INFO
        log.log(level, "report for project %s", project.project_id, extra={"text": text})
    _note_reported(run, project, report)
    run.count("logged")


def _note_reported(run: Run, project: ProjectRecord, report: ProjectReport) -> None:
    run.store.reports.note_reported(
        project.project_id,
        report.until,
        report.records,
        ended=report.ended_volumes,
        drills=report.drills,
    )


def _without_address(run: Run, project: ProjectRecord, reason: str) -> None:
    """Name a project that nobody can be told of, once in a period: only people can change that."""
    now = run.now()
    named_at, reported_at = project.unsent_named_at, project.reported_at
    was_sent = named_at is not None and reported_at is not None and named_at < reported_at
    if was_sent or is_over(named_at, run.settings.report.period, now):
        _unsent(run, project, reason)
        if not run.dry_run:
            run.store.projects.note_unsent(project.project_id, now)
        return
    run.count("unsent")
    log.info("project %s: its report was not sent: %s", project.project_id, reason)


def _unsent(run: Run, project: ProjectRecord, reason: str) -> None:
    run.count("unsent")
    run.fail("project", project.project_id, f"its report was not sent: {reason}")


def _decision(action: str, project: ProjectRecord, reason: str) -> Decision:
    return Decision(action, "project", project.project_id, project.project_name, reason)


def preview(runtime: Runtime, project: str | None) -> str:
    """The HTML of a project's next report, or of the operator's summary; nothing is sent."""
    mailer, now = ReportMailer(runtime.settings), runtime.now()
    if project is None:
        summary = operator_summary(runtime, now)
        return mailer.html(operator_page(summary, mailer.when), summary)
    report = with_quotas(runtime, draft_report(runtime, lookup.project(runtime, project), now))
    return mailer.html(project_page(report, mailer.when), report)


def evidence(runtime: Runtime, since: datetime | None, project: str | None) -> Audit:
    """The evidence for auditors, from the state alone."""
    only = lookup.project(runtime, project).project_id if project is not None else None
    return audit(runtime, since, only)


def evidence_page(runtime: Runtime, found: Audit) -> str:
    """The evidence as HTML."""
    settings = runtime.settings.report
    return Pages(settings.templates).evidence(found, writing(settings.timezone))


def try_mail(runtime: Runtime, address: str) -> str:
    """Send a few words to an address; return what was done. MailUnavailable says why not."""
    settings = runtime.settings.mail
    if not mail.is_address(address):
        raise NotFound(f"{address!r} is not an e-mail address")
    server = mail.MailServer(settings)
    now = runtime.now()
    text = f"Staffeln can send mail through the {server.shown}.\n"
    message = mail.Message(
        receivers=[address],
        subject="[Staffeln] test mail",
        text=text,
        html=f"<p>{text}</p>",
        message_id=message_id(f"test to {address}", now),
        date=now,
    )
    try:
        server.send(message)
    except mail.MessageRejected as error:
        raise MailUnavailable(str(error)) from error
    finally:
        server.close()
    return f"the {server.shown} has accepted a mail from {settings.sender} to {address}"
