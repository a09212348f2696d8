"""Backup records, and what is derived from their columns."""

import pytest

from staffeln_cli.model import BackupId, BackupRecord, Kind, Origin, RecordId, State
from tests.build import NOW, a_backup, a_record


def test_a_record_of_a_backup_that_was_found_is_available_since_its_creation() -> None:
    backup = a_backup("b1", days_old=2, incremental=True)
    record = BackupRecord.found(
        backup, Origin.ADOPTED, NOW, record_id=RecordId("r1"), chain_id=BackupId("b0")
    )
    assert (record.state, record.origin, record.kind) == (
        State.AVAILABLE,
        Origin.ADOPTED,
        Kind.INCREMENTAL,
    )
    assert (record.started_at, record.finished_at) == (backup.created_at, NOW)
    assert (record.backup_id, record.chain_id, record.size_gib) == ("b1", "b0", 10)


def test_two_backups_of_one_name_that_were_found_have_records_of_different_names() -> None:
    names = {
        BackupRecord.found(
            a_backup(name)._replace(name="nightly"),
            Origin.IMPORTED,
            NOW,
            record_id=RecordId(name),
            chain_id=None,
        ).name
        for name in ("b1", "b2")
    }
    assert len(names) == 2


@pytest.mark.parametrize("state", [State.PLANNED, State.CREATING, State.FAILED, State.CANCELLED])
def test_a_record_that_never_was_available_did_not_succeed(state: State) -> None:
    assert not a_record(state=state).succeeded


def test_a_record_without_an_id_of_cinder_has_no_brief() -> None:
    assert a_record(backup_id=None).brief is None
