"""Which backup of a volume to bring back: the newest that is surely whole."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from staffeln_cli.model import Backup, BackupId, ProjectId, RecordBrief
from staffeln_cli.planning.chains.broken import orphaned_incrementals
from staffeln_cli.planning.chains.summary import chains_of


def newest_restorable(
    backups: Iterable[Backup], records: Mapping[BackupId, RecordBrief], at: datetime | None
) -> Backup | None:
    """Of one volume's backups, anybody's, the one with the newest data not newer than `at`.

    Chains are told apart by project, as Cinder does. `records` are ours of this volume: they know
    what a listing cannot show, that something is gone on which others stand.
    """
    listed = list(backups)
    useless = orphaned_incrementals(records, {backup.id for backup in listed})
    projects: dict[ProjectId, list[Backup]] = {}
    for backup in listed:
        projects.setdefault(backup.project_id, []).append(backup)
    fitting = [
        backup
        for line in projects.values()
        for chain in chains_of(line)
        for backup in chain.backups
        if backup.id in chain.restorable
        and backup.id not in useless
        and (at is None or backup.data_timestamp <= at)
    ]
    return max(fitting, key=lambda one: (one.data_timestamp, one.created_at, one.id), default=None)
