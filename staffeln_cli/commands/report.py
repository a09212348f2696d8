"""One digest for each project whose period is over, by mail or to the log."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from staffeln_cli.commands.digest import Digest, Facts, digest
from staffeln_cli.commands.outlook import WINDOW, Outlook, outlook
from staffeln_cli.commands.page import Page, When, writing
from staffeln_cli.commands.project_page import project_page
from staffeln_cli.commands.receivers import Receivers
from staffeln_cli.errors import CloudUnavailable, MailUnavailable
from staffeln_cli.mail import Letter, MailServer, NotTaken
from staffeln_cli.model import Decision, Outcome, Project, ProjectId
from staffeln_cli.render.pages import Pages
from staffeln_cli.runtime import Run, Runtime, cycle

if TYPE_CHECKING:
    from staffeln_cli.store.reports import Addressee

log = logging.getLogger(__name__)
COUNTS = ("projects", "sent", "logged", "unsent")
_MOST_GRACE = timedelta(minutes=15)
Show = Callable[[str], None]


def run(runtime: Runtime, *, dry_run: bool = False, show: Show | None = None) -> Outcome:
    """One pass. Without a sender reports go to the log, or to `show` where somebody watches."""
    return cycle(
        runtime,
        "report",
        lambda run: _report(run, show),
        counts=COUNTS,
        leader=True,
        dry_run=dry_run,
    )


@dataclass
class _Desk:
    """What a pass writes reports with."""

    run: Run
    pages: Pages
    when: When
    server: MailServer | None
    receivers: Receivers
    show: Show | None
    refused: int = 0
    """Reports that the mail server did not take."""


def _report(run: Run, show: Show | None) -> None:
    settings, now = run.settings, run.now()
    projects = [one for one in run.store.reports.addressees() if _is_due(run, one, now)]
    run.counts["projects"] = len(projects)
    server = MailServer(settings.mail) if settings.mail.sender is not None else None
    desk = _Desk(
        run=run,
        pages=Pages(settings.report.templates),
        when=writing(settings.report.timezone),
        server=server,
        receivers=Receivers(run, [project_of(one) for one in projects]),
        show=show,
    )
    try:
        drafts = _drafts(run, projects, now)
        for (project, draft), prospect in run.parallel(lambda one: prospects(run, one[1]), drafts):
            run.runtime.stop.check()
            _deliver(desk, project, replace(draft, outlook=prospect))
    finally:
        if server is not None:
            server.close()
    if server is not None and desk.refused and not run.counts["sent"]:
        raise MailUnavailable(f"{server.shown}: took none of {desk.refused} reports")


def _is_due(run: Run, project: "Addressee", now: datetime) -> bool:
    """Whether the period is over, less a grace, so that a daily crontab does not slip."""
    if project.reported_at is None:
        return True
    end = run.settings.report.period.after(project.reported_at)
    return end - min((end - project.reported_at) * 0.05, _MOST_GRACE) <= now


def _drafts(
    run: Run, projects: list["Addressee"], now: datetime
) -> Iterator[tuple["Addressee", Digest]]:
    """The digests to be sent; where all is well and nobody wants to hear it, none."""
    for project in projects:
        draft = drafted(run, project, now)
        if run.settings.report.only == "always" or draft.is_trouble:
            yield project, draft


def drafted(run: Run, project: "Addressee", now: datetime) -> Digest:
    """A digest, by what the database knows."""
    reports, project_id = run.store.reports, project.project_id
    facts = Facts(
        project=project,
        volumes=reports.volumes(project_id),
        entries=reports.untold(project_id),
        restorable=reports.restorable(project_id),
        unfinished=reports.unfinished(project_id),
    )
    return digest(facts, run.settings, now)


def prospects(run: Run, draft: Digest) -> Outlook | None:
    """The project's quotas; a digest goes out without them where Cinder does not tell."""
    project_id = ProjectId(draft.project_id)
    try:
        quotas = run.cloud.look.quotas(project_id)
    except CloudUnavailable as error:
        log.warning("project %s: its quota is not known: %s", project_id, error)
        return None
    growth = run.store.reports.growth(project_id, draft.until - WINDOW)
    return outlook(quotas, growth, draft.until)


def _deliver(desk: _Desk, project: "Addressee", report: Digest) -> None:
    """Send one digest, and only then note that the project has been told."""
    page = project_page(report, desk.when)
    if desk.server is None:
        _log(desk, project, page, report)
        return
    addresses, why_not = desk.receivers.of(project_of(project))
    if not addresses:
        _unsent(desk.run, project, why_not)
        return
    desk.run.decide(_decision("send", project, f"to {', '.join(addresses)}: {page.subject}"))
    if desk.run.dry_run:
        return
    letter = Letter(
        receivers=addresses,
        subject=page.subject,
        text=desk.pages.text(page, digest=report),
        html=desk.pages.html(page, digest=report),
        message_id=message_id(project.project_id, project.reported_at),
        date=report.until,
    )
    try:
        refused = desk.server.send(letter)
    except NotTaken as error:
        desk.refused += 1
        _unsent(desk.run, project, str(error))
        return
    desk.run.store.reports.told(project.project_id, report.until, report.entries)
    desk.run.count("sent")
    log.info("project %s: report sent to %s", project.project_id, ", ".join(addresses))
    for address, reason in refused.items():
        desk.run.fail("project", project.project_id, f"{address} was refused: {reason}")


def _log(desk: _Desk, project: "Addressee", page: Page, report: Digest) -> None:
    desk.run.decide(_decision("log", project, page.subject))
    if desk.run.dry_run:
        return
    text = desk.pages.text(page, digest=report)
    if desk.show is not None:
        desk.show(text)
    else:
        level = logging.WARNING if report.is_trouble else logging.INFO
        log.log(level, "report for project %s\n%s", project.project_id, text)
    desk.run.store.reports.told(project.project_id, report.until, report.entries)
    desk.run.count("logged")


def _unsent(run: Run, project: "Addressee", reason: str) -> None:
    run.count("unsent")
    run.fail("project", project.project_id, f"its report was not sent: {reason}")


def message_id(whom: str, since: datetime | None) -> str:
    """The same for the same period: a report that is sent again is known to be the same."""
    start = since.isoformat() if since else "first"
    return f"staffeln.{hashlib.sha256(f'{whom} {start}'.encode()).hexdigest()[:32]}"


def project_of(project: "Addressee") -> Project:
    """The project as the rest of Staffeln has it."""
    return Project(project.project_id, project.project_name, project.domain_id, project.enabled)


def _decision(action: str, project: "Addressee", reason: str) -> Decision:
    return Decision(action, "project", project.project_id, project.project_name, reason)
