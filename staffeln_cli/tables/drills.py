"""The table of restore drills."""

from sqlalchemy import Boolean, Column, Double, Index, Integer, Table, Text, false

from staffeln_cli.model import DrillState, ProofLevel
from staffeln_cli.model.drills import DRILL_UNFINISHED
from staffeln_cli.tables.columns import UtcDateTime, metadata, words

drill_table = Table(
    "drills",
    metadata,
    Column("id", Text, primary_key=True),
    Column("backup_id", Text, nullable=False),
    Column("backup_name", Text, nullable=False),
    Column("backup_at", UtcDateTime, nullable=False),
    Column("volume_id", Text, index=True, nullable=False),
    Column("volume_name", Text, nullable=False),
    Column("server_name", Text, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("chain_length", Integer, nullable=False),
    Column("chain_at", UtcDateTime, nullable=False),
    Column("size_gib", Integer, nullable=False),
    Column("volume_type", Text),
    Column("availability_zone", Text),
    Column("bootable", Boolean, nullable=False),
    Column("encrypted", Boolean, nullable=False),
    Column("state", words(DrillState), index=True, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("scratch_volume_id", Text),
    Column("scratch_server_id", Text),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("waiting_seconds", Double),
    Column("restoring_seconds", Double),
    Column("total_seconds", Double),
    Column("level", words(ProofLevel)),
    Column("verdict", words(DrillState)),
    Column("suspected", Boolean, server_default=false(), nullable=False),
    Column("reason", Text),
    Column("console", Text),
    Column("ended_at", UtcDateTime),
    Column("claimed_by", Text),
    Column("claimed_until", UtcDateTime),
    Column("reported_at", UtcDateTime),
)
"""One restore drill, from plan to end; moves are compare-and-set, see `model.drills`."""


# PostgreSQL has the same condition, by migration 0005.
Index(
    "one_unfinished_drill_per_volume",
    drill_table.c.volume_id,
    unique=True,
    sqlite_where=drill_table.c.state.in_(sorted(DRILL_UNFINISHED)),
)
