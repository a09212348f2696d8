"""The table of restore drills."""

from datetime import datetime

from sqlalchemy import Index, false
from sqlalchemy.orm import Mapped, mapped_column

from staffeln_cli.model import DrillState, ProofLevel
from staffeln_cli.model.drills import DRILL_UNFINISHED
from staffeln_cli.tables.columns import Base


class DrillRow(Base):
    """One restore drill, from plan to end; moves are compare-and-set, see `model.drills`."""

    __tablename__ = "drills"

    id: Mapped[str] = mapped_column(primary_key=True)
    backup_id: Mapped[str]
    backup_name: Mapped[str]
    backup_at: Mapped[datetime]
    volume_id: Mapped[str] = mapped_column(index=True)
    volume_name: Mapped[str]
    server_name: Mapped[str]
    project_id: Mapped[str]
    chain_length: Mapped[int]
    chain_at: Mapped[datetime]
    size_gib: Mapped[int]
    volume_type: Mapped[str | None]
    availability_zone: Mapped[str | None]
    bootable: Mapped[bool]
    encrypted: Mapped[bool]
    state: Mapped[DrillState] = mapped_column(index=True)
    attempt: Mapped[int]
    scratch_volume_id: Mapped[str | None]
    scratch_server_id: Mapped[str | None]
    planned_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    waiting_seconds: Mapped[float | None]
    restoring_seconds: Mapped[float | None]
    total_seconds: Mapped[float | None]
    level: Mapped[ProofLevel | None]
    verdict: Mapped[DrillState | None]
    suspected: Mapped[bool] = mapped_column(server_default=false())
    reason: Mapped[str | None]
    console: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    reported_at: Mapped[datetime | None]


# PostgreSQL has the same condition, by migration 0005.
Index(
    "one_unfinished_drill_per_volume",
    DrillRow.volume_id,
    unique=True,
    sqlite_where=DrillRow.state.in_(sorted(DRILL_UNFINISHED)),
)
