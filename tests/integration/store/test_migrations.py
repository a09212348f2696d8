"""What the migrations make of the rows that an earlier release has left."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, create_engine, text

from staffeln_cli import migrations
from staffeln_cli.store import Store
from tests.build import NOW

BACKUP = {
    "volume_id": "v1",
    "volume_name": "data",
    "server_name": "web",
    "project_id": "p1",
    "kind": "full",
    "origin": "scheduled",
    "attempt": 1,
    "planned_at": "2026-11-20 22:00:00.000000",
    "finished_at": "2026-11-20 23:00:00.000000",
}
VOLUME = {
    "volume_name": "data",
    "project_id": "p1",
    "server_name": "web",
    "status": "in-use",
    "size_gib": 1,
    "bootable": False,
    "encrypted": False,
    "protected": False,
    "first_seen_at": "2026-11-20 22:00:00.000000",
    "last_seen_at": "2026-11-20 22:00:00.000000",
}
LATE = "the request to create it arrived late"


@pytest.fixture
def before(database_url: str) -> Iterator[Connection]:
    """A database with the schema of revision 0003, which the previous release had."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        everything = MetaData()
        everything.reflect(connection)
        everything.drop_all(connection)
        config = Config()
        config.set_main_option("script_location", str(migrations.scripts()))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        yield connection
    engine.dispose()


def add(connection: Connection, table: str, defaults: dict[str, Any], **more: Any) -> None:
    """Insert a row as the previous release did, which knows none of the new columns."""
    row = defaults | more
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def add_backup(connection: Connection, name: str, state: str, **more: Any) -> None:
    ids = {"id": name, "name": name, "backup_id": f"cinder-{name}"}
    add(connection, "backups", BACKUP | ids, state=state, **more)


def upgraded(connection: Connection, query: str) -> dict[str, Any]:
    """Upgrade to the newest schema; the rows of a query of two columns."""
    migrations.upgrade(connection)
    return {key: value for key, value in connection.execute(text(query))}  # noqa: C416


def test_what_was_a_success_stays_one(before: Connection) -> None:
    add_backup(before, "there", "available")
    add_backup(before, "adopted", "available", reason=LATE)
    add_backup(before, "lost", "missing", reason="somebody else deleted it")
    add_backup(before, "expired", "deleted", delete_reason="expired")
    add_backup(before, "expired-adopted", "deleted", reason=LATE, delete_reason="expired")
    add_backup(before, "failed", "failed", reason="in error", remains=True)
    add_backup(
        before, "removed", "deleted", reason="in error", delete_reason="remains of a failure"
    )
    add_backup(
        before, "late-remains", "deleted", reason=LATE, delete_reason="remains of a failure"
    )
    found = upgraded(before, "SELECT id, succeeded_at IS NOT NULL FROM backups")
    assert {name for name, succeeded in found.items() if succeeded} == {
        "there",
        "adopted",
        "lost",
        "expired",
        "expired-adopted",
    }


def test_a_refused_deletion_keeps_the_refusal_and_a_reset_status(before: Connection) -> None:
    add_backup(before, "refused", "deleting", delete_reason="not deleted yet: HTTP 400")
    add_backup(
        before, "asked", "deleting", delete_reason="expired", next_try_at=BACKUP["planned_at"]
    )
    refusals = upgraded(before, "SELECT id, delete_refusal FROM backups")
    assert refusals == {"refused": "HTTP 400", "asked": None}
    resets = upgraded(before, "SELECT id, status_reset FROM backups")
    assert {name for name, is_reset in resets.items() if is_reset} == {"refused"}


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("marked with skip-volume-backup", "request"),
        ("its server is not marked", "unmarked"),
        ("its project is disabled", "project_disabled"),
        ("volume is gone", "gone"),
        ("for a reason of long ago", None),
        (None, None),
    ],
)
def test_a_skipped_volume_gets_the_cause_that_its_reason_says(
    before: Connection, reason: str | None, cause: str | None
) -> None:
    add(before, "volumes", VOLUME, volume_id="v1", skip_reason=reason)
    found = upgraded(before, "SELECT volume_id, skip_cause FROM volumes")
    assert found == {"v1": cause}


def test_the_operator_is_not_told_again_of_what_was_reported(
    before: Connection, database_url: str
) -> None:
    cloud = {"id": 1, "identity": "x", "region": "", "auth_url": "http://x", "name": "prod"}
    add(before, "cloud", cloud)
    leader = {"fence": 3, "owner": "run", "acquired_at": NOW.replace(tzinfo=None)}
    add(before, "leadership", leader, name="operator's digest")
    add(before, "leadership", leader, name="report")
    assert upgraded(before, "SELECT name, fence FROM leadership") == {"report": 3}
    before.commit()
    store = Store(database_url)
    assert store.reports.operator_reported_at() == NOW
    store.close()


def test_the_previous_release_can_go_on_writing_rows(before: Connection) -> None:
    migrations.upgrade(before)
    add_backup(before, "new", "planned")
    add(before, "volumes", VOLUME, volume_id="v1", skip_reason="its server is not marked")
    assert before.execute(text("SELECT count(*) FROM backups")).scalar() == 1


def test_a_filled_database_that_was_upgraded_has_the_schema_of_a_new_one(
    before: Connection,
) -> None:
    add_backup(before, "there", "available")
    add(before, "volumes", VOLUME, volume_id="v1")
    migrations.upgrade(before)
    migrations.drift(before)
