"""Run the migrations on the connection that `staffeln_cli.migrations` brings along."""

from alembic import context

from staffeln_cli.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
