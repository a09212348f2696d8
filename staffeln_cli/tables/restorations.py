"""The tables of restorations: servers and volumes that are brought back."""

from sqlalchemy import JSON, Column, Index, Integer, Table, Text

from staffeln_cli.model.restorations import PartKind, RestorationState
from staffeln_cli.tables.columns import UtcDateTime, metadata, words

restoration_table = Table(
    "restorations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", words(PartKind), nullable=False),
    Column("item_id", Text, index=True, nullable=False),
    Column("item_name", Text, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("at", UtcDateTime),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("state", words(RestorationState), nullable=False),
    Column("ended_at", UtcDateTime),
)
"""A server or volume that is brought back; while one is under way, no other one is begun."""


# PostgreSQL has the same condition, by migration 0012.
Index(
    "one_unfinished_restoration_per_item",
    restoration_table.c.item_id,
    unique=True,
    sqlite_where=restoration_table.c.state == RestorationState.BEGUN,
)


restoration_part_table = Table(
    "restoration_parts",
    metadata,
    Column("restoration_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", words(PartKind), nullable=False),
    Column("source", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("request", JSON, nullable=False),
    # Written before the request leaves.
    Column("requested_at", UtcDateTime),
    Column("made_id", Text),
    Column("difference", Text),
)
"""A volume, port or server that is made for a restoration."""
