"""What a report says of backups that were made and removed."""

from collections.abc import Iterable, Sequence

from staffeln_cli.model import BackupRecord, Kind, Origin, State, VolumeId
from staffeln_cli.model.text import one_line
from staffeln_cli.reports.items import names_of
from staffeln_cli.reports.model import Made, MadeOn, Removed


def made_of(records: Iterable[BackupRecord]) -> list[Made]:
    """The backups that were made, among what happened."""
    return [
        Made(
            *names_of(record),
            one_line(record.name),
            record.kind,
            record.size_gib or 0,
            record.started_at,
            record.finished_at,
        )
        for record in records
        if record.succeeded
        and record.seen_again_at is None
        and record.origin is not Origin.IMPORTED
    ]


def made_by_server(made: Iterable[Made]) -> list[MadeOn]:
    """The backups of each server, counted."""
    groups: dict[str, list[Made]] = {}
    for backup in made:
        groups.setdefault(backup.server, []).append(backup)
    return [
        MadeOn(
            server,
            len({backup.volume for backup in group}),
            sum(backup.kind is Kind.FULL for backup in group),
            sum(backup.kind is Kind.INCREMENTAL for backup in group),
            sum(backup.gib for backup in group),
        )
        for server, group in groups.items()
    ]


def removed_of(records: Iterable[BackupRecord]) -> list[Removed]:
    """The backups that retention removed, volume by volume, among what is gone."""
    groups: dict[VolumeId, list[BackupRecord]] = {}
    for record in records:
        if record.state is State.DELETED and record.succeeded:
            groups.setdefault(record.volume_id, []).append(record)
    return [_removed(group) for group in groups.values()]


def _removed(group: Sequence[BackupRecord]) -> Removed:
    starts = [record.started_at or record.planned_at for record in group]
    gib = sum(record.size_gib or 0 for record in group)
    return Removed(*names_of(group[-1]), len(group), gib, min(starts), max(starts))
