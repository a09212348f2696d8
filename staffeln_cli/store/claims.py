"""Claims: a worker's expiring right to the records that it follows."""

from collections.abc import Collection

from sqlalchemy import and_, or_, select, true, update

from staffeln_cli.model import BackupRecord, RecordId, State
from staffeln_cli.store.database import Database
from staffeln_cli.store.queries import COLUMNS, Claim, chunks, is_open, unclaimed
from staffeln_cli.tables import backup_table


class Claims:
    """The claims on the backup records of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim_open_work(
        self, claim: Claim, *, only: Collection[RecordId] | None = None
    ) -> list[BackupRecord]:
        """Claim what is open and nobody else follows; what is `starting` only after its claim."""
        chosen = backup_table.c.id.in_(only) if only is not None else true()
        ours = and_(
            backup_table.c.claimed_by == claim.owner, backup_table.c.state != State.STARTING
        )
        with self._database.write() as connection:
            free = connection.execute(
                select(backup_table.c.id)
                .where(
                    is_open(), chosen, or_(ours, unclaimed(self._database.now(), claim.longest))
                )
                .order_by(backup_table.c.planned_at)
                .with_for_update(skip_locked=True)
            )
            claimed: list[BackupRecord] = []
            for chunk in chunks(free.scalars().all()):
                rows = connection.execute(
                    update(backup_table)
                    .where(backup_table.c.id.in_(chunk))
                    .values(claimed_by=claim.owner, claimed_until=claim.until)
                    .returning(*COLUMNS)
                )
                claimed.extend(BackupRecord(*row) for row in rows)
            return claimed

    def extend_claim(self, record_id: RecordId, claim: Claim) -> bool:
        """Extend a claim on a `starting` record; False when it is no longer this owner's."""
        with self._database.write() as connection:
            extended = connection.execute(
                update(backup_table)
                .where(
                    backup_table.c.id == record_id,
                    backup_table.c.state == State.STARTING,
                    backup_table.c.claimed_by == claim.owner,
                )
                .values(claimed_until=claim.until)
            )
            return extended.rowcount == 1

    def release(self, owner: str) -> None:
        """End this owner's claims, but for `starting` records: those stay in doubt."""
        with self._database.write() as connection:
            connection.execute(
                update(backup_table)
                .where(backup_table.c.claimed_by == owner, backup_table.c.state != State.STARTING)
                .values(claimed_by=None, claimed_until=None)
            )
