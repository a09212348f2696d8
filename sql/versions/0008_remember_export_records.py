"""Remember what Cinder needs to know a backup again, and the parent that this names.

Also the backup hosts that an import disables for its time. The previous release still works on
this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("backups", sa.Column("parent_id", sa.Text(), nullable=True))
    op.add_column(
        "backups",
        sa.Column("exported", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    without = sa.text("state = 'available' AND exported = false")
    op.create_index(
        "backups_without_export_record",
        "backups",
        ["planned_at"],
        sqlite_where=without,
        postgresql_where=without,
    )
    op.create_table(
        "export_records",
        sa.Column("backup_id", sa.Text(), nullable=False),
        sa.Column("volume_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("is_foreign", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("backup_service", sa.Text(), nullable=True),
        sa.Column("backup_url", sa.Text(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspected_gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("backup_id", name=op.f("pk_export_records")),
    )
    op.create_index(op.f("ix_export_records_volume_id"), "export_records", ["volume_id"])
    foreign = sa.text("is_foreign = true")
    op.create_index(
        "foreign_export_records",
        "export_records",
        ["volume_id"],
        sqlite_where=foreign,
        postgresql_where=foreign,
    )
    op.create_table(
        "disabled_hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_disabled_hosts")),
    )
