"""Restore drills: which backups are proven next, and which are held back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from staffeln_cli.model import (
    Backup,
    BackupId,
    Drill,
    DrillId,
    DrillState,
    InventoryVolume,
    RecordBrief,
)
from staffeln_cli.planning.chains.lineage import NO_PARENTS, KnownParents
from staffeln_cli.planning.chains.members import Member
from staffeln_cli.planning.chains.restorable import newest_restorable

_MOMENT = timedelta(microseconds=1)


class Candidate(NamedTuple):
    """A volume that could be proven, and what earlier drills found."""

    volume: InventoryVolume
    drills: Sequence[Drill] = ()
    """All drills of the volume, oldest first."""

    @property
    def last_try_at(self) -> datetime | None:
        """When its last drill ended, however that was, or its proof is from."""
        ends = [drill.ended_at for drill in self.drills if drill.ended_at is not None]
        return max(
            [*ends, *([self.volume.proven_at] if self.volume.proven_at else [])], default=None
        )

    @property
    def is_urgent(self) -> bool:
        """Whether a restore is to be repeated, or a newer backup than a failed one proven."""
        volume = self.volume
        if self.drills and self.drills[-1].suspected:
            return True
        failed_at, success_at = volume.proof_failed_at, volume.last_success_at
        return failed_at is not None and success_at is not None and success_at > failed_at


class Choice(NamedTuple):
    """A backup to prove, and why this one."""

    volume: InventoryVolume
    backup: Backup
    chain_length: int
    chain_at: datetime
    attempt: int
    reason: str

    def drill(self, drill_id: DrillId, now: datetime) -> Drill:
        """A new drill of it."""
        volume, backup = self.volume, self.backup
        return Drill(
            id=drill_id,
            backup_id=backup.id,
            backup_name=backup.name,
            backup_at=backup.data_timestamp,
            volume_id=backup.volume_id,
            volume_name=volume.volume_name,
            server_name=volume.server_name,
            project_id=backup.project_id,
            chain_length=self.chain_length,
            chain_at=self.chain_at,
            size_gib=backup.size_gib,
            volume_type=volume.volume_type,
            availability_zone=volume.availability_zone,
            bootable=volume.bootable,
            encrypted=volume.encrypted,
            planned_at=now,
            attempt=self.attempt,
        )


def in_order(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Whom to prove first: what is urgent, what was never tried, the oldest proof or try."""
    return sorted(candidates, key=_order)


def _order(candidate: Candidate) -> tuple[bool, bool, datetime, str]:
    volume, tried_at = candidate.volume, candidate.last_try_at
    since = tried_at or volume.expected_since
    return not candidate.is_urgent, tried_at is not None, since, volume.volume_id


def choice(
    candidate: Candidate,
    backups: Sequence[Backup],
    records: Mapping[BackupId, RecordBrief],
    foreign_parents: KnownParents = NO_PARENTS,
) -> Choice | None:
    """The newest backup of a volume that can surely be restored and whose chain has not failed.

    `backups` are all that Cinder has of the volume; None where there is no such backup.
    """
    chains = _failed_chains(candidate.drills)
    at: datetime | None = None
    while (best := newest_restorable(backups, records, at, foreign_parents)) is not None:
        chain_at, length = chain_of(best, backups)
        if chain_at not in chains:
            return _chosen(candidate, best, chain_at, length)
        at = chain_at - _MOMENT
    return None


def named(candidate: Candidate, backup: Backup, backups: Sequence[Backup]) -> Choice:
    """The choice of somebody who named the backup."""
    return _chosen(candidate, backup, *chain_of(backup, backups))


def newest_proven(drills: Sequence[Drill]) -> Drill | None:
    """The drill that proved the newest backup, of those whose chain has not failed since."""
    failed = _failed_chains(drills)
    proven = [
        drill
        for drill in drills
        if drill.state is DrillState.PASSED and drill.chain_at not in failed
    ]
    return max(proven, key=lambda drill: drill.backup_at, default=None)


def drill_failure(
    backup: Backup, backups: Sequence[Backup], drills: Sequence[Drill]
) -> str | None:
    """Why a backup may turn out not to be restorable, by the drills of its volume; None if not."""
    drills = [drill for drill in drills if drill.project_id == backup.project_id]
    chain_at, _ = chain_of(backup, backups)
    if chain_at not in _failed_chains(drills):
        return None
    newest = newest_proven(drills)
    known = f"{newest.backup_id} of {newest.backup_at:%Y-%m-%d} is" if newest else "none is"
    return f"a restore drill of its chain failed, {known} proven"


def with_failed_drills(members: Sequence[Member], drills: Iterable[Drill]) -> list[Member]:
    """The backups of a volume in a project; those of chains of which a drill failed are broken.

    `drills` are all of the volume; those of backups in another project say nothing here.
    """
    backups = [member.backup for member in members]
    owners = {backup.project_id for backup in backups}
    failed = _failed_chains([drill for drill in drills if drill.project_id in owners])
    return [
        replace(member, is_broken=member.is_broken or chain_of(backup, backups)[0] in failed)
        for member, backup in zip(members, backups, strict=True)
    ]


def _failed_chains(drills: Sequence[Drill]) -> set[datetime]:
    """The chains, by the moment of their full backup, of which a drill failed last."""
    return {
        drill.chain_at
        for drill in drills
        if drill.state is DrillState.FAILED and not _was_proven_since(drill, drills)
    }


def _was_proven_since(failed: Drill, drills: Sequence[Drill]) -> bool:
    return any(
        drill.state is DrillState.PASSED
        and drill.chain_at == failed.chain_at
        and drill.planned_at > failed.planned_at
        for drill in drills
    )


def _chosen(candidate: Candidate, backup: Backup, chain_at: datetime, length: int) -> Choice:
    volume, drills = candidate.volume, candidate.drills
    repeats = bool(drills) and drills[-1].suspected and drills[-1].backup_id == backup.id
    if repeats:
        reason = "its restore failed once"
    elif volume.proven_at is None:
        reason = "the volume was never proven"
    else:
        reason = f"the volume was proven on {volume.proven_at:%Y-%m-%d}"
    return Choice(volume, backup, length, chain_at, 2 if repeats else 1, reason)


def chain_of(backup: Backup, backups: Sequence[Backup]) -> tuple[datetime, int]:
    """The moment of the full backup that it depends on, and how many backups a restore reads."""
    earlier = [
        one
        for one in backups
        if one.project_id == backup.project_id and one.data_timestamp <= backup.data_timestamp
    ]
    fulls = [one.data_timestamp for one in earlier if not one.is_incremental]
    chain_at = max(fulls, default=backup.data_timestamp)
    if not backup.is_incremental:
        return backup.data_timestamp, 1
    later = [one for one in earlier if one.is_incremental and one.data_timestamp >= chain_at]
    return chain_at, 1 + len(later)


class Room(NamedTuple):
    """What the drills of a pass may still restore; None: without limit."""

    gib: int
    quota_gib: int | None = None
    quota_volumes: int | None = None

    def refusal(self, size_gib: int) -> str | None:
        """Why a backup of this size has to wait, if it has to."""
        if size_gib > self.gib:
            return f"verify.max_gib leaves {self.gib} GiB for this pass"
        if self.quota_volumes is not None and self.quota_volumes < 1:
            return "the quota of Staffeln's own project leaves no further volume"
        if self.quota_gib is not None and size_gib > self.quota_gib:
            return f"the quota of Staffeln's own project leaves {self.quota_gib} GiB"
        return None
