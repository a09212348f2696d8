"""Upgrade or inspect the schema."""

from staffeln_cli.runtime import Runtime


def upgrade(runtime: Runtime) -> tuple[str | None, str]:
    """Bring the schema to this version, one process at a time; the revisions before and after."""
    from staffeln_cli import migrations

    with runtime.lock("db-upgrade"), runtime.unchecked_store.database.write() as connection:
        return migrations.upgrade(connection)


def current(runtime: Runtime) -> str | None:
    """The revision the schema is at."""
    return runtime.unchecked_store.database.revision()
