"""The export records: what Cinder needs to know a backup again, and the parent that it names."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update

from staffeln_cli.model import (
    BackupId,
    ExportCandidate,
    ExportRecord,
    Kind,
    ProjectId,
    State,
    VolumeId,
)
from staffeln_cli.planning.evidence import CLOCK_TOLERANCE
from staffeln_cli.store import history
from staffeln_cli.store.database import Database, upsert
from staffeln_cli.store.queries import chunks
from staffeln_cli.tables import backup_table, export_record_table

_LONGEST_PAUSE = timedelta(days=1)


class Exports:
    """The export records of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def without_record(self, limit: int, now: datetime) -> list[ExportCandidate]:
        """Whole backups of ours whose record is to be fetched now; the oldest first."""
        query = (
            select(backup_table.c.backup_id, backup_table.c.project_id, backup_table.c.volume_id)
            .join(
                export_record_table,
                export_record_table.c.backup_id == backup_table.c.backup_id,
                isouter=True,
            )
            .where(
                backup_table.c.state == State.AVAILABLE,
                backup_table.c.broken_at.is_(None),  # Cinder refuses it of any other
                backup_table.c.exported.is_(False),
                or_(export_record_table.c.next_try_at.is_(None), ~_has_to_wait(now)),
            )
            .order_by(backup_table.c.planned_at)
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
        with (
            self._database.write() as connection,
            history.parent_noted(connection, candidate, moment),
        ):
            row = upsert(connection, export_record_table).values(
                backup_id=candidate.backup_id, **values
            )
            connection.execute(
                row.on_conflict_do_update(
                    index_elements=[export_record_table.c.backup_id], set_=values
                )
            )
            connection.execute(
                update(backup_table)
                .where(backup_table.c.backup_id == candidate.backup_id)
                .values(exported=True, parent_id=record.parent_id)
            )

    def note_refusal(self, candidate: ExportCandidate, moment: datetime, pause: timedelta) -> int:
        """Try it again after a pause that doubles each time; return how often it has failed."""
        with self._database.write() as connection:
            row = upsert(connection, export_record_table).values(
                backup_id=candidate.backup_id,
                volume_id=candidate.volume_id,
                project_id=candidate.project_id,
                is_foreign=candidate.is_foreign,
                failures=1,
            )
            again = row.on_conflict_do_update(
                index_elements=[export_record_table.c.backup_id],
                set_={"failures": export_record_table.c.failures + 1},
            )
            failures: int = connection.execute(
                again.returning(export_record_table.c.failures)
            ).scalar_one()
            pause = min(pause * (1 << min(failures - 1, 16)), _LONGEST_PAUSE)
            connection.execute(
                update(export_record_table)
                .where(export_record_table.c.backup_id == candidate.backup_id)
                .values(next_try_at=moment + pause)
            )
            return failures

    def known(self, ids: Sequence[BackupId], now: datetime) -> set[BackupId]:
        """Of these backups, those whose record is kept, or not to be fetched yet."""
        found: set[BackupId] = set()
        with self._database.read() as connection:
            for chunk in chunks(ids):
                rows = connection.execute(
                    select(export_record_table.c.backup_id).where(
                        export_record_table.c.backup_id.in_(chunk),
                        or_(
                            export_record_table.c.backup_url.is_not(None),
                            _has_to_wait(now),
                        ),
                    )
                )
                found.update(BackupId(value) for value in rows.scalars())
        return found

    def chain_volumes(self, volume_ids: Sequence[VolumeId]) -> set[tuple[ProjectId, VolumeId]]:
        """Of these volumes, those with available backups of ours, with the backups' projects."""
        found: set[tuple[ProjectId, VolumeId]] = set()
        with self._database.read() as connection:
            for chunk in chunks(volume_ids):
                rows = connection.execute(
                    select(backup_table.c.project_id, backup_table.c.volume_id)
                    .where(
                        backup_table.c.volume_id.in_(chunk),
                        backup_table.c.state == State.AVAILABLE,
                    )
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
                    select(export_record_table.c.backup_id, export_record_table.c.parent_id).where(
                        export_record_table.c.volume_id.in_(chunk),
                        export_record_table.c.is_foreign.is_(True),
                        export_record_table.c.parent_id.is_not(None),
                    )
                )
                found |= {BackupId(child): BackupId(parent or "") for child, parent in rows}
        return found

    def foreign(self) -> dict[ExportCandidate, datetime | None]:
        """The foreign backups whose records are kept, and since when each is suspected gone."""
        query = select(
            export_record_table.c.backup_id,
            export_record_table.c.project_id,
            export_record_table.c.volume_id,
            export_record_table.c.suspected_gone_at,
        ).where(export_record_table.c.is_foreign.is_(True))
        with self._database.read() as connection:
            return {
                _candidate(row.backup_id, row.project_id, row.volume_id, is_foreign=True): (
                    row.suspected_gone_at
                )
                for row in connection.execute(query)
            }

    def foreign_bases(self) -> list[ExportCandidate]:
        """What incrementals of ours depend on, as far as known, and no record of ours is of."""
        base = func.coalesce(backup_table.c.parent_id, backup_table.c.chain_id)
        another = backup_table.alias()
        has_record = select(another.c.id).where(another.c.backup_id == base).exists()
        query = (
            select(base, backup_table.c.project_id, backup_table.c.volume_id)
            .where(
                backup_table.c.state == State.AVAILABLE,
                backup_table.c.kind == Kind.INCREMENTAL,
                backup_table.c.broken_at.is_(None),
                base.is_not(None),
                ~has_record,
            )
            .distinct()
        )
        with self._database.read() as connection:
            return [_candidate(*row, is_foreign=True) for row in connection.execute(query)]

    def suspect(self, candidate: ExportCandidate, moment: datetime | None) -> None:
        """Note that a foreign backup seems to be gone; or, without a moment, that it is there."""
        values = {"suspected_gone_at": moment}
        with self._database.write() as connection:
            row = upsert(connection, export_record_table).values(**candidate._asdict(), **values)
            connection.execute(
                row.on_conflict_do_update(
                    index_elements=[export_record_table.c.backup_id], set_=values
                )
            )

    def forget(self, ids: Collection[BackupId]) -> None:
        """Remove the records of foreign backups that are gone."""
        with self._database.write() as connection:
            connection.execute(
                delete(export_record_table).where(
                    export_record_table.c.backup_id.in_(ids),
                    export_record_table.c.is_foreign.is_(True),
                )
            )

    def count(self) -> int:
        """How many records are kept."""
        kept = select(func.count()).where(export_record_table.c.backup_url.is_not(None))
        with self._database.read() as connection:
            number: int = connection.execute(kept).scalar_one()
            return number


def _has_to_wait(now: datetime) -> ColumnElement[bool]:
    """Whether the pause after a refusal goes on; a longer one than any was written wrongly."""
    latest = now + _LONGEST_PAUSE + CLOCK_TOLERANCE
    return and_(
        export_record_table.c.next_try_at > now, export_record_table.c.next_try_at <= latest
    )


def _candidate(
    backup_id: str | None, project_id: str, volume_id: str, *, is_foreign: bool = False
) -> ExportCandidate:
    return ExportCandidate(
        BackupId(backup_id or ""), ProjectId(project_id), VolumeId(volume_id), is_foreign
    )
