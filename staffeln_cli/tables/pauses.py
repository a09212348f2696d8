"""The table of pauses."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from staffeln_cli.tables.columns import Base


class PauseRow(Base):
    """For what no backups are planned, who asked for that, and until when."""

    __tablename__ = "pauses"

    scope: Mapped[str] = mapped_column(primary_key=True)
    """`volume`, `server`, `project` or `all`."""
    item_id: Mapped[str] = mapped_column(primary_key=True)
    """The id of the volume, server or project; empty for all."""
    item_name: Mapped[str]
    reason: Mapped[str | None]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    """When it ends by itself; none: by `resume` only."""
    paused_by: Mapped[str]
