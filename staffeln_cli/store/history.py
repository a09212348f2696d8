"""How each volume's backups went, kept with the volume, in the transaction of every move."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from staffeln_cli.model import BackupRecord, State
from staffeln_cli.tables import BackupRow, VolumeRow


def remember(connection: Connection, record: BackupRecord, new: State, moment: datetime) -> None:
    """Keep the volume's own history, from which the next plan is made."""
    values: dict[str, Any] = {}
    if new is State.CREATING:
        values = {"last_started_at": record.started_at}
    elif new is State.AVAILABLE:
        values = {"last_success_at": record.started_at, "failures": 0}
    elif new is State.FAILED:
        values = {"last_failed_at": moment, "failures": VolumeRow.failures + 1}
    elif new is State.MISSING:
        values = {"last_success_at": _newest_left(record)}
    if values:
        connection.execute(
            update(VolumeRow).where(VolumeRow.volume_id == record.volume_id).values(**values)
        )


def _newest_left(record: BackupRecord) -> Any:
    """When the newest backup of the volume started that is still there.

    If none is, all stays as it was: the volume was backed up once, and the loss is told by itself.
    """
    left = BackupRow.volume_id == record.volume_id, BackupRow.state == State.AVAILABLE
    newest = select(func.max(BackupRow.started_at)).where(*left).scalar_subquery()
    return func.coalesce(newest, VolumeRow.last_success_at)


def count_failures(connection: Connection, records: Iterable[BackupRecord]) -> None:
    """Records that were born failed count for their volume, but not the double of a good one."""
    for record in records:
        if record.state is State.FAILED and record.backup_id is None:
            remember(connection, record, State.FAILED, record.finished_at or record.planned_at)
