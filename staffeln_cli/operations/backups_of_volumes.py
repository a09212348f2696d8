"""The backups of many volumes, by as few requests as can be known beforehand."""

from collections.abc import Collection
from itertools import islice

from staffeln_cli.model import Backup, State, VolumeId
from staffeln_cli.runtime import Run

_PAGE = 1000
"""Rows in a page of a listing, unless the cloud was configured otherwise."""
_REMEMBERED = 1000
"""Volumes whose backups are kept of a listing of all: those that are asked for first."""


class BackupsOfVolumes:
    """Asks volume by volume until that took as many requests as one listing of all; then lists.

    So it never takes more than twice the requests of the better way, although nobody knows before
    how many volumes will be asked for.
    """

    def __init__(self, run: Run, volume_ids: Collection[VolumeId]) -> None:
        """`volume_ids` are those that may be asked for, in this order."""
        self._run = run
        self._remembered = frozenset(islice(volume_ids, _REMEMBERED))
        self._pages = run.store.records.count().get(State.AVAILABLE, 0) // _PAGE + 1
        self._asked = 0
        self._listed: dict[VolumeId, list[Backup]] | None = None

    def of(self, volume_id: VolumeId) -> list[Backup]:
        """All backups of a volume, in whatever project."""
        if volume_id in self._remembered and self._asked >= self._pages:
            self._listed = self._listing() if self._listed is None else self._listed
            return self._listed.get(volume_id, [])
        self._asked += 1
        return self._run.cloud.listings.backups_of(volume_id)

    def _listing(self) -> dict[VolumeId, list[Backup]]:
        found: dict[VolumeId, list[Backup]] = {}
        for page in self._run.cloud.listings.backups():
            for backup in page:
                if backup.volume_id in self._remembered:
                    found.setdefault(backup.volume_id, []).append(backup)
        return found
