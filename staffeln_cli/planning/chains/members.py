"""The backups that Cinder has, each with Staffeln's own record of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from staffeln_cli.model import Backup, BackupId, ProjectId, RecordBrief, State, VolumeId
from staffeln_cli.planning.chains.broken import orphaned_incrementals
from staffeln_cli.planning.evidence import age_counts_from

_AVAILABLE = State.AVAILABLE
_Key = TypeVar("_Key")
_NONE: Mapping[BackupId, BackupId] = MappingProxyType({})


@dataclass(slots=True)
class Member:
    """A backup that Cinder has, and our record of it; without one, Staffeln did not make it.

    Not frozen, although nothing changes it: there may be a million, and a frozen one takes three
    times as long to make.
    """

    backup: Backup
    record: RecordBrief | None = None
    is_broken: bool = False
    """Whether our records know that a backup it depends on is gone, or a drill of it failed."""
    parent_id: BackupId | None = None
    """The backup that it depends on, where an export record names it."""

    @property
    def is_ours(self) -> bool:
        """Whether retention may remove it."""
        return self.record is not None and self.record.state is _AVAILABLE

    @property
    def started_at(self) -> datetime:
        """From when its age counts: the later of our start and Cinder's `created_at`."""
        if self.record is None:
            return self.backup.created_at
        return age_counts_from(self.record.started_at, self.backup.created_at)


def members(
    backups: Mapping[_Key, Sequence[Backup]],
    records: Mapping[BackupId, RecordBrief],
    foreign_parents: Mapping[BackupId, BackupId] = _NONE,
) -> dict[_Key, list[Member]]:
    """Join the backups of each volume and project with our records of those volumes.

    `backups` must have all that Cinder has of these volumes: a record of another backup is the
    record of a lost one. `foreign_parents` are those that export records name of backups which
    Staffeln did not make.
    """
    there = {backup.id for group in backups.values() for backup in group}
    orphans = orphaned_incrementals(records, there)
    return {
        key: [
            Member(
                backup,
                record := records.get(backup.id),
                backup.id in orphans,
                record.parent_id if record is not None else foreign_parents.get(backup.id),
            )
            for backup in group
        ]
        for key, group in backups.items()
    }


def several_volumes(
    pages: Iterable[list[Backup]], number: int
) -> Iterator[dict[tuple[ProjectId, VolumeId], list[Backup]]]:
    """Some volumes at a time, each with all its backups, from a listing sorted by volume.

    A transferred volume may have backups in two projects.
    """
    group: dict[tuple[ProjectId, VolumeId], list[Backup]] = {}
    last: VolumeId | None = None
    for page in pages:
        for backup in page:
            if backup.volume_id != last:
                if len(group) >= number:
                    yield group
                    group = {}
                last = backup.volume_id
            group.setdefault((backup.project_id, backup.volume_id), []).append(backup)
    if group:
        yield group


def known_parents(members: Iterable[Member]) -> dict[BackupId, BackupId]:
    """The parents that export records name, by the backups that depend on them."""
    return {
        member.backup.id: member.parent_id for member in members if member.parent_id is not None
    }
