"""Gather the parts of a project's report: records from the database, quotas from Cinder."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import InventoryVolume, ProjectId, ProjectRecord
from staffeln_cli.model.text import one_line
from staffeln_cli.planning.recovery import ServerRecovery, by_server
from staffeln_cli.reports.model import ProjectReport
from staffeln_cli.reports.pauses import paused_items
from staffeln_cli.reports.project_report import Known, project_report
from staffeln_cli.reports.quota_forecast import WINDOW, forecast
from staffeln_cli.reports.recovery import recovery_times
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
        drills=runtime.store.drills.of_volumes([volume.volume_id for volume in volumes]),
    )
    report = project_report(known, runtime.settings, now)
    return replace(
        report,
        paused=[*paused_items(known.volumes, known.pauses)],
        recovery=_recovery(runtime, volumes),
    )


def _recovery(runtime: Runtime, volumes: Sequence[InventoryVolume]) -> list[ServerRecovery]:
    """How long it takes to restore the servers; of their protected volumes."""
    protected = [volume for volume in volumes if volume.protected]
    times = recovery_times(runtime, [volume.volume_id for volume in protected])
    return by_server(
        (
            volume.server_id,
            one_line(volume.server_name),
            times.get((volume.project_id, volume.volume_id)),
        )
        for volume in protected
    )


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
