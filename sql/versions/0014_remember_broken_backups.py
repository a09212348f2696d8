"""Remember which available backups Cinder shows broken, and whether the project was told.

The previous release still works on this schema: the new columns may be NULL, and it does not read
them. To it, such a backup is as good as any other.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("broken_at", "broken_reported_at"):
        op.add_column("backups", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
