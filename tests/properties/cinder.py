"""What Cinder really does with the backups of one volume in one project: parents, refusals, times.

Written from Cinder's own rules, and knowing what no listing shows: every backup's parent.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from staffeln_cli.model import Backup, BackupId
from tests.build import a_backup

BEGIN = datetime(2024, 2, 27, tzinfo=UTC)


class Refused(Exception):
    """Cinder says 400."""


@dataclass
class Row:
    """A backup as Cinder's database has it."""

    id: BackupId
    status: str
    created_at: datetime
    data_timestamp: datetime
    parent: BackupId | None
    snapshot: str | None
    updated_at: datetime | None = None
    whole: bool = False


@dataclass
class Cinder:
    now: datetime = BEGIN
    rows: dict[BackupId, Row] = field(default_factory=dict)
    made: int = 0
    exported: dict[BackupId, BackupId] = field(default_factory=dict)
    """The parents that export records have named."""
    racy: bool = True
    """Whether two requests within a second may both find the volume idle."""

    def create(self, *, incremental: bool, snapshot: datetime | None = None) -> BackupId:
        # Cinder looks at the volume's status and only then sets it: two at once may both pass.
        if snapshot is None and any(self._keeps_volume_busy(row) for row in self.rows.values()):
            raise Refused
        parent = self._parent(snapshot) if incremental else None
        self.made += 1
        # The id must not betray the order.
        new = BackupId(f"{self.made * 7919 % 10007:05}")
        self.rows[new] = Row(
            id=new,
            status="creating",
            created_at=self.now,
            data_timestamp=snapshot or self.now,
            parent=parent,
            snapshot="a snapshot" if snapshot else None,
        )
        return new

    def finish(self, backup: BackupId, *, well: bool) -> None:
        row = self.rows[backup]
        row.whole = well
        self._set(row, "available" if well else "error")
        if row.parent is not None:
            # The parent counts its children.
            self.rows[row.parent].updated_at = self.now

    def export(self, backup: BackupId) -> None:
        """The export record names the parent, and the row is written anew."""
        row = self.rows[backup]
        if row.status != "available":
            raise Refused
        row.updated_at = self.now
        if row.parent is not None:
            self.exported[backup] = row.parent

    def begin_restore(self, backup: BackupId) -> None:
        self._set(self.rows[backup], "restoring")

    def end_restore(self, backup: BackupId) -> None:
        self._set(self.rows[backup], "available")

    def delete(self, backup: BackupId) -> None:
        if self.rows[backup].status not in {"available", "error"} or self.children(backup):
            raise Refused
        self._set(self.rows[backup], "deleting")

    def vanish(self, backup: BackupId) -> None:
        """The end of a deletion."""
        gone = self.rows.pop(backup)
        if gone.parent is not None:
            self.rows[gone.parent].updated_at = self.now

    def children(self, backup: BackupId) -> list[BackupId]:
        """What `parent_id=` answers."""
        return [row.id for row in self.rows.values() if row.parent == backup]

    def ancestors(self, backup: BackupId) -> list[BackupId]:
        """The backup, its parent and so on down to the full."""
        line = [backup]
        while (parent := self.rows[line[-1]].parent) is not None:
            line.append(parent)
        return line

    def can_restore(self, backup: BackupId) -> bool:
        return all(
            one in self.rows and self.rows[one].whole and self.rows[one].status != "deleting"
            for one in self.ancestors(backup)
        )

    def listing(self) -> list[Backup]:
        return [
            a_backup(
                row.id,
                status=row.status,
                incremental=row.parent is not None,
                created_at=row.created_at,
                data_timestamp=row.data_timestamp,
                updated_at=row.updated_at,
                snapshot_id=row.snapshot,
            )
            for row in self.rows.values()
        ]

    def _parent(self, snapshot: datetime | None) -> BackupId:
        newest_first = sorted(self.rows.values(), key=lambda r: (r.created_at, r.id), reverse=True)
        if not newest_first:
            raise Refused
        never = datetime.min.replace(tzinfo=UTC)

        def age_of_data(row: Row) -> datetime:
            fits = snapshot is None or row.data_timestamp < snapshot
            return row.data_timestamp if row.status == "available" and fits else never

        parent = max(newest_first, key=age_of_data)
        if parent.status != "available":
            raise Refused
        return parent.id

    def _keeps_volume_busy(self, row: Row) -> bool:
        a_moment_ago = self.now - row.created_at <= timedelta(seconds=1)
        missed = self.racy and a_moment_ago
        return row.status == "creating" and row.snapshot is None and not missed

    def _set(self, row: Row, status: str) -> None:
        row.status = status
        row.updated_at = self.now
