"""The plan for one volume: its history, whether its chain is whole, and the new record."""

from datetime import datetime

from staffeln_cli.model import (
    Backup,
    BackupId,
    BackupRecord,
    Kind,
    Origin,
    Protection,
    RecordId,
    ServerId,
    State,
    Volume,
)
from staffeln_cli.model.naming import backup_name
from staffeln_cli.planning.chains.summary import ChainSummary


def planned(  # noqa: PLR0913 - facts of one record, each by name
    volume: Volume,
    protection: Protection,
    kind: Kind,
    moment: datetime,
    *,
    token: str,
    chain_id: BackupId | None = None,
    waiting_since: datetime | None = None,
    origin: Origin = Origin.SCHEDULED,
) -> BackupRecord:
    """A new record; `token` must be random, since nothing else makes the backup's name unique."""
    return BackupRecord(
        id=RecordId(token),
        name=backup_name(protection.server_name, volume.name, moment, token),
        volume_id=volume.id,
        volume_name=volume.name,
        server_id=protection.server_id,
        server_name=protection.server_name,
        project_id=volume.project_id,
        kind=kind,
        state=State.PLANNED,
        origin=origin,
        planned_at=moment,
        chain_id=chain_id,
        size_gib=volume.size_gib,
        waiting_since=waiting_since,
    )


def found(  # noqa: PLR0913 - facts of one record, each by name
    backup: Backup,
    origin: Origin,
    moment: datetime,
    *,
    record_id: RecordId,
    server_id: ServerId | None,
    server_name: str = "",
    volume_name: str = "",
) -> BackupRecord:
    """A record for an available backup that Cinder has and we did not know, as of `moment`.

    Its name has Cinder's id in it: names of strangers need not be unique, ours must.
    """
    return BackupRecord(
        id=record_id,
        name=f"{backup.name}#{backup.id}",
        volume_id=backup.volume_id,
        volume_name=volume_name,
        project_id=backup.project_id,
        server_id=server_id,
        server_name=server_name,
        kind=Kind.INCREMENTAL if backup.is_incremental else Kind.FULL,
        state=State.AVAILABLE,
        origin=origin,
        planned_at=backup.created_at,
        started_at=backup.created_at,
        finished_at=moment,
        backup_id=backup.id,
        size_gib=backup.size_gib,
    )


def broken(digest: ChainSummary | None, newest_missing: datetime | None) -> str | None:
    """What our records know against the newest chain: a member that vanished behind our back."""
    if digest is None or digest.full_at is None or newest_missing is None:
        return None
    if newest_missing < digest.full_at:
        return None
    return "one of its backups was deleted by somebody else"
