"""Remember the Cinder endpoint that a database belongs to, beside its service id.

The column is empty until the first pass after the upgrade. The previous release still works on the
new schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cloud", sa.Column("block_storage_url", sa.Text(), nullable=True))
