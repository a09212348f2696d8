from typing import Any

from staffeln_cli.model import BackupId, RecordBrief, State
from staffeln_cli.planning.chains.broken import orphaned_incrementals, restorable_by_records
from tests.build import a_backup, a_brief, ago

FULL = a_backup("f", days_old=9)
CHAIN = [FULL, *(a_backup(f"i{n}", days_old=9 - n, incremental=True) for n in (1, 2, 3))]
RECORDS = {one.id: a_brief(one, chain_id="f" if one.is_incremental else None) for one in CHAIN}


def without(*lost: str, state: State = State.AVAILABLE) -> set[str]:
    """What depends on something gone, when Cinder has lost these."""
    records: dict[BackupId, RecordBrief] = {
        name: one._replace(state=state) if name in lost else one for name, one in RECORDS.items()
    }
    there = {one.id for one in CHAIN if one.id not in lost}
    return {str(one) for one in orphaned_incrementals(records, there)} - set(lost)


def test_nothing_is_orphaned_while_all_is_there() -> None:
    assert without() == set()


def test_all_of_a_chain_depend_on_its_full() -> None:
    assert without("f") == {"i1", "i2", "i3"}


def test_what_was_made_after_a_lost_member_may_depend_on_it() -> None:
    assert without("i2") == {"i3"}
    assert without("i2", state=State.MISSING) == {"i3"}


def test_nothing_stood_on_what_retention_removed() -> None:
    assert without("i3", state=State.DELETED) == set()
    assert without("i2", state=State.DELETED) == set()


def test_a_full_that_has_no_record_is_missed_as_well() -> None:
    incrementals = {name: one for name, one in RECORDS.items() if name != "f"}
    assert orphaned_incrementals(incrementals, {one.id for one in CHAIN[1:]}) == set(incrementals)
    assert orphaned_incrementals(incrementals, {one.id for one in CHAIN}) == set()


def test_what_was_made_after_a_loss_was_seen_does_not_depend_on_what_was_lost() -> None:
    lost = RECORDS[BackupId("i2")]._replace(state=State.MISSING)

    def orphans(missed_days_ago: float) -> set[BackupId]:
        missed = lost._replace(suspected_missing_at=ago(days=missed_days_ago))
        there = RECORDS.keys() - {lost.backup_id}
        return orphaned_incrementals({**RECORDS, lost.backup_id: missed}, there)

    assert orphans(6.5) == set()
    assert orphans(5) == {"i3"}


def test_what_was_made_after_a_loss_was_seen_may_depend_on_what_depends_on_what_was_lost() -> None:
    """`i2` was missed after `i3` was made on it, and before Cinder made `i4` on `i3`."""
    lost = RECORDS[BackupId("i2")]._replace(suspected_missing_at=ago(days=5.5))
    newest = a_brief(a_backup("i4", days_old=5, incremental=True), chain_id="f")
    known = {**RECORDS, lost.backup_id: lost, newest.backup_id: newest}
    there = known.keys() - {lost.backup_id}
    assert orphaned_incrementals(known, there) == {"i3", "i4"}
    forked = newest._replace(parent_id=BackupId("i1"))
    assert orphaned_incrementals({**known, newest.backup_id: forked}, there) == {"i3"}


def test_a_parent_that_is_known_is_all_that_counts() -> None:
    last = RECORDS[BackupId("i3")]._replace(parent_id=BackupId("i1"))
    known = {**RECORDS, last.backup_id: last}
    assert orphaned_incrementals(known, known.keys() - {BackupId("i2")}) == set()
    assert orphaned_incrementals(known, known.keys() - {BackupId("i1")}) == {"i2", "i3"}


def test_by_the_records_alone_a_backup_takes_along_what_may_depend_on_it() -> None:
    def restorable(**changes: dict[str, Any]) -> set[str]:
        records = [one._replace(**changes.get(name, {})) for name, one in RECORDS.items()]
        return {str(one.backup_id) for one in restorable_by_records(records)}

    assert restorable() == {"f", "i1", "i2", "i3"}
    assert restorable(i2={"state": State.MISSING}) == {"f", "i1"}
    assert restorable(i2={"broken_at": ago(days=5)}) == {"f", "i1"}
    assert restorable(i2={"broken_at": ago(days=6.5)}) == {"f", "i1", "i3"}
    assert restorable(i2={"broken_at": ago(days=6.5), "suspected_missing_at": ago()}) == {
        *("f", "i1", "i3")
    }
    assert restorable(f={"state": State.DELETED}) == set()
    assert restorable(i3={"parent_id": BackupId("i1")}, i2={"state": State.MISSING}) == {
        *("f", "i1", "i3")
    }


def test_what_has_no_record_is_taken_to_be_there() -> None:
    incrementals = [one for name, one in RECORDS.items() if name != "f"]
    assert len(restorable_by_records(incrementals)) == 3
