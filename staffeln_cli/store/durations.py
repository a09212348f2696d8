"""How long each volume's backups take, and the backups that wait or run."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, case, func, select, update

from staffeln_cli.model import BackupRecord, Kind
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.planning.estimates import Rates, UnfinishedBackup, expected, learned
from staffeln_cli.store.database import Database
from staffeln_cli.tables import backup_table, volume_table

_USUAL = {
    Kind.FULL: volume_table.c.usual_full_s,
    Kind.INCREMENTAL: volume_table.c.usual_incremental_s,
}
_UNFINISHED = (
    *(
        backup_table.c.volume_id,
        backup_table.c.volume_name,
        backup_table.c.server_name,
        backup_table.c.project_id,
    ),
    *(backup_table.c.kind, backup_table.c.state, backup_table.c.started_at),
    func.coalesce(backup_table.c.size_gib, volume_table.c.size_gib, 0),
    *(volume_table.c.volume_type, volume_table.c.usual_full_s, volume_table.c.usual_incremental_s),
    backup_table.c.origin,
)


class Durations:
    """What one database knows of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unfinished(self) -> list[UnfinishedBackup]:
        """The backups that wait or run."""
        query = _with_volume().where(backup_table.c.state.in_(UNFINISHED))
        with self._database.read() as connection:
            return list(map(UnfinishedBackup._make, connection.execute(query)))

    def rates(self) -> Rates:
        """What backups usually take per GiB, by volume type and kind."""
        sums: list[Any] = []
        for column in _USUAL.values():
            size = case((column.is_not(None), volume_table.c.size_gib))
            sums += (func.sum(column), func.sum(size))
        query = select(volume_table.c.volume_type, *sums).group_by(volume_table.c.volume_type)
        found: dict[tuple[str | None, Kind], float] = {}
        with self._database.read() as connection:
            for volume_type, *totals in connection.execute(query):
                for kind, seconds, gib in zip(_USUAL, totals[::2], totals[1::2], strict=True):
                    if gib:
                        found[volume_type, kind] = int(seconds) / int(gib)
        return found

    def expected(self, record: BackupRecord) -> timedelta | None:
        """How long this backup should take; None: not known."""
        query = _with_volume().where(backup_table.c.id == record.id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else expected(UnfinishedBackup._make(row), self.rates())


def learn(connection: Connection, record: BackupRecord) -> None:
    """Keep with the volume how long a backup took that has just become available."""
    columns = (backup_table.c.kind, backup_table.c.started_at, backup_table.c.finished_at)
    row = connection.execute(
        select(*columns, volume_table.c.usual_full_s, volume_table.c.usual_incremental_s)
        .join(volume_table, volume_table.c.volume_id == backup_table.c.volume_id)
        .where(backup_table.c.id == record.id)
    ).one_or_none()
    if row is None or row.started_at is None or row.finished_at is None:
        return
    took_s = max(0, round((row.finished_at - row.started_at).total_seconds()))
    column = _USUAL[row.kind]
    usual_s = learned(getattr(row, column.key), took_s)
    of_volume = volume_table.c.volume_id == record.volume_id
    connection.execute(update(volume_table).where(of_volume).values({column: usual_s}))


def _with_volume() -> Any:
    same = volume_table.c.volume_id == backup_table.c.volume_id
    return select(*_UNFINISHED).join(volume_table, same, isouter=True)
