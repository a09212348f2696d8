"""How full a project's backup quota is, and how long it will last at the present rate."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from staffeln_cli.model import ProjectQuota

if TYPE_CHECKING:
    from staffeln_cli.cloud import Quota, Quotas
    from staffeln_cli.store.reports import Growth

WINDOW = timedelta(days=14)
"""The present rate is that of so many days, or of fewer if the history is shorter."""
_NOW = timedelta()
_SHORTEST = timedelta(days=1)
_FARTHEST = 365


@dataclass(frozen=True, slots=True)
class Gauge:
    """One quota: a negative limit means unlimited."""

    limit: int
    used: int
    full_in: timedelta | None = None
    """When it is full at the present rate; None: it is full, or will not be within a year."""

    @property
    def is_unlimited(self) -> bool:
        """Whether there is nothing to fill."""
        return self.limit < 0

    @property
    def is_full(self) -> bool:
        """Whether there is no room left."""
        return not self.is_unlimited and self.used >= self.limit

    @property
    def days_left(self) -> int | None:
        """Whole days until it is full at the present rate."""
        return None if self.full_in is None else self.full_in.days

    @property
    def percent(self) -> int:
        """How full it is, rounded down; a quota of nothing is full from the start."""
        return 100 if self.limit <= 0 else self.used * 100 // self.limit

    @property
    def colour(self) -> str:
        """Green below 50 %, yellow to 80 %, red above."""
        share = 1.0 if self.limit == 0 else self.used / self.limit
        if self.is_unlimited or share < 0.5:
            return "green"
        return "yellow" if share <= 0.8 else "red"


@dataclass(frozen=True, slots=True)
class QuotaForecast:
    """Both quotas of a project's backups."""

    gigabytes: Gauge
    backups: Gauge

    def seen(self, now: datetime) -> ProjectQuota:
        """The same as it is remembered with the project."""
        gauges = (self.gigabytes, self.backups)
        ends = [_NOW if gauge.is_full else gauge.full_in for gauge in gauges]
        return ProjectQuota(
            gib=self.gigabytes.limit,
            gib_used=self.gigabytes.used,
            backups=self.backups.limit,
            backups_used=self.backups.used,
            seen_at=now,
            full_at=min((now + end for end in ends if end is not None), default=None),
        )


def forecast(quotas: "Quotas", growth: "Growth", now: datetime) -> QuotaForecast:
    """The quotas, and when they will be used up."""
    began = max(now - WINDOW, growth.oldest or now)
    days = max(now - began, _SHORTEST) / timedelta(days=1)
    return QuotaForecast(
        _gauge(quotas.gigabytes, (growth.made.gib - growth.removed.gib) / days),
        _gauge(quotas.backups, (growth.made.backups - growth.removed.backups) / days),
    )


def _gauge(quota: "Quota", daily: float) -> Gauge:
    room = quota.limit - quota.used
    if quota.limit <= 0 or room <= 0 or daily <= 0 or room / daily > _FARTHEST:
        return Gauge(quota.limit, quota.used)
    return Gauge(quota.limit, quota.used, timedelta(days=room / daily))
