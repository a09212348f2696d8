"""What reports are made of, on both databases."""

from datetime import timedelta

from staffeln_cli.model import BackupId, CloudSeen, ProjectId, State
from staffeln_cli.store import Store
from staffeln_cli.store.reports import Charge, Growth
from tests.build import NOW, a_record, ago
from tests.integration.store.builders import started

PROJECT = ProjectId("p1")


def removed_by_retention(store: Store, *, reason: str) -> None:
    """An available backup that had no record, and that retention removes later."""
    record = a_record(
        state=State.AVAILABLE,
        backup_id=BackupId("b1"),
        started_at=ago(hours=2),
        finished_at=ago(hours=1),
        size_gib=5,
        reason=reason,
    )
    store.lifecycle.adopt(record)
    (record,) = store.records.by_record_ids([record.id])
    assert store.lifecycle.deleting(record, "expired", next_try_at=NOW)
    (record,) = store.records.by_record_ids([record.id])
    assert store.lifecycle.deleted(record, NOW)


def test_a_backup_that_was_adopted_late_is_a_success_also_after_its_removal(store: Store) -> None:
    removed_by_retention(store, reason="the request to create it arrived late")
    (record,) = store.reports.unreported(PROJECT)
    assert record.succeeded
    assert store.reports.unreported(PROJECT, only_trouble=True) == []
    assert list(store.reports.between(NOW - timedelta(days=1), NOW)) == []


def test_a_backup_that_was_adopted_late_counts_as_growth_and_as_relief(store: Store) -> None:
    removed_by_retention(store, reason="the request to create it arrived late")
    charge = Charge(backups=1, gib=5)
    growth = store.reports.growth(PROJECT, NOW - timedelta(days=1))
    assert growth == Growth(charge, charge, ago(hours=1))
    assert store.reports.successes(NOW - timedelta(days=1), NOW) == {PROJECT: charge}


def test_the_removed_remains_of_a_failure_are_no_success(store: Store) -> None:
    record = started(store)
    assert store.lifecycle.created(record, BackupId("b1"), owner="run-1")
    (record,) = store.records.by_record_ids([record.id])
    assert store.lifecycle.failed(record, "in error", NOW, remains=True)
    (record,) = store.records.by_record_ids([record.id])
    assert store.lifecycle.deleting(record, "remains", next_try_at=NOW)
    (record,) = store.records.by_record_ids([record.id])
    assert store.lifecycle.deleted(record, NOW)
    (record,) = store.reports.unreported(PROJECT, only_trouble=True)
    assert not record.succeeded
    assert store.reports.growth(PROJECT, NOW - timedelta(days=1)).made == Charge(0, 0)


def test_the_date_of_the_operators_report_is_no_matter_of_leadership(store: Store) -> None:
    store.cloud.belongs_to(
        CloudSeen("identity", "RegionOne", "http://keystone", "prod", "http://cinder")
    )
    assert store.reports.operator_reported_at() is None
    store.reports.note_operator_reported(NOW)
    assert store.reports.operator_reported_at() == NOW
