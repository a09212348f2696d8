"""Remember of which started backups nobody has confirmed that their project owned the volume.

The previous release still works on this schema: the new column has a default, and it does not read
it. What it starts counts as confirmed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "backups",
        sa.Column("owner_unproven", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
