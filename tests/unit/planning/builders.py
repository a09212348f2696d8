"""Things to plan with, each with defaults that do not matter to the test at hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from staffeln_cli.model import (
    Backup,
    BackupId,
    BackupRecord,
    InventoryVolume,
    Kind,
    Origin,
    Project,
    ProjectId,
    RecordBrief,
    RecordId,
    Server,
    ServerId,
    State,
    Volume,
    VolumeId,
)
from staffeln_cli.model.durations import parse
from staffeln_cli.planning.protection.selection import Rules
from staffeln_cli.planning.retention.policy import Policy
from staffeln_cli.planning.retention.verdicts import Member, RetentionTerms, Verdict, judge

NOW = datetime(2026, 11, 22, 22, tzinfo=UTC)


def ago(**length: float) -> datetime:
    """So long before `NOW`."""
    return NOW - timedelta(**length)


def a_backup(
    name: str = "b1",
    *,
    days_old: float = 3,
    incremental: bool = False,
    status: str = "available",
    size_gib: int = 10,
    snapshot_days_old: float | None = None,
    updated_days_old: float | None = None,
    has_dependents: bool = False,
) -> Backup:
    made = ago(days=days_old)
    taken = made if snapshot_days_old is None else ago(days=snapshot_days_old)
    return Backup(
        id=BackupId(name),
        name=name,
        volume_id=VolumeId("v1"),
        project_id=ProjectId("p1"),
        status=status,
        size_gib=size_gib,
        is_incremental=incremental,
        created_at=made,
        data_timestamp=taken,
        updated_at=None if updated_days_old is None else ago(days=updated_days_old),
        snapshot_id=None if snapshot_days_old is None else f"snapshot of {name}",
        has_dependents=has_dependents,
    )


def a_record(
    backup: Backup,
    *,
    state: State = State.AVAILABLE,
    pinned: bool = False,
    pin_note: str | None = None,
    chain_id: str | None = None,
    started_at: datetime | None = None,
) -> BackupRecord:
    return BackupRecord(
        id=RecordId(f"record of {backup.id}"),
        name=backup.name,
        volume_id=backup.volume_id,
        project_id=backup.project_id,
        kind=Kind.INCREMENTAL if backup.is_incremental else Kind.FULL,
        state=state,
        origin=Origin.SCHEDULED,
        planned_at=backup.created_at,
        backup_id=backup.id,
        chain_id=None if chain_id is None else BackupId(chain_id),
        started_at=started_at or backup.created_at,
        pinned=pinned,
        pin_note=pin_note,
    )


def a_brief(backup: Backup, **record: object) -> RecordBrief:
    brief = a_record(backup, **record).brief  # type: ignore[arg-type] # named as there
    assert brief is not None
    return brief


def ours(backup: Backup, **record: object) -> Member:
    return Member(backup, a_brief(backup, **record))


def foreign(backup: Backup) -> Member:
    return Member(backup)


def a_promise(
    time: str | None = "7d", *, keep_last: int = 0, volume_exists: bool = True, **counts: int
) -> RetentionTerms:
    policy = Policy(time=None if time is None else parse(time), **counts)
    return RetentionTerms(policy=policy, volume_exists=volume_exists, keep_last=keep_last)


def kept(members: list[Member], promise: RetentionTerms, now: datetime = NOW) -> set[str]:
    return {v.member.backup.id for v in judge(members, promise, now) if v.keep}


def verdict_on(name: str, members: list[Member], promise: RetentionTerms) -> Verdict:
    return next(v for v in judge(members, promise, NOW) if v.member.backup.id == name)


def a_volume(
    *servers: str,
    status: str = "in-use",
    name: str = "disk",
    metadata: dict[str, str] | None = None,
    migration_status: str | None = None,
) -> Volume:
    return Volume(
        id=VolumeId("v1"),
        name=name,
        project_id=ProjectId("p1"),
        status=status,
        size_gib=10,
        server_ids=tuple(ServerId(server) for server in servers),
        metadata=metadata or {},
        migration_status=migration_status,
    )


def an_inventory_volume(**more: Any) -> InventoryVolume:
    """A protected volume that was never backed up, first seen an hour ago."""
    volume = InventoryVolume(
        volume_id=VolumeId("v1"),
        volume_name="disk",
        project_id=ProjectId("p1"),
        server_id=None,
        server_name="",
        status="in-use",
        size_gib=10,
        volume_type=None,
        availability_zone=None,
        bootable=False,
        encrypted=False,
        protected=True,
        skip_reason=None,
        retention=None,
        bad_retention=None,
        first_seen_at=ago(hours=1),
        last_seen_at=NOW,
    )
    return volume._replace(**more)


def servers(**metadata: dict[str, str]) -> dict[ServerId, Server]:
    """Servers by id, each with its metadata; `s1` is called "name of s1"."""
    return {
        ServerId(one): Server(ServerId(one), f"name of {one}", ProjectId("p1"), tags)
        for one, tags in metadata.items()
    }


def projects(*, enabled: bool = True) -> dict[ProjectId, Project]:
    return {ProjectId("p1"): Project(ProjectId("p1"), "project one", enabled=enabled)}


def some_rules(*, key: str = "backup", policies: dict[str, Policy] | None = None) -> Rules:
    return Rules(
        metadata_key=key,
        skip_volume_key="skip",
        retention_key="retention",
        policies=policies or {},
        default=parse("17d"),
    )
