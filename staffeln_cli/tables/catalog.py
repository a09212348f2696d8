"""The tables of the catalog: what brings backups back after Cinder's database is lost."""

from datetime import datetime

from sqlalchemy import Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from staffeln_cli.tables.columns import Base


class ExportRecordRow(Base):
    """What Cinder needs to know a backup again; of our backups, and of others in their chains."""

    __tablename__ = "export_records"

    backup_id: Mapped[str] = mapped_column(primary_key=True)
    volume_id: Mapped[str] = mapped_column(index=True)
    project_id: Mapped[str]
    parent_id: Mapped[str | None]
    """The backup that it depends on; none: a full."""
    is_foreign: Mapped[bool] = mapped_column(server_default=false())
    """Staffeln did not make the backup; others of its volume it did."""
    backup_service: Mapped[str | None]
    """The backup driver that wrote it; none as long as Cinder has not given the record."""
    backup_url: Mapped[str | None]
    """Cinder's row of the backup, in the form that `import_record` takes."""
    fetched_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    """Requests for the record that Cinder refused or could not answer."""
    next_try_at: Mapped[datetime | None]
    suspected_gone_at: Mapped[datetime | None]
    """When Cinder first said that there is no such foreign backup; forgotten at a second time."""


Index(
    "foreign_export_records",
    ExportRecordRow.volume_id,
    sqlite_where=ExportRecordRow.is_foreign.is_(True),
)


class DisabledHostRow(Base):
    """A backup host that `catalog import` disabled, and that has to be enabled again."""

    __tablename__ = "disabled_hosts"

    host: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    disabled_at: Mapped[datetime]
