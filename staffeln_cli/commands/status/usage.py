"""The rows of `status usage`: what each volume's backups used in a period."""

from datetime import datetime
from typing import TYPE_CHECKING

from staffeln_cli.commands.status.views import USAGE, View
from staffeln_cli.planning.usage import Period, usage
from staffeln_cli.runtime import Runtime

if TYPE_CHECKING:
    from staffeln_cli.store import Filter


def usage_view(runtime: Runtime, wanted: "Filter", period: Period) -> View:
    """A row for each project and volume."""
    backups = runtime.store.status_queries.charged_backups(wanted, period)
    rows = ((*row, period.since, period.until) for row in usage(backups, period))
    return View(USAGE, rows)


def period_of(runtime: Runtime, since: datetime | None, until: datetime | None) -> Period:
    """The period; it begins with the month of its end, and ends now, if nothing else is given."""
    end = until or runtime.now()
    return Period(since or end.replace(day=1, hour=0, minute=0, second=0, microsecond=0), end)


def history_begins(runtime: Runtime) -> datetime:
    """Since when the records of backups that are deleted have been kept."""
    return runtime.settings.retention.history.before(runtime.now())
