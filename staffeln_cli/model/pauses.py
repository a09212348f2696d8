"""Pauses: for what no backups are planned, who asked for that, why, and until when."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class PauseScope(StrEnum):
    """What a pause is about."""

    VOLUME = "volume"
    SERVER = "server"
    PROJECT = "project"
    ALL = "all"


class Pause(NamedTuple):
    """One pause; of everything, the id and the name are empty."""

    scope: PauseScope
    item_id: str
    item_name: str
    reason: str | None
    since: datetime
    until: datetime | None
    """When it ends by itself; none: by `resume` only."""
    paused_by: str

    def as_json(self) -> dict[str, object]:
        """As commands show it to programs."""
        return {
            "scope": self.scope,
            "id": self.item_id or None,
            "name": self.item_name or None,
            "reason": self.reason,
            "since": self.since,
            "until": self.until,
            "by": self.paused_by,
        }

    @property
    def target(self) -> str:
        """What is paused, for people."""
        if self.scope is PauseScope.ALL:
            return "everything"
        return f"{self.scope} {self.item_name or self.item_id}"
