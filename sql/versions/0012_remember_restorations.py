"""Remember the servers and volumes that are being brought back, so that nothing is made twice.

The previous release still works on this schema; it does not read the new tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BEGUN = sa.text("state = 'begun'")


def upgrade() -> None:
    op.create_table(
        "restorations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("item_id", "item_name", "project_id")
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restorations")),
    )
    op.create_index(op.f("ix_restorations_item_id"), "restorations", ["item_id"])
    op.create_index(
        "one_unfinished_restoration_per_item",
        "restorations",
        ["item_id"],
        unique=True,
        sqlite_where=_BEGUN,
        postgresql_where=_BEGUN,
    )
    op.create_table(
        "restoration_parts",
        sa.Column("restoration_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_id", sa.Text(), nullable=True),
        sa.Column("difference", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("restoration_id", "number", name=op.f("pk_restoration_parts")),
    )
