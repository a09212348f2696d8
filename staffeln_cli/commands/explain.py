"""Explain one volume: why it is or is not backed up, what is next, and why backups are kept."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from staffeln_cli.config.rules import chain_limits, retention_terms, schedule
from staffeln_cli.config.settings import RetentionSettings
from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import (
    Backup,
    BackupRecord,
    Drill,
    DrillState,
    InventoryVolume,
    Kind,
    ProjectId,
    State,
)
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.model.statuses import BACKUP_ENDED
from staffeln_cli.operations import lookup
from staffeln_cli.planning.chains.members import members
from staffeln_cli.planning.chains.restorable import newest_restorable, restorable_backups
from staffeln_cli.planning.chains.summary import summary_of
from staffeln_cli.planning.explanation import Explanation, FormerBackups, Next
from staffeln_cli.planning.protection import due
from staffeln_cli.planning.protection.full_or_incremental import next_backup
from staffeln_cli.planning.recovery import RecoveryTime
from staffeln_cli.planning.retention.keep_rules import stamp
from staffeln_cli.planning.retention.shortening import grace_ends_at
from staffeln_cli.planning.retention.verdicts import judge
from staffeln_cli.planning.verification import with_failed_drills
from staffeln_cli.reports.recovery import recovery_of_server, recovery_time
from staffeln_cli.runtime import Runtime


def run(runtime: Runtime, wanted: str, *, offline: bool = False) -> Explanation:
    """Explain a volume given by id, or by a name that only one volume has; NotFound otherwise."""
    volume = lookup.volume(runtime, wanted)
    records = runtime.store.records.of_volumes([volume.volume_id])
    backups, from_cloud = _backups(runtime, volume, records, offline=offline)
    briefs = {brief.backup_id: brief for record in records if (brief := record.brief)}
    unfinished = tuple(record for record in records if record.state in UNFINISHED)
    parents = runtime.store.exports.foreign_parents([volume.volume_id])
    newest = newest_restorable(backups, briefs, None, parents)
    whole = {backup.id for backup in restorable_backups(backups, briefs, parents)}
    ended = {backup.id for backup in backups if backup.status in BACKUP_ENDED}
    known = members({volume.volume_id: backups}, briefs, parents)[volume.volume_id]
    drills = runtime.store.drills.of_volumes([volume.volume_id]).get(volume.volume_id, [])
    known = with_failed_drills(known, drills)
    settings, now = runtime.settings.retention, runtime.now()
    names = runtime.store.projects.names()
    return Explanation(
        volume=volume,
        project_name=names.get(volume.project_id, ""),
        from_cloud=from_cloud,
        retention=_retention(settings, volume, now),
        unfinished=unfinished,
        next=_next(runtime, volume, backups) if volume.protected else None,
        pause=runtime.store.pauses.held(now).of(volume) if volume.protected else None,
        recovery=recovery_time(runtime, newest, backups) if newest is not None else None,
        server_recovery=_server_recovery(runtime, volume),
        proof=_proof(drills),
        verdicts=tuple(judge(known, retention_terms(settings, volume, now), now)),
        former=tuple(_former(runtime, volume, records, names)),
        unrestorable=frozenset(ended - whole),
    )


def _former(
    runtime: Runtime,
    volume: InventoryVolume,
    records: Sequence[BackupRecord],
    names: Mapping[ProjectId, str],
) -> Iterator[FormerBackups]:
    """The backups of former owners, by our records: a project at a time."""
    numbers = Counter(
        record.project_id
        for record in records
        if record.state is State.AVAILABLE and record.project_id != volume.project_id
    )
    known = runtime.store.former_owners.all() if numbers else {}
    for project_id, number in sorted(numbers.items()):
        former = known.get((project_id, volume.volume_id))
        retention = None
        if former is not None:
            retention = former.retention or _default(runtime.settings.retention)
        yield FormerBackups(project_id, names.get(project_id, ""), number, retention)


def _default(settings: RetentionSettings) -> str:
    return f"the default, {settings.time}"


def _server_recovery(runtime: Runtime, volume: InventoryVolume) -> RecoveryTime | None:
    if volume.server_id is None:
        return None
    volumes = runtime.store.inventory.volumes_of_server(volume.server_id)
    there = [one for one in volumes if one.protected]
    return recovery_of_server(runtime, there) if len(there) > 1 else None


def _proof(drills: Sequence[Drill]) -> Drill | None:
    known = [drill for drill in drills if drill.state in (DrillState.PASSED, DrillState.FAILED)]
    return known[-1] if known else None


def _retention(settings: RetentionSettings, volume: InventoryVolume, now: datetime) -> str:
    """The retention that applies, and the longer one that still holds."""
    default = _default(settings)
    present = volume.retention or default
    until = grace_ends_at(volume, settings.grace, now)
    if until is None:
        return present
    before = volume.retention_before or default
    return f"{before}, shortened to {present} from {stamp(until)} on"


def _backups(
    runtime: Runtime, volume: InventoryVolume, records: Sequence[BackupRecord], *, offline: bool
) -> tuple[list[Backup], bool]:
    """The backups of this volume by Cinder, or by our records where Cinder is not asked."""
    if not offline:
        try:
            found = runtime.cloud.listings.backups_of(volume.volume_id)
        except CloudUnavailable:
            pass
        else:
            project_id = volume.project_id
            return [backup for backup in found if backup.project_id == project_id], True
    available = [
        record
        for record in records
        if record.state is State.AVAILABLE and record.project_id == volume.project_id
    ]
    return [_from_record(record) for record in available], False


def _from_record(record: BackupRecord) -> Backup:
    if record.backup_id is None or record.started_at is None:
        raise ValueError(f"record {record.id} is available but has no backup")
    return Backup(
        id=record.backup_id,
        name=record.name,
        volume_id=record.volume_id,
        project_id=record.project_id,
        status="error" if record.is_broken else "available",
        size_gib=record.size_gib or 0,
        is_incremental=record.kind is Kind.INCREMENTAL,
        created_at=record.started_at,
        data_timestamp=record.started_at,
        updated_at=record.finished_at,
    )


def _next(runtime: Runtime, volume: InventoryVolume, backups: list[Backup]) -> Next:
    rules, now = schedule(runtime.settings), runtime.now()
    due_at = due.next_due_at(volume, rules.min_interval, now)
    return Next(
        due_at=due_at,
        opens_at=_opens_at(rules, max(due_at, now)),
        is_overdue=due.is_overdue(volume, now, rules),
        backup=next_backup(
            summary_of(backups),
            chain_limits(runtime.settings.backup),
            now,
            volume_size_gib=volume.size_gib,
            newest_unrestorable=runtime.store.records.newest_unrestorable().get(volume.volume_id),
            proof_failed_at=volume.proof_failed_at,
        ),
    )


def _opens_at(rules: due.Schedule, moment: datetime) -> datetime | None:
    """When the window opens for what could start at a moment; None where it can."""
    opening = rules.window.next_opening(moment) if rules.window is not None else None
    return None if opening is None or opening.is_open(moment) else opening.opens_at
