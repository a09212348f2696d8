"""Backups with Staffeln's mark that no live record accounts for: taken back, or counted."""

from datetime import timedelta
from typing import Any

import pytest

from staffeln_cli.model import Backup, BackupId, BackupRecord, State
from staffeln_cli.model.naming import INSTALLATION_KEY, RECORD_KEY
from staffeln_cli.operations.untracked_backups import adopt_marked, without_record
from staffeln_cli.runtime import Run
from staffeln_cli.store.observations import Marked
from staffeln_cli.store.queries import insert
from tests.build import a_backup, a_record_of


@pytest.fixture
def run(run: Run) -> Run:
    """A run of an installation that has its id."""
    run.store.cloud.belongs_to(run.cloud.login().cloud, remember=True)
    run.store.observations.create_installation_id()
    return run


def marked(run: Run, name: str = "b1", *, by: str | None = None, **more: Any) -> Backup:
    """A backup that bears our mark, or the one of another installation."""
    mark = {RECORD_KEY: f"record of {name}", INSTALLATION_KEY: by or ours(run)}
    return a_backup(name, metadata=mark, **more)


def ours(run: Run) -> str:
    return run.store.observations.installation_id()


def recorded(run: Run, backup: Backup, **more: Any) -> BackupRecord:
    record = a_record_of(backup, **more)
    with run.store.database.write() as connection:
        insert(connection, [record])
    return record


def adopted(run: Run, *backups: Backup) -> tuple[int, int]:
    """How many are untracked, and how many of other installations, after a complete listing."""
    found: Marked = adopt_marked(run, {backup.id: backup for backup in backups})
    return found.untracked, found.foreign


def state(run: Run, record: BackupRecord) -> State:
    return run.store.records.by_record_ids([record.id])[0].state


@pytest.mark.parametrize("was", [State.MISSING, State.FAILED])
def test_a_backup_that_turns_out_to_be_there_is_available_again(run: Run, was: State) -> None:
    backup = marked(run)
    record = recorded(run, backup, state=was, reason="absent twice")
    assert adopted(run, backup) == (0, 0)
    assert (state(run, record), run.counts["available"]) == (State.AVAILABLE, 1)


def test_a_backup_that_cinder_still_creates_is_followed_again(run: Run) -> None:
    backup = marked(run, status="creating")
    record = recorded(run, backup, state=State.FAILED, reason="timed out")
    assert adopted(run, backup) == (0, 0)
    assert state(run, record) is State.CREATING


@pytest.mark.parametrize("was", [State.MISSING, State.FAILED])
def test_a_backup_that_cannot_be_restored_is_not_taken_back(run: Run, was: State) -> None:
    backup = marked(run, status="error")
    record = recorded(run, backup, state=was, reason="absent twice")
    assert adopted(run, backup) == (1, 0)
    assert state(run, record) is was


def test_a_failed_backup_of_another_projects_data_is_not_taken_back(run: Run) -> None:
    backup = marked(run)
    record = recorded(run, backup, state=State.FAILED, reason="it left", owner_unproven=True)
    adopted(run, backup)
    assert (state(run, record), run.counts["available"]) == (State.FAILED, 0)


@pytest.mark.parametrize("was", [State.CREATING, State.AVAILABLE, State.DELETING])
def test_what_a_record_follows_is_no_stranger(run: Run, was: State) -> None:
    backup = marked(run)
    recorded(run, backup, state=was)
    assert adopted(run, backup) == (0, 0)


def test_a_deletion_that_ended_while_the_listing_was_read_leaves_no_stranger(run: Run) -> None:
    just, before = marked(run, "just"), marked(run, "before")
    recorded(run, just, state=State.DELETED, deleted_at=run.started_at)
    long_ago = run.started_at - timedelta(hours=1)
    recorded(run, before, state=State.DELETED, deleted_at=long_ago)
    assert adopted(run, just, before) == (1, 0)


def test_what_nobody_has_a_record_of_is_counted_and_left_alone(run: Run) -> None:
    others = marked(run, "b2", by="another"), marked(run, "b3", by="another")
    assert adopted(run, marked(run), *others) == (1, 2)
    assert run.store.records.by_backup_ids([BackupId("b1"), BackupId("b2")]) == []


def test_what_cinder_is_deleting_is_counted_no_more(run: Run) -> None:
    assert adopted(run, marked(run, status="deleting")) == (0, 0)


def test_orphans_are_those_that_no_live_record_accounts_for() -> None:
    backups = [a_backup(name) for name in ("followed", "awaited", "removed", "remains", "orphan")]
    followed, awaited, removed, remains, orphan = backups
    records = [
        a_record_of(followed),
        a_record_of(awaited, state=State.STARTING, backup_id=None),
        a_record_of(removed, state=State.DELETED),
        a_record_of(remains, state=State.FAILED, remains=True, reason="in error"),
    ]
    assert without_record(records, backups) == [removed, orphan]
