"""Say why one volume is or is not backed up, what comes next, and what becomes of its backups."""

from collections.abc import Sequence

from staffeln_cli.config.rules import chain_limits, retention_terms
from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import (
    Backup,
    BackupRecord,
    InventoryVolume,
    Kind,
    State,
)
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.operations import lookup
from staffeln_cli.planning.chains.broken import orphaned_incrementals
from staffeln_cli.planning.chains.summary import summary_of
from staffeln_cli.planning.explanation import Explanation, Next
from staffeln_cli.planning.protection import due
from staffeln_cli.planning.protection.next_backup import next_backup
from staffeln_cli.planning.retention.verdicts import Member, judge
from staffeln_cli.runtime import Runtime


def run(runtime: Runtime, wanted: str, *, offline: bool = False) -> Explanation:
    """Explain a volume given by id, or by a name that only one volume has; NotFound otherwise."""
    volume = lookup.volume(runtime, wanted)
    records = runtime.store.backups.of_volumes([volume.volume_id])
    backups, from_cloud = _backups(runtime, volume, records, offline=offline)
    briefs = {one.backup_id: one for record in records if (one := record.brief) is not None}
    useless = orphaned_incrementals(briefs, {one.id for one in backups})
    members = [Member(one, briefs.get(one.id), one.id in useless) for one in backups]
    unfinished = tuple(one for one in records if one.state in UNFINISHED)
    settings = runtime.settings.retention
    return Explanation(
        volume=volume,
        project_name=runtime.store.inventory.project_names().get(volume.project_id, ""),
        from_cloud=from_cloud,
        retention=volume.retention or f"the default, {settings.time}",
        unfinished=unfinished,
        next=_next(runtime, volume, backups) if volume.protected else None,
        verdicts=tuple(judge(members, retention_terms(settings, volume), runtime.now())),
    )


def _backups(
    runtime: Runtime, volume: InventoryVolume, records: Sequence[BackupRecord], *, offline: bool
) -> tuple[list[Backup], bool]:
    """What Cinder has of this volume; what the state says it has, where Cinder is not asked."""
    if not offline:
        try:
            found = runtime.cloud.listings.backups_of(volume.volume_id)
        except CloudUnavailable:
            pass
        else:
            return [one for one in found if one.project_id == volume.project_id], True
    return [_remembered(one) for one in records if one.state is State.AVAILABLE], False


def _remembered(record: BackupRecord) -> Backup:
    if record.backup_id is None or record.started_at is None:
        raise ValueError(f"record {record.id} is available but has no backup")
    return Backup(
        id=record.backup_id,
        name=record.name,
        volume_id=record.volume_id,
        project_id=record.project_id,
        status="available",
        size_gib=record.size_gib or 0,
        is_incremental=record.kind is Kind.INCREMENTAL,
        created_at=record.started_at,
        data_timestamp=record.started_at,
        updated_at=record.finished_at,
    )


def _next(runtime: Runtime, volume: InventoryVolume, backups: list[Backup]) -> Next:
    settings, now = runtime.settings.backup, runtime.now()
    return Next(
        due_at=due.next_due_at(volume, settings.min_interval),
        is_overdue=due.is_overdue(volume, now, settings.min_interval),
        backup=next_backup(
            summary_of(backups),
            chain_limits(settings),
            now,
            volume_size_gib=volume.size_gib,
            newest_missing=runtime.store.backups.newest_missing().get(volume.volume_id),
        ),
    )
