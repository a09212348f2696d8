"""The rows of `status calendar`: the backups of each protected volume, day by day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import TYPE_CHECKING, Any

from staffeln_cli.config.rules import schedule, zone_named
from staffeln_cli.model.pauses import Pause
from staffeln_cli.planning.calendar import (
    Mark,
    ProtectedVolume,
    Strip,
    daily_marks,
    days_until,
    grouped,
    marks_of,
    worst_first,
)
from staffeln_cli.planning.health import age
from staffeln_cli.planning.protection import due
from staffeln_cli.planning.protection.pausing import Pauses
from staffeln_cli.runtime import Runtime

if TYPE_CHECKING:
    from staffeln_cli.store import Filter

_AT_ONCE = 500
"""Volumes whose backups are read at a time."""


@dataclass(frozen=True, slots=True)
class Days:
    """The marks of one volume."""

    volume: ProtectedVolume
    overdue: bool
    pause: Pause | None
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The worst volumes with their days; the rows come as they are read."""

    days: Sequence[date]
    zone: tzinfo
    now: datetime
    rows: Iterator[Days]
    shown: int
    protected: int
    """The protected volumes that there are, shown or not."""
    pauses: Pauses

    def strips(self) -> list[Strip]:
        """The rows with names, for people."""
        return [self._strip(row) for row in self.rows]

    def _strip(self, row: Days) -> Strip:
        volume = row.volume
        ago = age(self.now, volume.expected_since)
        late = f"{ago} without one" if volume.last_success_at else "never backed up"
        return Strip(
            project=volume.project_name or volume.project_id,
            server=volume.server_name or volume.server_id or "",
            volume=volume.volume_name or volume.volume_id,
            marks=row.marks,
            overdue=late if row.overdue else "",
            paused=row.pause is not None,
        )

    def as_json(self) -> Iterator[dict[str, Any]]:
        """The rows as they are printed in JSON."""
        names = ("volume_id", "volume_name", "server_id", "server_name", "project_id")
        for row in self.rows:
            yield {
                **{name: getattr(row.volume, name) for name in names},
                "project_name": row.volume.project_name,
                "overdue": row.overdue,
                "paused": row.pause.as_json() if row.pause is not None else None,
                "last_success_at": row.volume.last_success_at,
                "days": [
                    {"date": day.isoformat(), "backup": mark.value}
                    for day, mark in zip(self.days, row.marks, strict=True)
                ],
            }


def calendar(
    runtime: Runtime, wanted: "Filter", *, days: int = 30, limit: int | None = None
) -> Calendar:
    """The worst protected volumes, by project and server, with their last days."""
    now, rules = runtime.now(), schedule(runtime.settings)
    zone = zone_named(runtime.settings.report.timezone)
    volumes = runtime.store.status_queries.protected_volumes(wanted)
    pauses = runtime.store.pauses.held(now)
    overdue = {
        one.volume_id
        for one in volumes
        if due.is_late(one.expected_since, now, rules) and pauses.of(one) is None
    }
    shown = grouped(worst_first(volumes, overdue)[:limit])
    dates = days_until(now, days, zone)
    start = datetime.combine(dates[0], time(), zone)

    def rows() -> Iterator[Days]:
        for first in range(0, len(shown), _AT_ONCE):
            some = shown[first : first + _AT_ONCE]
            backups = runtime.store.status_queries.dated_backups(
                [one.volume_id for one in some], start
            )
            found = daily_marks(backups, zone)
            for one in some:
                marks = marks_of(one, found.get(one.volume_id, {}), dates, zone)
                yield Days(one, one.volume_id in overdue, pauses.of(one), marks)

    return Calendar(dates, zone, now, rows(), len(shown), len(volumes), pauses)
