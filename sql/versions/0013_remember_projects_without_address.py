"""Remember when a project was last named for want of an address for its report.

The previous release still works on this schema: the new column may be NULL, and it does not read
it. It names such a project at each pass.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("unsent_named_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("projects", column)
