"""The tables of the catalog: what brings backups back after Cinder's database is lost."""

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, false, text

from staffeln_cli.tables.columns import UtcDateTime, metadata

export_record_table = Table(
    "export_records",
    metadata,
    Column("backup_id", Text, primary_key=True),
    Column("volume_id", Text, index=True, nullable=False),
    Column("project_id", Text, nullable=False),
    # The backup that it depends on; none: a full.
    Column("parent_id", Text),
    # Staffeln did not make the backup; others of its volume it did.
    Column("is_foreign", Boolean, server_default=false(), nullable=False),
    # The backup driver that wrote it; none as long as Cinder has not given the record.
    Column("backup_service", Text),
    # Cinder's row of the backup, in the form that `import_record` takes.
    Column("backup_url", Text),
    Column("fetched_at", UtcDateTime),
    # Requests for the record that Cinder refused or could not answer.
    Column("failures", Integer, server_default=text("0"), nullable=False),
    Column("next_try_at", UtcDateTime),
    # When Cinder first said that there is no such foreign backup; forgotten at a second time.
    Column("suspected_gone_at", UtcDateTime),
)
"""What Cinder needs to know a backup again; of our backups, and of others in their chains."""


Index(
    "foreign_export_records",
    export_record_table.c.volume_id,
    sqlite_where=export_record_table.c.is_foreign.is_(True),
)


disabled_host_table = Table(
    "disabled_hosts",
    metadata,
    Column("host", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("disabled_at", UtcDateTime, nullable=False),
)
"""A backup host that `catalog import` disabled, and that has to be enabled again."""
