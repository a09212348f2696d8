"""Restore drills: one method for each arrow of their life, and what is read of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, or_, select, update

from staffeln_cli.model import (
    Drill,
    DrillId,
    DrillState,
    ProofLevel,
    ServerId,
    State,
    VolumeId,
)
from staffeln_cli.model.drills import DRILL_UNFINISHED, NEXT_DRILL_STATES
from staffeln_cli.model.lifecycle import IN_FLIGHT
from staffeln_cli.store.database import Database, as_row, upsert
from staffeln_cli.store.queries import Claim, chunks, lock_caps
from staffeln_cli.tables import backup_table, drill_table, volume_table

_COLUMNS = tuple(drill_table.c[part.name] for part in fields(Drill))
_NAMES = tuple(part.name for part in fields(Drill))


class Drills:
    """The drills of one database.

    Each move is a compare-and-set by the owner of the claim; it returns False when another run
    moved the drill first or has taken it over.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def plan(self, drill: Drill, claim: Claim) -> bool:
        """[*] -> planned. False while the volume has another unfinished drill."""
        row = as_row(drill) | {"claimed_by": claim.owner, "claimed_until": claim.until}
        with self._database.write() as connection:
            connection.execute(upsert(connection, drill_table).on_conflict_do_nothing(), [row])
            made = select(drill_table.c.id).where(drill_table.c.id == drill.id)
            return connection.execute(made).first() is not None

    def restoring(self, drill: Drill, moment: datetime, *, owner: str) -> bool:
        """planned -> restoring: the intention, before Cinder is asked.

        Also False while a backup of the volume is being created, which could lose its parent, or
        when the backup is being deleted.
        """
        with self._database.write() as connection:
            lock_caps(connection)  # nobody starts or deletes a backup of the volume meanwhile
            if _is_in_use(connection, drill):
                return False
            values = {"started_at": moment}
            return self._move_in(connection, drill, DrillState.RESTORING, values, owner)

    def checking(
        self, drill: Drill, waiting: float | None, restoring: float | None, *, owner: str
    ) -> bool:
        """restoring -> checking: the scratch volume can be used."""
        values = {"waiting_seconds": waiting, "restoring_seconds": restoring}
        return self._move(drill, DrillState.CHECKING, values, owner)

    def clearing(  # noqa: PLR0913 - what the drill found, all by name
        self,
        drill: Drill,
        verdict: DrillState,
        *,
        owner: str,
        reason: str | None = None,
        suspected: bool = False,
        level: ProofLevel | None = None,
        console: str | None = None,
    ) -> bool:
        """restoring | checking -> clearing: the verdict is known, what is left is removed."""
        found = {"reason": reason, "suspected": suspected, "level": level, "console": console}
        return self._move(drill, DrillState.CLEARING, {"verdict": verdict, **found}, owner)

    def passed(self, drill: Drill, moment: datetime, *, owner: str) -> bool:
        """clearing -> passed: the volume is proven; nothing is left of the drill."""
        with self._database.write() as connection:
            if not self._end(connection, drill, DrillState.PASSED, moment, owner):
                return False
            newer = select(drill_table.c.id).where(
                drill_table.c.volume_id == drill.volume_id,
                drill_table.c.state == DrillState.FAILED,
                drill_table.c.backup_at > drill.backup_at,
            )
            _note(connection, drill, proven_at=moment)
            _note(connection, drill, ~exists(newer), proof_failed_at=None)
            return True

    def failed(self, drill: Drill, moment: datetime, *, owner: str) -> bool:
        """clearing -> failed: the backup could not be restored; nothing is left of the drill."""
        with self._database.write() as connection:
            if not self._end(connection, drill, DrillState.FAILED, moment, owner):
                return False
            _note(connection, drill, proof_failed_at=moment)
            return True

    def cancelled(
        self, drill: Drill, moment: datetime, *, owner: str, reason: str | None = None
    ) -> bool:
        """planned | clearing -> cancelled: nothing was found out about the backup."""
        with self._database.write() as connection:
            return self._end(connection, drill, DrillState.CANCELLED, moment, owner, reason)

    def note_scratch(
        self,
        drill: Drill,
        *,
        owner: str,
        volume_id: VolumeId | None = None,
        server_id: ServerId | None = None,
    ) -> bool:
        """Keep the id of the scratch volume or server that Cinder or Nova has made."""
        ids = {"scratch_volume_id": volume_id, "scratch_server_id": server_id}
        known = {name: value for name, value in ids.items() if value is not None}
        with self._database.write() as connection:
            noted = connection.execute(
                update(drill_table).where(*_law(drill, owner)).values(known)
            )
            return noted.rowcount == 1

    def extend_claim(self, drill: Drill, claim: Claim) -> bool:
        """Extend the claim on a drill; False when it is no longer this owner's."""
        with self._database.write() as connection:
            extended = connection.execute(
                update(drill_table)
                .where(drill_table.c.id == drill.id, drill_table.c.claimed_by == claim.owner)
                .values(claimed_until=claim.until)
            )
            return extended.rowcount == 1

    def claim_left(self, claim: Claim) -> list[Drill]:
        """Claim the unfinished drills that no live process follows, oldest first."""
        now = self._database.now()
        free = or_(drill_table.c.claimed_until.is_(None), drill_table.c.claimed_until <= now)
        with self._database.write() as connection:
            left = connection.execute(
                select(drill_table.c.id)
                .where(drill_table.c.state.in_(DRILL_UNFINISHED), free)
                .with_for_update(skip_locked=True)
            )
            rows = connection.execute(
                update(drill_table)
                .where(drill_table.c.id.in_(left.scalars().all()))
                .values(claimed_by=claim.owner, claimed_until=claim.until)
                .returning(*_COLUMNS)
            )
            return sorted((_drill(row) for row in rows), key=lambda one: one.planned_at)

    def release(self, owner: str) -> None:
        """End this owner's claims: the next run of any host goes on with these drills."""
        with self._database.write() as connection:
            connection.execute(
                update(drill_table)
                .where(drill_table.c.claimed_by == owner)
                .values(claimed_by=None, claimed_until=None)
            )

    def by_id(self, drill_id: DrillId) -> Drill | None:
        """A drill as it is now."""
        return next(iter(self._where(drill_table.c.id == drill_id)), None)

    def unfinished(self) -> list[Drill]:
        """The drills that have not ended."""
        return self._where(drill_table.c.state.in_(DRILL_UNFINISHED))

    def of_volumes(self, volume_ids: Collection[VolumeId]) -> dict[VolumeId, list[Drill]]:
        """All drills of these volumes, oldest first; none of backups of a former owner's."""
        found: dict[VolumeId, list[Drill]] = {}
        has_left = exists().where(
            volume_table.c.volume_id == drill_table.c.volume_id,
            volume_table.c.project_id != drill_table.c.project_id,
        )
        for chunk in chunks(list(volume_ids)):
            for drill in self._where(drill_table.c.volume_id.in_(chunk), ~has_left):
                found.setdefault(drill.volume_id, []).append(drill)
        return found

    def ended_in(
        self, states: Collection[DrillState], since: datetime | None = None
    ) -> list[Drill]:
        """The drills that ended so, oldest first; `since` a moment if given."""
        law: list[ColumnElement[bool]] = [drill_table.c.state.in_(states)]
        if since is not None:
            law.append(drill_table.c.ended_at >= since)
        return self._where(*law)

    def forget(self, before: datetime) -> int:
        """Remove old drills, but of each volume the newest of each end; return how many."""
        newer = drill_table.alias()
        is_outdone = exists(
            select(newer.c.id).where(
                newer.c.volume_id == drill_table.c.volume_id,
                newer.c.state == drill_table.c.state,
                newer.c.ended_at > drill_table.c.ended_at,
            )
        )
        with self._database.write() as connection:
            old = select(drill_table.c.id).where(drill_table.c.ended_at < before, is_outdone)
            ids = connection.execute(old).scalars().all()
            for chunk in chunks(ids):
                connection.execute(delete(drill_table).where(drill_table.c.id.in_(chunk)))
            return len(ids)

    def _move(
        self, drill: Drill, new: DrillState, values: Mapping[str, object], owner: str
    ) -> bool:
        with self._database.write() as connection:
            return self._move_in(connection, drill, new, values, owner)

    def _end(  # noqa: PLR0913, PLR0917 - a move, with how the drill ended
        self,
        connection: Connection,
        drill: Drill,
        new: DrillState,
        moment: datetime,
        owner: str,
        reason: str | None = None,
    ) -> bool:
        values: dict[str, object] = {"ended_at": moment, "claimed_by": None, "claimed_until": None}
        if drill.started_at is not None:
            values["total_seconds"] = (moment - drill.started_at).total_seconds()
        if reason is not None:
            values["reason"] = reason
        return self._move_in(connection, drill, new, values, owner)

    def _move_in(
        self,
        connection: Connection,
        drill: Drill,
        new: DrillState,
        values: Mapping[str, object],
        owner: str,
    ) -> bool:
        if new not in NEXT_DRILL_STATES[drill.state]:
            raise ValueError(f"a {drill.state} drill cannot become {new}")
        moved = connection.execute(
            update(drill_table).where(*_law(drill, owner)).values(state=new, **values)
        )
        return moved.rowcount == 1

    def _where(self, *law: ColumnElement[bool]) -> list[Drill]:
        query = select(*_COLUMNS).where(*law).order_by(drill_table.c.planned_at, drill_table.c.id)
        with self._database.read() as connection:
            return [_drill(row) for row in connection.execute(query)]


def _drill(row: Sequence[Any]) -> Drill:
    return Drill(**dict(zip(_NAMES, row, strict=True)))


def _law(drill: Drill, owner: str) -> Sequence[ColumnElement[bool]]:
    return (
        drill_table.c.id == drill.id,
        drill_table.c.state == drill.state,
        drill_table.c.claimed_by == owner,
    )


def _is_in_use(connection: Connection, drill: Drill) -> bool:
    creating = (backup_table.c.volume_id == drill.volume_id) & backup_table.c.state.in_(IN_FLIGHT)
    leaving = (backup_table.c.backup_id == drill.backup_id) & (
        backup_table.c.state != State.AVAILABLE
    )
    return (
        connection.execute(select(backup_table.c.id).where(or_(creating, leaving))).first()
        is not None
    )


def _note(
    connection: Connection, drill: Drill, *law: ColumnElement[bool], **values: object
) -> None:
    # A backup of a former owner's says nothing about those of the volume's present one.
    owned = (
        volume_table.c.volume_id == drill.volume_id,
        volume_table.c.project_id == drill.project_id,
    )
    connection.execute(update(volume_table).where(*owned, *law).values(**values))
