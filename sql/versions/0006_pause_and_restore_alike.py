"""Remember what is paused, a volume's own metadata, and whose word decides about it.

A restore gives the new volume the metadata of the source, also when that is gone. The new columns
are empty until the next pass of `collect`. The previous release still works on this schema; it
does not know of pauses.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("volumes", sa.Column("user_metadata", sa.JSON(), nullable=True))
    for column in ("protection_decided_by", "retention_decided_by"):
        op.add_column("volumes", sa.Column(column, sa.String(16), nullable=True))
    op.create_table(
        "pauses",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("item_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "item_id", name=op.f("pk_pauses")),
    )
