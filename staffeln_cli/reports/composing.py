"""Gather the parts of a project's report: records from the database, quotas from Cinder."""

import logging
from dataclasses import replace
from datetime import datetime

from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import ProjectId, ProjectRecord
from staffeln_cli.reports.model import ProjectReport
from staffeln_cli.reports.pauses import paused_items
from staffeln_cli.reports.project_report import Known, project_report
from staffeln_cli.reports.quota_forecast import WINDOW, forecast
from staffeln_cli.runtime import Runtime

log = logging.getLogger(__name__)


def draft_report(
    runtime: Runtime, project: ProjectRecord, now: datetime, *, only_trouble: bool = False
) -> ProjectReport:
    """A report by what the database knows, without quotas, which only sent reports need."""
    reports, project_id = runtime.store.reports, project.project_id
    grace = runtime.settings.retention.grace
    volumes = reports.volumes(project_id)
    known = Known(
        project=project,
        volumes=volumes,
        records=reports.unreported(project_id, only_trouble=only_trouble),
        restorable=reports.restorable(project_id),
        unfinished=reports.unfinished(project_id),
        pauses=runtime.store.pauses.held(now),
        ended=reports.protection_ended(project_id),
        shortened=reports.shortened(project_id, grace.before(now)),
        drills=runtime.store.drills.of_volumes([one.volume_id for one in volumes]),
    )
    report = project_report(known, runtime.settings, now)
    return replace(report, paused=[*paused_items(known.volumes, known.pauses)])


def with_quotas(runtime: Runtime, draft: ProjectReport) -> ProjectReport:
    """The report with the project's quotas; without them if Cinder does not answer."""
    project_id = ProjectId(draft.project_id)
    try:
        quotas = runtime.cloud.lookups.quotas(project_id)
    except CloudUnavailable as error:
        log.warning("project %s: its quota is not known: %s", project_id, error)
        return draft
    growth = runtime.store.reports.growth(project_id, draft.until - WINDOW)
    return replace(draft, quota_forecast=forecast(quotas, growth, draft.until))
