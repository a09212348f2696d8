"""Who owns a volume at this moment: a backup is only made in that project."""

import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from staffeln_cli.errors import CloudUnavailable, Refused
from staffeln_cli.model import BackupRecord, ProjectId, RecordId, VolumeId
from staffeln_cli.runtime import Run

_FRESH = 5.0
"""Seconds for which an owner is believed: about what the requests of one batch take."""
_PAGE = 1000


class _Listed(NamedTuple):
    """The volumes that a project owned at a moment of `time.monotonic`."""

    at: float
    volume_ids: set[VolumeId]


class Owners:
    """Asks Cinder who owns volumes: project by project, or volume by volume where that is fewer.

    A volume may change hands between the answer and the request for a backup. Of one volume alone
    that would take two requests of its users in the time of one of ours; a listing is up to
    `_FRESH` older. Cinder transfers no volume while it is backed up, so that whoever owns it after
    the request owned it before. Threads may share it.
    """

    def __init__(self, run: Run, wanted: Mapping[ProjectId, int]) -> None:
        """`wanted`: about how many volumes of each project will be asked for."""
        self._run = run
        self._wanted = wanted
        self._listed: dict[ProjectId, _Listed] = {}
        self._pages: dict[ProjectId, int] = {}
        self._locks: dict[ProjectId, threading.Lock] = defaultdict(threading.Lock)
        self._asked_at: dict[RecordId, float] = {}
        """When the owner was asked for, where that was for one volume alone."""
        self._started: list[BackupRecord] = []
        self.proven: list[RecordId] = []
        """Started backups whose project owned the volume afterwards, by its listing."""

    def owner(self, record: BackupRecord) -> ProjectId | None:
        """The project that owns the record's volume; None if Cinder has no such volume.

        Raises CloudUnavailable.
        """
        if self._is_listed(record):
            return record.project_id
        self._asked_at[record.id] = time.monotonic()
        return self.look_up(record)

    def note_started(self, record: BackupRecord) -> bool:
        """Cinder has accepted the request; False if the owner is to be asked for again."""
        asked_at = self._asked_at.pop(record.id, None)
        is_proven = asked_at is not None and time.monotonic() - asked_at <= _FRESH
        if not is_proven:
            self._started.append(record)
        return is_proven

    def ask_again(self) -> list[BackupRecord]:
        """The started backups of volumes that their project may have left just before, each once.

        The others become `proven`: listed after the start, by one listing for each project with
        several.
        """
        unproven: list[BackupRecord] = []
        started: dict[ProjectId, list[BackupRecord]] = defaultdict(list)
        while self._started:
            record = self._started.pop()
            started[record.project_id].append(record)
        for project_id, records in started.items():
            owned = self._ids_of(project_id) if len(records) > 1 else set()
            self.proven += [one.id for one in records if one.volume_id in owned]
            unproven += [one for one in records if one.volume_id not in owned]
        return unproven

    def look_up(self, record: BackupRecord) -> ProjectId | None:
        """The project that owns the record's volume, by a request for this volume alone."""
        volume = self._run.cloud.lookups.volume(record.volume_id)
        return volume.project_id if volume is not None else None

    def _is_listed(self, record: BackupRecord) -> bool:
        project_id = record.project_id
        wanted = self._wanted.get(project_id, 0)
        if wanted < 2:
            return False
        with self._locks[project_id]:
            if project_id not in self._pages:
                owned = self._run.store.inventory.count_of_project(project_id)
                self._pages[project_id] = owned // _PAGE + 1
            if wanted <= self._pages[project_id]:
                return False
            listed = self._listed.get(project_id)
            if listed is None or time.monotonic() - listed.at > _FRESH:
                at = time.monotonic()
                listed = self._listed[project_id] = _Listed(at, self._ids_of(project_id))
        return record.volume_id in listed.volume_ids

    def _ids_of(self, project_id: ProjectId) -> set[VolumeId]:
        """None of them where the project's own token may not list them: then each is looked up."""
        try:
            return self._run.cloud.lookups.volumes_of_project(project_id)
        except (CloudUnavailable, Refused):
            return set()
