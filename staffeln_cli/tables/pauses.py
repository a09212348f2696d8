"""The table of pauses."""

from sqlalchemy import Column, Table, Text

from staffeln_cli.tables.columns import UtcDateTime, metadata

pause_table = Table(
    "pauses",
    metadata,
    # `volume`, `server`, `project` or `all`.
    Column("scope", Text, primary_key=True),
    # The id of the volume, server or project; empty for all.
    Column("item_id", Text, primary_key=True),
    Column("item_name", Text, nullable=False),
    Column("reason", Text),
    Column("since", UtcDateTime, nullable=False),
    # When it ends by itself; none: by `resume` only.
    Column("until", UtcDateTime),
    Column("paused_by", Text, nullable=False),
)
"""For what no backups are planned, who asked for that, and until when."""
