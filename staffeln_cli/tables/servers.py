"""The table of server definitions: how the servers that are backed up were made."""

from sqlalchemy import Column, Table, Text

from staffeln_cli.tables.columns import UtcDateTime, metadata

server_table = Table(
    "servers",
    metadata,
    Column("server_id", Text, primary_key=True),
    Column("server_name", Text, nullable=False),
    Column("project_id", Text, index=True, nullable=False),
    # Of the other columns: whether a new look shows anything new.
    Column("digest", Text, nullable=False),
    # What Nova shows of it, as JSON text.
    Column("definition", Text, nullable=False),
    # When it was first seen to be so.
    Column("noted_at", UtcDateTime, nullable=False),
)
"""The definition of a server whose volumes are backed up, also when it is gone."""
