"""Shorter retention takes time: until the grace is over, the longer one holds as well."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from staffeln_cli.model import InventoryVolume
from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.evidence import believed
from staffeln_cli.planning.retention.policy import Policy, covers, in_force


class Grace(NamedTuple):
    """How long a longer retention goes on, and what the texts of metadata stand for."""

    length: Duration
    policies: Mapping[str, Policy]
    default: Duration

    def policy(self, text: str | None) -> Policy | None:
        """The policy that a recorded text stands for."""
        return in_force(text, self.policies, self.default)


def grace_ends_at(row: InventoryVolume, grace: Duration, now: datetime) -> datetime | None:
    """Until when the retention before the last shortening holds; None if none does any more."""
    if row.retention_shortened_at is None:
        return None
    until = grace.after(believed(row.retention_shortened_at, now) or now)
    return until if until > now else None


def gone_grace_ends_at(row: InventoryVolume, grace: Duration, now: datetime) -> datetime | None:
    """Until when a volume that is gone is treated as if it existed; None if not any more."""
    if row.gone_at is None:
        return None
    until = grace.after(believed(row.gone_at, now) or now)
    return until if until > now else None


def shortening_ends_at(row: InventoryVolume, grace: Duration, now: datetime) -> datetime | None:
    """When a shorter retention, or the end of the volume, takes effect; None if nothing is to."""
    ends = (grace_ends_at(row, grace, now), gone_grace_ends_at(row, grace, now))
    return min((end for end in ends if end is not None), default=None)


def retention_held(row: InventoryVolume, grace: Duration, now: datetime) -> str | None:
    """The retention that holds, or the longer one that still holds."""
    if grace_ends_at(row, grace, now) is None:
        return row.retention
    return row.retention_before


def noted(
    row: InventoryVolume, known: InventoryVolume | None, grace: Grace, now: datetime
) -> InventoryVolume:
    """The new row of a volume, with the longer retention that still holds, if there is one.

    A retention that covers all that held before takes effect at once. Each further shortening
    begins the grace anew.
    """
    if known is None:
        return row
    is_free = known.retention_before is None and known.retention_shortened_at is None
    if is_free and row.retention == known.retention:
        return row
    longest = retention_held(known, grace.length, now)
    if covers(grace.policy(row.retention), grace.policy(longest)):
        return row._replace(retention_before=None, retention_shortened_at=None)
    since = known.retention_shortened_at
    is_held = grace_ends_at(known, grace.length, now) is not None
    if is_held and covers(grace.policy(row.retention), grace.policy(known.retention)):
        return row._replace(retention_before=longest, retention_shortened_at=since)
    is_longer = covers(grace.policy(known.retention), grace.policy(longest))
    before = known.retention if is_longer else longest
    return row._replace(retention_before=before, retention_shortened_at=now)
