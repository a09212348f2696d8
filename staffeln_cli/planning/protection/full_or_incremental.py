"""Full or incremental: the next backup of a volume, why, and the record that plans it."""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from staffeln_cli.model import (
    BackupId,
    BackupRecord,
    InventoryVolume,
    Kind,
    Origin,
    RecordId,
    State,
)
from staffeln_cli.model.durations import Duration
from staffeln_cli.model.naming import backup_name
from staffeln_cli.planning.chains.summary import ChainSummary


class ChainLimits(NamedTuple):
    """After how many incrementals, and at what age of its full, no chain is continued."""

    depth: int
    max_age: Duration | None


class NextBackup(NamedTuple):
    """The kind of the next backup, and why; of an incremental, the full it depends on."""

    kind: Kind
    reason: str
    chain_id: BackupId | None = None
    waits: bool = False
    """Whether it has to wait, because a backup that it would depend on is being restored."""


def next_backup(  # noqa: PLR0913 - what is known of the chain, all by name
    chain: ChainSummary | None,
    limits: ChainLimits,
    now: datetime,
    *,
    volume_size_gib: int,
    newest_unrestorable: datetime | None,
    proof_failed_at: datetime | None = None,
) -> NextBackup:
    """Continue the newest chain of a volume in its project, or start a new one.

    `newest_unrestorable` is the start of the newest backup that is missing or broken by our
    records; `proof_failed_at`, when a restore drill of the volume failed.
    """
    depth = limits.depth
    if depth == 0:
        return NextBackup(Kind.FULL, "every backup is a full one (depth 0)")
    if chain is None or chain.full_at is None:
        return NextBackup(Kind.FULL, "there is no full backup to depend on")
    oldest = limits.max_age.before(now) if limits.max_age is not None else None
    flaw = (
        _loss(chain.full_at, newest_unrestorable, proof_failed_at)
        or _misplacement(chain)
        or _flaw(chain, volume_size_gib, oldest)
    )
    if flaw is not None:
        return NextBackup(Kind.FULL, flaw)
    if chain.incrementals >= depth:
        reason = f"the last chain has {chain.incrementals} incrementals already"
        return NextBackup(Kind.FULL, reason)
    if chain.is_being_restored:  # Cinder would pass it over, and fork the chain
        reason = "a backup of the last chain is being restored; an incremental waits for its end"
        return NextBackup(Kind.INCREMENTAL, reason, chain.full_id, waits=True)
    reason = f"incremental {chain.incrementals + 1} of {depth}"
    return NextBackup(Kind.INCREMENTAL, reason, chain.full_id)


def without_waiting(backup: NextBackup) -> NextBackup:
    """A full backup instead of one that has waited too long for the end of a restore."""
    reason = "a restore from the last chain has not ended, and the volume is overdue"
    return NextBackup(Kind.FULL, reason) if backup.waits else backup


def _loss(
    full_at: datetime, newest_unrestorable: datetime | None, proof_failed_at: datetime | None
) -> str | None:
    """What our records know and a listing cannot show: the chain cannot be restored."""
    if newest_unrestorable is not None and newest_unrestorable >= full_at:
        return "the last chain is broken: one of its backups is missing, or in error"
    if proof_failed_at is not None and proof_failed_at >= full_at:
        return "a restore drill of the last chain failed"
    return None


def _misplacement(chain: ChainSummary) -> str | None:
    """Cinder takes the newest backup as the parent, wherever it is, and cannot restore that."""
    if not chain.is_in_same_location:
        return "the last chain is in several availability zones or containers"
    if chain.our_location and chain.location != chain.our_location:
        return f"the newest backup is in {chain.location}, Staffeln's are in {chain.our_location}"
    return None


def _flaw(chain: ChainSummary, volume_size_gib: int, oldest: datetime | None) -> str | None:
    """Why the newest chain cannot be continued, apart from its length."""
    if not chain.all_available:
        return "a backup of the last chain is not available"
    if chain.full_snapshot:
        # Cinder chooses the parent by the age of the data, and other backups may have newer data.
        return "the last full backup is of a snapshot"
    if volume_size_gib != chain.full_size_gib:
        change = "grown" if volume_size_gib > chain.full_size_gib else "shrunk"
        return f"the volume has {change} from {chain.full_size_gib} to {volume_size_gib} GiB"
    if oldest is not None and chain.full_at is not None and chain.full_at < oldest:
        return "the last chain is older than it may become"
    return None


def planned(
    volume: InventoryVolume,
    backup: NextBackup,
    now: datetime,
    *,
    token: str,
    origin: Origin = Origin.SCHEDULED,
) -> BackupRecord:
    """A new record; `token` must be random, because only it makes the backup's name unique."""
    return BackupRecord(
        id=RecordId(token),
        name=backup_name(volume.server_name, volume.volume_name, now, token),
        volume_id=volume.volume_id,
        volume_name=volume.volume_name,
        server_id=volume.server_id,
        server_name=volume.server_name,
        project_id=volume.project_id,
        kind=backup.kind,
        state=State.PLANNED,
        origin=origin,
        planned_at=now,
        chain_id=backup.chain_id,
        size_gib=volume.size_gib,
        waiting_since=volume.last_started_at,
    )


def refused(volume: InventoryVolume, problem: str, now: datetime, *, token: str) -> BackupRecord:
    """A record that failed at once, because the volume's status allows no backup."""
    record = planned(volume, NextBackup(Kind.FULL, problem), now, token=token)
    return replace(record, state=State.FAILED, reason=problem, finished_at=now)
