"""Gather what a project's report is made of: records from the database, quotas from Cinder."""

import logging
from dataclasses import replace
from datetime import datetime

from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import ProjectId, ProjectRecord
from staffeln_cli.reports.model import ProjectReport
from staffeln_cli.reports.project_report import Known, digest
from staffeln_cli.reports.quota_forecast import WINDOW, outlook
from staffeln_cli.runtime import Runtime

log = logging.getLogger(__name__)


def draft_report(
    runtime: Runtime, project: ProjectRecord, now: datetime, *, only_trouble: bool = False
) -> ProjectReport:
    """A digest by what the database knows; quotas are asked for only where it is to be sent."""
    reports, project_id = runtime.store.reports, project.project_id
    known = Known(
        project=project,
        volumes=reports.volumes(project_id),
        records=reports.unreported(project_id, only_trouble=only_trouble),
        restorable=reports.restorable(project_id),
        unfinished=reports.unfinished(project_id),
    )
    return digest(known, runtime.settings, now)


def with_quotas(runtime: Runtime, draft: ProjectReport) -> ProjectReport:
    """The digest with the project's quotas; without them where Cinder does not tell."""
    project_id = ProjectId(draft.project_id)
    try:
        quotas = runtime.cloud.lookups.quotas(project_id)
    except CloudUnavailable as error:
        log.warning("project %s: its quota is not known: %s", project_id, error)
        return draft
    growth = runtime.store.reports.growth(project_id, draft.until - WINDOW)
    return replace(draft, outlook=outlook(quotas, growth, draft.until))
