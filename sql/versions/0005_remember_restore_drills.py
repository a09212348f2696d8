"""Remember restore drills, and with each volume when it was proven.

The previous release still works on this schema: every new column may be NULL, and it does not
read the new table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UNFINISHED = sa.text("state IN ('checking', 'clearing', 'planned', 'restoring')")
_TIMES = ("planned_at", "started_at", "ended_at", "claimed_until", "reported_at")


def upgrade() -> None:
    for name in ("proven_at", "proof_failed_at"):
        op.add_column("volumes", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "drills",
        sa.Column("id", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in (
                "backup_id",
                "backup_name",
                "volume_id",
                "volume_name",
                "server_name",
                "project_id",
            )
        ),
        sa.Column("backup_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chain_length", sa.Integer(), nullable=False),
        sa.Column("chain_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size_gib", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=True)
            for name in (
                "volume_type",
                "availability_zone",
                "scratch_volume_id",
                "scratch_server_id",
                "reason",
                "console",
                "claimed_by",
            )
        ),
        sa.Column("bootable", sa.Boolean(), nullable=False),
        sa.Column("encrypted", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Double(), nullable=True)
            for name in ("waiting_seconds", "restoring_seconds", "total_seconds")
        ),
        sa.Column("level", sa.String(16), nullable=True),
        sa.Column("verdict", sa.String(16), nullable=True),
        sa.Column("suspected", sa.Boolean(), server_default=sa.false(), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=name != "planned_at")
            for name in _TIMES
        ),
        sa.PrimaryKeyConstraint("id", name="pk_drills"),
    )
    op.create_index("ix_drills_volume_id", "drills", ["volume_id"])
    op.create_index("ix_drills_state", "drills", ["state"])
    op.create_index(
        "one_unfinished_drill_per_volume",
        "drills",
        ["volume_id"],
        unique=True,
        postgresql_where=_UNFINISHED,
        sqlite_where=_UNFINISHED,
    )
