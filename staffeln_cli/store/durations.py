"""How long each volume's backups take, and the backups that wait or run."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, case, func, select, update

from staffeln_cli.model import BackupRecord, Kind
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.planning.estimates import Rates, UnfinishedBackup, expected, learned
from staffeln_cli.store.database import Database
from staffeln_cli.tables import BackupRow, VolumeRow

_USUAL = {Kind.FULL: VolumeRow.usual_full_s, Kind.INCREMENTAL: VolumeRow.usual_incremental_s}
_UNFINISHED = (
    *(BackupRow.volume_id, BackupRow.volume_name, BackupRow.server_name, BackupRow.project_id),
    *(BackupRow.kind, BackupRow.state, BackupRow.started_at),
    func.coalesce(BackupRow.size_gib, VolumeRow.size_gib, 0),
    *(VolumeRow.volume_type, VolumeRow.usual_full_s, VolumeRow.usual_incremental_s),
)


class Durations:
    """What one database knows of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unfinished(self) -> list[UnfinishedBackup]:
        """The backups that wait or run."""
        query = _with_volume().where(BackupRow.state.in_(UNFINISHED))
        with self._database.read() as connection:
            return list(map(UnfinishedBackup._make, connection.execute(query)))

    def rates(self) -> Rates:
        """What backups usually take per GiB, by volume type and kind."""
        sums: list[Any] = []
        for column in _USUAL.values():
            size = case((column.is_not(None), VolumeRow.size_gib))
            sums += (func.sum(column), func.sum(size))
        query = select(VolumeRow.volume_type, *sums).group_by(VolumeRow.volume_type)
        found: dict[tuple[str | None, Kind], float] = {}
        with self._database.read() as connection:
            for volume_type, *totals in connection.execute(query):
                for kind, seconds, gib in zip(_USUAL, totals[::2], totals[1::2], strict=True):
                    if gib:
                        found[volume_type, kind] = int(seconds) / int(gib)
        return found

    def expected(self, record: BackupRecord) -> timedelta | None:
        """How long this backup should take; None: not known."""
        query = _with_volume().where(BackupRow.id == record.id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else expected(UnfinishedBackup._make(row), self.rates())


def learn(connection: Connection, record: BackupRecord) -> None:
    """Keep with the volume how long a backup took that has just become available."""
    columns = (BackupRow.kind, BackupRow.started_at, BackupRow.finished_at)
    row = connection.execute(
        select(*columns, VolumeRow.usual_full_s, VolumeRow.usual_incremental_s)
        .join(VolumeRow, VolumeRow.volume_id == BackupRow.volume_id)
        .where(BackupRow.id == record.id)
    ).one_or_none()
    if row is None or row.started_at is None or row.finished_at is None:
        return
    took_s = max(0, round((row.finished_at - row.started_at).total_seconds()))
    column = _USUAL[row.kind]
    usual_s = learned(getattr(row, column.key), took_s)
    of_volume = VolumeRow.volume_id == record.volume_id
    connection.execute(update(VolumeRow).where(of_volume).values({column: usual_s}))


def _with_volume() -> Any:
    same = VolumeRow.volume_id == BackupRow.volume_id
    return select(*_UNFINISHED).join(VolumeRow, same, isouter=True)
