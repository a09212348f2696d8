"""What holds in the simulated cloud itself, whatever it says: terms, ages, and what restores."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from staffeln_cli.demo.simcloud import Request, SimCloud
from tests.build import MARKED

GRACE = timedelta(days=1)
RETENTION_KEY = "__staffeln_retention"
DAYS = timedelta(days=1)
Owned = tuple[str, str]
"""A project and a volume."""


@dataclass
class Promises:
    """Which retention each owner of a volume was promised, and since when."""

    cloud: SimCloud
    terms: dict[Owned, list[tuple[datetime, timedelta]]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    """Deletions that were asked for before their time."""

    def note(self) -> None:
        """A pass saw everything as it is: what the servers ask for now is promised."""
        retention = {one["id"]: _asked_for(one) for one in self.cloud.servers()}
        for volume in self.cloud.volumes():
            for attachment in volume["attachments"]:
                known = self.terms.setdefault((volume["project_id"], volume["id"]), [])
                now = retention[attachment.server_id]
                if not known or known[-1][1] != now:
                    known.append((self.cloud.now(), now))

    def watch(self, request: Request) -> None:
        """See whether a request to delete a backup comes too early."""
        backup_id = request.path.rpartition("/")[2]
        if request.method != "DELETE" or "/backups/" not in request.path:
            return
        found = self.cloud.backups(id=backup_id)
        if not found or self._is_double(found[0]):
            return
        age = self.cloud.now() - found[0]["created_at"]
        promised = self._longest((found[0]["project_id"], found[0]["volume_id"]))
        if age + timedelta(minutes=5) < promised:  # clocks may differ so much
            self.broken.append(f"{found[0]['name']} was deleted at {age}, before {promised}")

    def _is_double(self, backup: dict[str, Any]) -> bool:
        """Whether Cinder made it twice: then the later one goes at once."""
        return len(self.cloud.backups(name=backup["name"])) > 1

    def _longest(self, owned: Owned) -> timedelta:
        """The longest retention in force since the grace began; the last one of a past owner."""
        known = self.terms.get(owned, [])
        since = self.cloud.now() - GRACE
        ends = [moment for moment, _ in known[1:]] + [self.cloud.now()]
        return max(
            (length for (_, length), end in zip(known, ends, strict=True) if end >= since),
            default=timedelta(),
        )


def marked(retention_days: int) -> dict[str, str]:
    """The metadata of a server whose volumes are backed up and kept for so long."""
    return MARKED | {RETENTION_KEY: f"{retention_days}d"}


def restorable(cloud: SimCloud) -> Counter[Owned]:
    """How many backups can be restored, of each volume in each project."""
    can_be = whole(cloud)
    return Counter(
        (one["project_id"], one["volume_id"]) for one in cloud.backups() if one["id"] in can_be
    )


def whole(cloud: SimCloud) -> set[str]:
    """The ids of the backups that can be restored, by the parents that Cinder knows."""
    rows = {one["id"]: one for one in cloud.backups()}

    def is_whole(one: dict[str, Any] | None) -> bool:
        if one is None or one["status"] not in ("available", "restoring"):
            return False
        return one["parent_id"] is None or is_whole(rows.get(one["parent_id"]))

    return {one["id"] for one in rows.values() if is_whole(one)}


def _asked_for(server: dict[str, Any]) -> timedelta:
    return int(server["metadata"][RETENTION_KEY].removesuffix("d")) * DAYS
