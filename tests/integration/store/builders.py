"""Records in each state, and the moves that bring them there."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from staffeln_cli.model import (
    Backup,
    BackupId,
    BackupRecord,
    Kind,
    State,
)
from staffeln_cli.store import Caps, Claim, Store
from staffeln_cli.store.lifecycle import Lifecycle
from tests.build import NOW, a_backup, a_record

PLENTY = Caps(total=1000, per_project=1000)


def a_claim(owner: str = "run-1", *, minutes: float = 3) -> Claim:
    return Claim(owner, NOW + timedelta(minutes=minutes))


def planned(store: Store, number: int, **more: Any) -> list[BackupRecord]:
    """So many planned records of volumes of their own."""
    records = [a_record(f"{more.get('project_id', 'v')}-{i}", **more) for i in range(number)]
    assert len(store.lifecycle.plan(records)) == number
    return records


def state_of(store: Store, record: BackupRecord) -> State:
    return store.records.by_record_ids([record.id])[0].state


def started(store: Store, owner: str = "run-1", **more: Any) -> BackupRecord:
    """A record under way to Cinder, claimed."""
    record = a_record(**more)
    store.lifecycle.plan([record])
    (found,) = store.lifecycle.claim_next(a_claim(owner), caps=PLENTY, limit=1, only=[record.id])
    return found


def available(store: Store, volume: str = "v1") -> BackupRecord:
    """A record that went all the way."""
    record = started(store, volume=volume)
    for new in (State.CREATING, State.AVAILABLE):
        assert moved(store, record, new)
        (record,) = store.records.by_record_ids([record.id])
    return record


def backup_of(record: BackupRecord, **more: Any) -> Backup:
    """The backup that Cinder has for a record."""
    facts: dict[str, Any] = {
        "name": record.name,
        "volume_id": record.volume_id,
        "project_id": record.project_id,
        "is_incremental": record.kind is Kind.INCREMENTAL,
    }
    return a_backup(record.backup_id or f"cinder-{record.id}")._replace(**(facts | more))


MOVES: Mapping[str, Callable[[Lifecycle, BackupRecord, datetime], bool]] = {
    "claim_next": lambda lifecycle, record, _: bool(
        lifecycle.claim_next(a_claim(), caps=PLENTY, limit=1, only=[record.id])
    ),
    "cancel_planned": lambda lifecycle, record, moment: bool(
        lifecycle.cancel_planned([record.volume_id], "unmarked", moment)
    ),
    "created": lambda lifecycle, record, _: lifecycle.created(
        record, BackupId(f"cinder-{record.id}"), owner="run-1"
    ),
    "put_back": lambda lifecycle, record, _: lifecycle.put_back(record, owner="run-1"),
    "plan_again": lambda lifecycle, record, _: lifecycle.plan_again(
        record, "not created", owner="run-1"
    ),
    "refused": lambda lifecycle, record, moment: lifecycle.refused(
        record, "over quota", moment, owner="run-1"
    ),
    "cancelled": lambda lifecycle, record, moment: lifecycle.cancelled(
        record, "the volume is gone", moment, owner="run-1"
    ),
    "finished": lambda lifecycle, record, moment: lifecycle.finished(
        record, backup_of(record), moment
    ),
    "failed": lambda lifecycle, record, moment: lifecycle.failed(
        record, "in error", moment, remains=True
    ),
    "missing": lambda lifecycle, record, moment: lifecycle.missing(record, "gone", moment),
    "seen_again": lambda lifecycle, record, moment: lifecycle.seen_again(
        record, backup_of(record), moment
    ),
    "creating_again": lambda lifecycle, record, moment: lifecycle.creating_again(
        record, backup_of(record), moment
    ),
    "deleting": lambda lifecycle, record, moment: lifecycle.deleting(
        record, "expired", next_try_at=moment
    ),
    "deleted": lambda lifecycle, record, moment: lifecycle.deleted(record, moment),
}
"""Every method of Lifecycle that moves records, called with plausible facts."""


def arrows(method: str) -> set[tuple[str, str]]:
    """The arrows that a method of Lifecycle names in its docstring."""
    first = (getattr(Lifecycle, method).__doc__ or "").partition(":")[0]
    sources, _, targets = first.partition(" -> ")
    return set(product(sources.split(" | "), targets.split(" | ")))


def moved(store: Store, record: BackupRecord, new: State, moment: datetime = NOW) -> bool:
    """Move a record, by any method that has the arrow."""
    method = next(name for name in MOVES if (record.state, new) in arrows(name))
    return MOVES[method](store.lifecycle, record, moment)
