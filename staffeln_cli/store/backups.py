"""The backup records: planned, claimed, moved by compare-and-set."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    true,
    update,
)

from staffeln_cli.model import (
    BackupId,
    BackupRecord,
    ProjectId,
    RecordBrief,
    RecordId,
    State,
    VolumeId,
)
from staffeln_cli.model.lifecycle import IN_FLIGHT, UNFINISHED, may_move
from staffeln_cli.store.bulk_read import BulkRead
from staffeln_cli.store.database import Database, as_row, upsert
from staffeln_cli.store.history import count_failures, remember
from staffeln_cli.store.queries import (
    CAPS_LOCK,
    COLUMNS,
    Caps,
    Claim,
    by_waiting,
    chunks,
    is_open,
    next_in_line,
    unclaimed,
)
from staffeln_cli.tables import BackupRow, VolumeRow


class _StateOfVolume(NamedTuple):
    volume_id: VolumeId
    state: State


_OF_THESE = select(BackupRow.id).where(BackupRow.id.in_(bindparam("ids", expanding=True)))
_STATES = BulkRead(_StateOfVolume, BackupRow.state)
_BRIEFS = BulkRead(RecordBrief, BackupRow.volume_id, BackupRow.backup_id.is_not(None))


class Backups:
    """The backup records of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def plan(self, records: Sequence[BackupRecord]) -> set[RecordId]:
        """Insert records; those whose volume has an unfinished one already are left out."""
        if not records:
            return set()
        with self._database.write() as connection:
            statement = upsert(connection, BackupRow).on_conflict_do_nothing()
            connection.execute(statement, [as_row(record) for record in records])
            inserted: set[RecordId] = set()
            for chunk in chunks([record.id for record in records]):
                found = connection.execute(_OF_THESE, {"ids": chunk})
                inserted.update(found.scalars())  # type: ignore[arg-type]  # ids are plain text there
            count_failures(connection, [one for one in records if one.id in inserted])
        return inserted

    def start(
        self,
        claim: Claim,
        *,
        caps: Caps,
        limit: int,
        waiting: Collection[ProjectId] = (),
        only: Collection[RecordId] | None = None,
    ) -> list[BackupRecord]:
        """Move planned records to `starting` under a claim, within the caps.

        The longest waiting first; projects in `waiting` are passed over. Empty when nothing is
        planned or the caps are reached.
        """
        with self._database.write() as connection:
            room = min(limit, caps.total - self._in_flight(connection))
            if room <= 0:
                return []
            now = self._database.now()
            chosen = connection.execute(
                select(BackupRow.id)
                .where(BackupRow.id.in_(next_in_line(caps, waiting, only, now).limit(room)))
                .with_for_update(skip_locked=True)
            )
            started = connection.execute(
                update(BackupRow)
                .where(BackupRow.id.in_(chosen.scalars().all()), BackupRow.state == State.PLANNED)
                .values(
                    state=State.STARTING,
                    started_at=now,
                    claimed_by=claim.owner,
                    claimed_until=claim.until,
                )
                .returning(*COLUMNS)
            )
            return sorted((BackupRecord(*row) for row in started), key=by_waiting)

    def _in_flight(self, connection: Connection) -> int:
        """How many backups are in flight; nobody else counts until this transaction ends."""
        if not self._database.is_sqlite:  # SQLite has one writer at a time anyway
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CAPS_LOCK})
        flying = select(func.count()).where(BackupRow.state.in_(IN_FLIGHT))
        number: int = connection.execute(flying).scalar_one()
        return number

    def open_work(self) -> list[BackupRecord]:
        """What `check` has to follow: in doubt, being created, being deleted, or with remains."""
        return self._records(
            select(*COLUMNS)
            .where(is_open(), unclaimed(self._database.now()))
            .order_by(BackupRow.planned_at, BackupRow.id)
        )

    def claim_open_work(
        self, claim: Claim, *, only: Collection[RecordId] | None = None
    ) -> list[BackupRecord]:
        """Claim what is open and nobody else follows; what is `starting` only after its claim."""
        chosen = BackupRow.id.in_(only) if only is not None else true()
        ours = and_(BackupRow.claimed_by == claim.owner, BackupRow.state != State.STARTING)
        with self._database.write() as connection:
            free = connection.execute(
                select(BackupRow.id)
                .where(is_open(), chosen, or_(ours, unclaimed(self._database.now())))
                .order_by(BackupRow.planned_at)
                .with_for_update(skip_locked=True)
            )
            claimed: list[BackupRecord] = []
            for chunk in chunks(free.scalars().all()):
                rows = connection.execute(
                    update(BackupRow)
                    .where(BackupRow.id.in_(chunk))
                    .values(claimed_by=claim.owner, claimed_until=claim.until)
                    .returning(*COLUMNS)
                )
                claimed.extend(BackupRecord(*row) for row in rows)
            return claimed

    def available_ids(self) -> set[BackupId]:
        """Cinder's ids of all backups that should be there."""
        with self._database.read() as connection:
            found = connection.execute(
                select(BackupRow.backup_id).where(BackupRow.state == State.AVAILABLE)
            )
            return {BackupId(one) for one in found.scalars() if one is not None}

    def give_back(self, owner: str) -> None:
        """Let go of this owner's claims, but for `starting` records: those stay in doubt."""
        with self._database.write() as connection:
            connection.execute(
                update(BackupRow)
                .where(BackupRow.claimed_by == owner, BackupRow.state != State.STARTING)
                .values(claimed_by=None, claimed_until=None)
            )

    def extend_claim(self, record_id: RecordId, claim: Claim) -> bool:
        """Extend a claim on a `starting` record; False when it is no longer this owner's."""
        with self._database.write() as connection:
            touched = connection.execute(
                update(BackupRow)
                .where(
                    BackupRow.id == record_id,
                    BackupRow.state == State.STARTING,
                    BackupRow.claimed_by == claim.owner,
                )
                .values(claimed_until=claim.until)
            )
            return touched.rowcount == 1

    def move(
        self,
        record: BackupRecord,
        new: State,
        *,
        moment: datetime,
        owner: str | None = None,
        **values: Any,
    ) -> bool:
        """Move a record on; False if another run moved it first. Ends the claim on it.

        `moment` is when this became known; the volume's history is kept in the same transaction.
        With `owner`, only while that owner's claim stands.
        """
        if not may_move(record.state, new):
            raise ValueError(f"a {record.state} backup cannot become {new}")
        law = [BackupRow.id == record.id, BackupRow.state == record.state]
        if owner is not None:
            law.append(BackupRow.claimed_by == owner)
        if record.state is State.AVAILABLE and new is State.DELETING:
            law.append(BackupRow.pinned.is_(False))  # somebody may have pinned it meanwhile
        with self._database.write() as connection:
            moved = connection.execute(
                update(BackupRow)
                .where(*law)
                .values(state=new, claimed_by=None, claimed_until=None, **values)
            )
            if moved.rowcount != 1:
                return False
            remember(connection, record, new, moment)
            return True

    def note(self, record_id: RecordId, **values: Any) -> None:
        """Write details of a record that are no move: a reason, a pause, a pin."""
        with self._database.write() as connection:
            connection.execute(update(BackupRow).where(BackupRow.id == record_id).values(**values))

    def cancel_planned(self, volume_ids: Iterable[VolumeId], reason: str, moment: datetime) -> int:
        """Cancel what is planned for these volumes; return how many records that were."""
        cancelled = 0
        with self._database.write() as connection:
            for chunk in chunks(list(volume_ids)):
                cancelled += connection.execute(
                    update(BackupRow)
                    .where(BackupRow.volume_id.in_(chunk), BackupRow.state == State.PLANNED)
                    .values(state=State.CANCELLED, reason=reason, finished_at=moment)
                ).rowcount
        return cancelled

    def in_states(self, states: Collection[State]) -> list[BackupRecord]:
        """All records in these states, oldest plan first."""
        return self._records(
            select(*COLUMNS)
            .where(BackupRow.state.in_(states))
            .order_by(BackupRow.planned_at, BackupRow.id)
        )

    def count(self) -> dict[State, int]:
        """How many records are in each state that has any."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(BackupRow.state, func.count()).group_by(BackupRow.state)
            )
            return {state: number for state, number in rows}  # noqa: C416 - mypy knows rows no better

    def of_volumes(self, volume_ids: Iterable[VolumeId]) -> list[BackupRecord]:
        """All records of these volumes, in any state, oldest plan first for each."""
        found: list[BackupRecord] = []
        for chunk in chunks(list(volume_ids)):
            found += self._records(
                select(*COLUMNS)
                .where(BackupRow.volume_id.in_(chunk))
                .order_by(BackupRow.planned_at, BackupRow.id)
            )
        return found

    def briefs(self, volume_ids: Iterable[VolumeId]) -> dict[BackupId, RecordBrief]:
        """What retention judges these volumes' backups by, under Cinder's ids."""
        with self._database.read() as connection:
            return {one.backup_id: one for one in _BRIEFS.among(connection, list(volume_ids))}

    def by_ids(self, ids: Iterable[str]) -> list[BackupRecord]:
        """Records by their own id or by Cinder's id of the backup."""
        found: list[BackupRecord] = []
        for chunk in chunks(list(ids)):
            law = or_(BackupRow.id.in_(chunk), BackupRow.backup_id.in_(chunk))
            found += self._records(select(*COLUMNS).where(law))
        return found

    def by_names(self, names: Sequence[str]) -> list[BackupRecord]:
        """Records by the names of their backups."""
        found: list[BackupRecord] = []
        for chunk in chunks(names):
            found += self._records(select(*COLUMNS).where(BackupRow.name.in_(chunk)))
        return found

    def adopt(self, record: BackupRecord) -> None:
        """Insert a record of an available backup that had none, and tell the volume's history."""
        self.plan([record])
        with self._database.write() as connection:
            older = or_(
                VolumeRow.last_success_at.is_(None), VolumeRow.last_success_at < record.started_at
            )
            connection.execute(
                update(VolumeRow)
                .where(VolumeRow.volume_id == record.volume_id, older)
                .values(last_success_at=record.started_at, failures=0)
            )

    def planned_or_unfinished(self) -> dict[VolumeId, State]:
        """The volumes that have an unfinished record, and its state."""
        with self._database.read() as connection:
            return dict(_STATES.among(connection, sorted(UNFINISHED)))

    def newest_successes(self, volume_ids: Sequence[VolumeId]) -> dict[VolumeId, datetime]:
        """The start of the newest backup that each of these volumes has, if it has any."""
        found: dict[VolumeId, datetime] = {}
        with self._database.read() as connection:
            for chunk in chunks(volume_ids):
                rows = connection.execute(
                    select(BackupRow.volume_id, func.max(BackupRow.started_at))
                    .where(BackupRow.volume_id.in_(chunk), BackupRow.state == State.AVAILABLE)
                    .group_by(BackupRow.volume_id)
                )
                found.update((VolumeId(one), moment) for one, moment in rows if moment)
        return found

    def newest_missing(self) -> dict[VolumeId, datetime]:
        """For each volume that lost a backup behind our back, the start of the newest lost one."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(BackupRow.volume_id, func.max(BackupRow.started_at))
                .where(BackupRow.state == State.MISSING)
                .group_by(BackupRow.volume_id)
            )
            return {VolumeId(volume_id): moment for volume_id, moment in rows if moment}

    def forget(self, before: datetime) -> int:
        """Remove finished records older than `before`; return how many."""
        finished = BackupRow.state.in_([State.DELETED, State.CANCELLED, State.MISSING]) | (
            (BackupRow.state == State.FAILED) & BackupRow.remains.is_(False)
        )
        ended = func.coalesce(BackupRow.deleted_at, BackupRow.finished_at, BackupRow.planned_at)
        with self._database.write() as connection:
            return connection.execute(delete(BackupRow).where(finished, ended < before)).rowcount

    def _records(self, statement: Select[Any]) -> list[BackupRecord]:
        with self._database.read() as connection:
            return [BackupRecord(*row) for row in connection.execute(statement)]
