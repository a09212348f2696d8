"""The export records: what Cinder needs to know a backup again, and the parent that it names."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from staffeln_cli.model import (
    BackupId,
    ExportCandidate,
    ExportRecord,
    ProjectId,
    State,
    VolumeId,
)
from staffeln_cli.store.database import Database, upsert
from staffeln_cli.store.queries import chunks
from staffeln_cli.tables import BackupRow, ExportRecordRow

_LONGEST_PAUSE = timedelta(days=1)


class Exports:
    """The export records of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def without_record(self, limit: int, now: datetime) -> list[ExportCandidate]:
        """Available backups of ours whose record is to be fetched now; the oldest first."""
        query = (
            select(BackupRow.backup_id, BackupRow.project_id, BackupRow.volume_id)
            .join(ExportRecordRow, ExportRecordRow.backup_id == BackupRow.backup_id, isouter=True)
            .where(
                BackupRow.state == State.AVAILABLE,
                BackupRow.exported.is_(False),
                or_(ExportRecordRow.next_try_at.is_(None), ExportRecordRow.next_try_at <= now),
            )
            .order_by(BackupRow.planned_at)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_candidate(*row) for row in connection.execute(query)]

    def note(self, candidate: ExportCandidate, record: ExportRecord, moment: datetime) -> None:
        """Keep a record; from now on the parent that it names is known."""
        values = {
            "volume_id": candidate.volume_id,
            "project_id": candidate.project_id,
            "is_foreign": candidate.is_foreign,
            "parent_id": record.parent_id,
            "backup_service": record.backup_service,
            "backup_url": record.backup_url,
            "fetched_at": moment,
            "next_try_at": None,
        }
        with self._database.write() as connection:
            row = upsert(connection, ExportRecordRow).values(
                backup_id=candidate.backup_id, **values
            )
            connection.execute(
                row.on_conflict_do_update(index_elements=[ExportRecordRow.backup_id], set_=values)
            )
            connection.execute(
                update(BackupRow)
                .where(BackupRow.backup_id == candidate.backup_id)
                .values(exported=True, parent_id=record.parent_id)
            )

    def note_refusal(self, candidate: ExportCandidate, moment: datetime, pause: timedelta) -> int:
        """Try it again after a pause that doubles each time; return how often it has failed."""
        with self._database.write() as connection:
            row = upsert(connection, ExportRecordRow).values(
                backup_id=candidate.backup_id,
                volume_id=candidate.volume_id,
                project_id=candidate.project_id,
                is_foreign=candidate.is_foreign,
                failures=1,
            )
            again = row.on_conflict_do_update(
                index_elements=[ExportRecordRow.backup_id],
                set_={"failures": ExportRecordRow.failures + 1},
            )
            failures: int = connection.execute(
                again.returning(ExportRecordRow.failures)
            ).scalar_one()
            pause = min(pause * (1 << min(failures - 1, 16)), _LONGEST_PAUSE)
            connection.execute(
                update(ExportRecordRow)
                .where(ExportRecordRow.backup_id == candidate.backup_id)
                .values(next_try_at=moment + pause)
            )
            return failures

    def known(self, ids: Sequence[BackupId], now: datetime) -> set[BackupId]:
        """Of these backups, those whose record is kept, or not to be fetched yet."""
        found: set[BackupId] = set()
        with self._database.read() as connection:
            for chunk in chunks(ids):
                rows = connection.execute(
                    select(ExportRecordRow.backup_id).where(
                        ExportRecordRow.backup_id.in_(chunk),
                        or_(
                            ExportRecordRow.backup_url.is_not(None),
                            ExportRecordRow.next_try_at > now,
                        ),
                    )
                )
                found.update(BackupId(one) for one in rows.scalars())
        return found

    def chain_volumes(self, volume_ids: Sequence[VolumeId]) -> set[tuple[ProjectId, VolumeId]]:
        """Of these volumes, those with available backups of ours, with the backups' projects."""
        found: set[tuple[ProjectId, VolumeId]] = set()
        with self._database.read() as connection:
            for chunk in chunks(volume_ids):
                rows = connection.execute(
                    select(BackupRow.project_id, BackupRow.volume_id)
                    .where(BackupRow.volume_id.in_(chunk), BackupRow.state == State.AVAILABLE)
                    .distinct()
                )
                found.update((ProjectId(project), VolumeId(volume)) for project, volume in rows)
        return found

    def foreign_parents(self, volume_ids: Iterable[VolumeId]) -> dict[BackupId, BackupId]:
        """The parents of foreign incrementals of these volumes, as far as they are known."""
        found: dict[BackupId, BackupId] = {}
        with self._database.read() as connection:
            for chunk in chunks(list(volume_ids)):
                rows = connection.execute(
                    select(ExportRecordRow.backup_id, ExportRecordRow.parent_id).where(
                        ExportRecordRow.volume_id.in_(chunk),
                        ExportRecordRow.is_foreign.is_(True),
                        ExportRecordRow.parent_id.is_not(None),
                    )
                )
                found |= {BackupId(child): BackupId(parent or "") for child, parent in rows}
        return found

    def foreign(self) -> dict[ExportCandidate, datetime | None]:
        """The foreign backups whose records are kept, and since when each is suspected gone."""
        query = select(
            ExportRecordRow.backup_id,
            ExportRecordRow.project_id,
            ExportRecordRow.volume_id,
            ExportRecordRow.suspected_gone_at,
        ).where(ExportRecordRow.is_foreign.is_(True))
        with self._database.read() as connection:
            return {
                _candidate(row.backup_id, row.project_id, row.volume_id, is_foreign=True): (
                    row.suspected_gone_at
                )
                for row in connection.execute(query)
            }

    def suspect(self, backup_id: BackupId, moment: datetime | None) -> None:
        """Note that a foreign backup seems to be gone; or, without a moment, that it is there."""
        with self._database.write() as connection:
            connection.execute(
                update(ExportRecordRow)
                .where(ExportRecordRow.backup_id == backup_id)
                .values(suspected_gone_at=moment)
            )

    def forget(self, ids: Collection[BackupId]) -> None:
        """Remove the records of foreign backups that are gone."""
        with self._database.write() as connection:
            connection.execute(
                delete(ExportRecordRow).where(
                    ExportRecordRow.backup_id.in_(ids), ExportRecordRow.is_foreign.is_(True)
                )
            )

    def count(self) -> int:
        """How many records are kept."""
        kept = select(func.count()).where(ExportRecordRow.backup_url.is_not(None))
        with self._database.read() as connection:
            number: int = connection.execute(kept).scalar_one()
            return number


def _candidate(
    backup_id: str | None, project_id: str, volume_id: str, *, is_foreign: bool = False
) -> ExportCandidate:
    return ExportCandidate(
        BackupId(backup_id or ""), ProjectId(project_id), VolumeId(volume_id), is_foreign
    )
