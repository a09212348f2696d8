"""Remember how long the backups of a volume take, and the quota of a project when last seen.

The previous release still works on this schema: every new column may be NULL, and it does not
read them. What it does meanwhile is not learned from.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_QUOTA = (
    "quota_gib",
    "quota_gib_used",
    "quota_backups",
    "quota_backups_used",
)


def upgrade() -> None:
    for name in ("usual_full_s", "usual_incremental_s"):
        op.add_column("volumes", sa.Column(name, sa.Integer(), nullable=True))
    for name in _QUOTA:
        op.add_column("projects", sa.Column(name, sa.Integer(), nullable=True))
    for name in ("quota_seen_at", "quota_full_at"):
        op.add_column("projects", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
