"""Remember what is suspected to be gone, whose protection ended, and what earlier owners had.

One observation makes a thing suspected only, so that the first one must be remembered until a
second. Also here: which installation a database belongs to, what the last complete listing of
backups showed, and the retention terms that outlive a transfer or a shortening. The previous
release still works on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOMENTS = {
    "volumes": (
        "suspected_gone_at",
        "unrestorable_since",
        "protection_ended_at",
        "protection_end_reported_at",
        "retention_shortened_at",
    ),
    "projects": ("suspected_gone_at",),
    "backups": ("suspected_missing_at", "seen_again_at"),
    "cloud": ("untracked_at", "collect_confirmed_at", "check_confirmed_at"),
}


def upgrade() -> None:
    for table, columns in _MOMENTS.items():
        for column in columns:
            op.add_column(table, sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    op.add_column("volumes", sa.Column("protection_end_cause", sa.String(16), nullable=True))
    op.add_column("volumes", sa.Column("retention_before", sa.Text(), nullable=True))
    op.add_column("cloud", sa.Column("installation_id", sa.Text(), nullable=True))
    for column in ("untracked", "foreign_marked"):
        number = sa.Column(column, sa.Integer(), server_default=sa.text("0"), nullable=False)
        op.add_column("cloud", number)
    op.create_table(
        "former_owners",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("volume_id", sa.Text(), nullable=False),
        sa.Column("retention", sa.Text(), nullable=True),
        sa.Column("last_applied_retention", sa.Text(), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "volume_id", name=op.f("pk_former_owners")),
    )
