"""Which backup of a volume to restore: the newest that is surely whole."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from staffeln_cli.model import Backup, BackupId, ProjectId, RecordBrief
from staffeln_cli.planning.chains.lineage import (
    NO_PARENTS,
    KnownParents,
    lineage_of,
    oldest_first,
)
from staffeln_cli.planning.chains.members import Member, known_parents, members


def newest_restorable(
    backups: Iterable[Backup],
    records: Mapping[BackupId, RecordBrief],
    at: datetime | None,
    foreign_parents: KnownParents = NO_PARENTS,
) -> Backup | None:
    """Of all backups of one volume, the one with the newest data not newer than `at`.

    Projects are judged apart, because Cinder does not chain backups across them. `records` are
    ours of this volume: they know lost backups, which a listing cannot show.
    """
    candidates = [
        backup
        for backup in restorable_backups(backups, records, foreign_parents)
        if at is None or backup.data_timestamp <= at
    ]
    return max(candidates, key=_by_data, default=None)


def restorable_backups(
    backups: Iterable[Backup],
    records: Mapping[BackupId, RecordBrief],
    foreign_parents: KnownParents = NO_PARENTS,
) -> Iterator[Backup]:
    """Of all backups of one volume, those that everything is there for."""
    by_project: dict[ProjectId, list[Backup]] = {}
    for backup in backups:
        by_project.setdefault(backup.project_id, []).append(backup)
    for group in members(by_project, records, foreign_parents).values():
        yield from _restorable(group)


def _restorable(group: Sequence[Member]) -> Iterator[Backup]:
    by_id = {member.backup.id: member for member in group}
    ordered = sorted(by_id.values(), key=lambda member: oldest_first(member.backup))
    lineage = lineage_of([member.backup for member in ordered], known_parents(ordered))
    cut_off: set[int] = set()
    for index, member in enumerate(ordered):
        if member.is_broken or not cut_off.isdisjoint(lineage.parents[index]):
            cut_off.add(index)
        elif lineage.restorable[index]:
            yield member.backup


def _by_data(backup: Backup) -> tuple[datetime, datetime, BackupId]:
    return backup.data_timestamp, backup.created_at, backup.id
