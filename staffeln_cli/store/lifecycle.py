"""The lifecycle of a backup record: one method for each arrow of the drawing in docs/."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from staffeln_cli.model import (
    Backup,
    BackupId,
    BackupRecord,
    Kind,
    Origin,
    ProjectId,
    RecordId,
    State,
    VolumeId,
)
from staffeln_cli.model.lifecycle import chain_id_of, may_move
from staffeln_cli.store import change_log, history
from staffeln_cli.store.database import Database
from staffeln_cli.store.queries import (
    COLUMNS,
    Caps,
    Claim,
    chunks,
    count_in_flight,
    insert,
    is_history,
    is_restored,
    lock_caps,
    locked,
    next_planned,
)
from staffeln_cli.tables import backup_table, export_record_table

_TAKEN_BACK: dict[str, object] = {
    "reason": None,
    "remains": False,
    "delete_attempts": 0,
    "next_try_at": None,
    "deleted_at": None,
    "suspected_missing_at": None,
    "broken_at": None,
    "broken_reported_at": None,
    "reported_at": None,
    "removal_reported_at": None,
}
"""A record was not at its end after all: what becomes of it now is reported anew."""
_IS_DELETED = backup_table.c.state == State.DELETED


class Lifecycle:
    """The arrows of the drawing; nothing else moves a backup record.

    Each move is a compare-and-set that ends the claim on the record and keeps the volume's
    history in the same transaction. A method that moves one record returns False when another
    run moved it first; with `owner`, also when that owner's claim is over. The first line of each
    docstring names the states before and after.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def plan(self, records: Sequence[BackupRecord]) -> set[RecordId]:
        """[*] -> planned | failed: failed at once where the volume's status forbids a backup.

        Return the ids of those inserted: not of volumes that have an unfinished one already.
        """
        if not records:
            return set()
        with self._database.write() as connection:
            inserted = insert(connection, records)
            for record in records:
                if record.id in inserted and record.state is State.FAILED:
                    history.note(connection, record, State.FAILED, self._database.now)
        change_log.planned(records, inserted)
        return inserted

    def adopt(self, record: BackupRecord) -> None:
        """[*] -> available | failed: a backup that Cinder has and that had no record.

        Failed: only its remains are left to be removed, which says nothing about the volume.
        """
        with self._database.write() as connection:
            # The record of a deletion that Cinder has not carried out keeps its history only.
            wrongly_deleted = backup_table.c.backup_id == record.backup_id, _IS_DELETED
            connection.execute(update(backup_table).where(*wrongly_deleted).values(backup_id=None))
            if record.state is State.AVAILABLE:
                succeeded_at = record.succeeded_at or record.finished_at or record.planned_at
                record = replace(record, succeeded_at=succeeded_at)
            inserted = insert(connection, [record])
            if inserted and record.state is State.AVAILABLE:
                history.note(connection, record, State.AVAILABLE, self._database.now)
        change_log.planned([record], inserted)

    def claim_next(
        self,
        claim: Claim,
        *,
        caps: Caps,
        limit: int,
        waiting: Collection[ProjectId] = (),
        only: Collection[RecordId] | None = None,
    ) -> list[BackupRecord]:
        """planned -> starting: claim the records to start next, within the caps.

        Projects take turns, but for those in `waiting`; in each, the longest waiting comes first.
        """
        with self._database.write() as connection:
            lock_caps(connection)
            room = min(limit, caps.total - count_in_flight(connection))
            if room <= 0:
                return []
            now = self._database.now()
            ids = connection.execute(next_planned(caps, waiting, only, now).limit(room))
            order = list(ids.scalars())
            started = connection.execute(
                update(backup_table)
                .where(
                    backup_table.c.id.in_(locked(connection, order)),
                    backup_table.c.state == State.PLANNED,
                )
                .values(
                    state=State.STARTING,
                    started_at=now,
                    claimed_by=claim.owner,
                    claimed_until=claim.until,
                )
                .returning(*COLUMNS)
            )
            found = (BackupRecord(*row) for row in started)
            return sorted(found, key=lambda record: order.index(record.id))

    def cancel_planned(
        self,
        volume_ids: Iterable[VolumeId],
        reason: str,
        moment: datetime,
        *,
        only_scheduled: bool = False,
    ) -> int:
        """planned -> cancelled: these volumes need no backup any more; return how many."""
        ids, cancelled = list(volume_ids), 0
        if not ids:
            return 0
        law = [backup_table.c.origin == Origin.SCHEDULED] if only_scheduled else []
        law.append(backup_table.c.state == State.PLANNED)
        with self._database.write() as connection:
            for chunk in chunks(ids):
                cancelled += connection.execute(
                    update(backup_table)
                    .where(backup_table.c.volume_id.in_(chunk), *law)
                    .values(state=State.CANCELLED, reason=reason, finished_at=moment)
                ).rowcount
        change_log.cancelled(cancelled, reason)
        return cancelled

    def created(self, record: BackupRecord, backup_id: BackupId, *, owner: str) -> bool:
        """starting -> creating: Cinder accepted the request, or was found to have acted on it."""
        chain_id = chain_id_of(record.kind, backup_id, record.chain_id)
        found = {"suspected_missing_at": None, "owner_unproven": record.owner_unproven}
        values = found | {"backup_id": backup_id, "chain_id": chain_id}
        with suppress(IntegrityError):  # another record has this backup
            return self._move(record, {State.STARTING}, State.CREATING, values, owner)
        return False

    def put_back(self, record: BackupRecord, reason: str | None = None, *, owner: str) -> bool:
        """starting -> planned: Cinder was not asked, or refused; the attempt does not count."""
        values = {"reason": reason or record.reason}
        return self._move(record, {State.STARTING}, State.PLANNED, values, owner)

    def plan_again(
        self,
        record: BackupRecord,
        reason: str,
        *,
        owner: str,
        not_before: datetime | None = None,
    ) -> bool:
        """starting -> planned: proved not created; to be asked for again, after a pause if any."""
        again = {"attempt": record.attempt + 1, "not_before": not_before}
        values = again | {"reason": reason, "suspected_missing_at": None}
        return self._move(record, {State.STARTING}, State.PLANNED, values, owner)

    def refused(self, record: BackupRecord, reason: str, moment: datetime, *, owner: str) -> bool:
        """starting -> failed: Cinder refused."""
        values = {"reason": reason, "finished_at": moment}
        return self._move(record, {State.STARTING}, State.FAILED, values, owner)

    def cancelled(
        self, record: BackupRecord, reason: str, moment: datetime, *, owner: str
    ) -> bool:
        """starting -> cancelled: there is nothing left to back up."""
        values = {"reason": reason, "finished_at": moment}
        return self._move(record, {State.STARTING}, State.CANCELLED, values, owner)

    def finished(self, record: BackupRecord, backup: Backup, moment: datetime) -> bool:
        """creating -> available: Cinder is done; kind and size are as Cinder has them."""
        ends = {"reason": None, "finished_at": moment, "succeeded_at": moment}
        values = _as_in_cinder(record, backup) | ends
        return self._move(record, {State.CREATING}, State.AVAILABLE, values)

    def failed(
        self, record: BackupRecord, reason: str, moment: datetime, *, remains: bool
    ) -> bool:
        """creating -> failed: an error, a time-out, or no backup; `remains` are to be removed."""
        ends = {"reason": reason, "finished_at": moment, "remains": remains}
        values = ends | {"owner_unproven": record.owner_unproven}
        return self._move(record, {State.CREATING}, State.FAILED, values)

    def missing(self, record: BackupRecord, reason: str, moment: datetime) -> bool:
        """available -> missing: gone from the cloud, and Staffeln did not delete it."""
        values = {"reason": reason, "deleted_at": moment}
        return self._move(record, {State.AVAILABLE}, State.MISSING, values)

    def seen_again(self, record: BackupRecord, backup: Backup, moment: datetime) -> bool:
        """missing | failed -> available: the backup is there, or was finished after all."""
        values = _as_in_cinder(record, backup) | _TAKEN_BACK | {"seen_again_at": moment}
        values["succeeded_at"] = record.succeeded_at or moment
        values["finished_at"] = record.finished_at if record.state is State.MISSING else moment
        record = replace(record, backup_id=backup.id)
        return self._move(record, {State.MISSING, State.FAILED}, State.AVAILABLE, values)

    def creating_again(self, record: BackupRecord, backup: Backup, moment: datetime) -> bool:
        """failed -> creating: Cinder still creates what was given up.

        Also False while the volume has another unfinished record: the database allows only one.
        """
        chain_id = chain_id_of(record.kind, backup.id, record.chain_id)
        ids = {"backup_id": backup.id, "chain_id": chain_id}
        values = _TAKEN_BACK | ids | {"finished_at": None, "seen_again_at": moment}
        with suppress(IntegrityError):
            return self._move(record, {State.FAILED}, State.CREATING, values)
        return False

    def deleting(self, record: BackupRecord, reason: str, *, next_try_at: datetime) -> bool:
        """available | failed -> deleting: the intent, before Cinder is asked.

        Also False when the backup has been pinned meanwhile, or a drill restores its chain.
        """
        again = {"delete_attempts": record.delete_attempts + 1, "next_try_at": next_try_at}
        values = {"delete_reason": reason, "delete_refusal": None, "status_reset": False, **again}
        return self._move(record, {State.AVAILABLE, State.FAILED}, State.DELETING, values)

    def deleted(self, record: BackupRecord, moment: datetime) -> bool:
        """deleting -> deleted: Cinder has let go of it."""
        values = {"deleted_at": moment, "remains": False, "delete_refusal": None}
        return self._move(record, {State.DELETING}, State.DELETED, values)

    def forget(self, before: datetime) -> int:
        """deleted | cancelled | missing | failed -> [*]: remove old rows; none with remains."""
        old = is_history(before)
        exported = export_record_table.c.backup_id.in_(select(backup_table.c.backup_id).where(old))
        with self._database.write() as connection:
            connection.execute(delete(export_record_table).where(exported))
            return connection.execute(delete(backup_table).where(old)).rowcount

    def _move(
        self,
        record: BackupRecord,
        sources: Collection[State],
        new: State,
        values: Mapping[str, object],
        owner: str | None = None,
    ) -> bool:
        if record.state not in sources or not may_move(record.state, new):
            raise ValueError(f"a {record.state} backup cannot become {new}")
        law = [backup_table.c.id == record.id, backup_table.c.state == record.state]
        if owner is not None:
            law.append(backup_table.c.claimed_by == owner)
        is_removal = record.state is State.AVAILABLE and new is State.DELETING
        if is_removal:
            law += [backup_table.c.pinned.is_(False), ~is_restored()]  # by now
        with self._database.write() as connection:
            if is_removal:
                lock_caps(connection)
            moved = connection.execute(
                update(backup_table)
                .where(*law)
                .values(state=new, claimed_by=None, claimed_until=None, **values)
            )
            if moved.rowcount != 1:
                return False
            if new is State.DELETED:  # its objects are gone: no import could bring it back
                exported = export_record_table.c.backup_id == record.backup_id
                connection.execute(delete(export_record_table).where(exported))
            history.note(connection, record, new, self._database.now)
        change_log.moved(record, new, values)
        return True


def _as_in_cinder(record: BackupRecord, backup: Backup) -> dict[str, object]:
    # A driver may turn an incremental into a full backup while creating it.
    kind = Kind.INCREMENTAL if backup.is_incremental else Kind.FULL
    ids = {"backup_id": backup.id, "chain_id": chain_id_of(kind, backup.id, record.chain_id)}
    return ids | {"kind": kind, "size_gib": backup.size_gib}
