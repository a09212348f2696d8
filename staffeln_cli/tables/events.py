"""The table of events."""

from sqlalchemy import Column, Table, Text

from staffeln_cli.model.events import EventKind
from staffeln_cli.tables.columns import UtcDateTime, metadata, words

event_table = Table(
    "events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", UtcDateTime, index=True, nullable=False),
    Column("kind", words(EventKind), nullable=False),
    Column("who", Text, nullable=False),
    # A backup, a volume, what was paused, a command, or a key of the configuration.
    Column("item", Text, nullable=False),
    Column("project_id", Text),
    Column("volume_id", Text),
    # Of a policy: what was promised until then, and from then on.
    Column("before", Text),
    Column("after", Text),
    Column("reason", Text),
)
"""What people decided and what was promised anew; rows are added and never changed."""
