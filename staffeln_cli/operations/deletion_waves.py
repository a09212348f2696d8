"""Deletions in waves: a backup is deleted only after all that depend on it are gone."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import Backup, BackupId, BackupRecord, Decision, State
from staffeln_cli.operations import delete_backup
from staffeln_cli.operations.delete_backup import DeletionResult
from staffeln_cli.runtime import Run

_FIRST_WAIT = 0.2
_LONGEST_WAIT = 5.0


@dataclass(slots=True)
class Plan:
    """What to delete of one volume, wave by wave; `doubts` are confirmed with Cinder first."""

    waves: list[list[Backup]]
    doubts: frozenset[BackupId]
    reasons: Mapping[BackupId, str]
    pending: set[BackupId] = field(default_factory=set)
    is_blocked: bool = False


@dataclass(frozen=True, slots=True)
class _PendingDeletion:
    """A deletion that Cinder has been asked for."""

    plan: Plan
    backup: Backup
    record: BackupRecord


def carry_out(run: Run, plans: Iterable[Plan]) -> None:
    """Delete wave after wave, all volumes side by side, until done or out of time.

    What is left when time is out stays as it is; the next pass goes on with it.
    """
    deadline = time.monotonic() + run.settings.retention.time_budget.total_seconds()
    waiting = list(plans)
    pending: dict[BackupId, _PendingDeletion] = {}
    wait = _FIRST_WAIT
    while not run.runtime.stop.is_requested:
        started = _request_next_waves(run, waiting, pending)
        if not pending:
            if started:
                continue  # all that was asked for was gone already: on to the next wave
            break
        finished = _collect_finished(run, pending)
        run.runtime.progress("backups deleted", run.counts["deleted"], run.counts["expired"])
        if time.monotonic() >= deadline:
            break
        wait = _FIRST_WAIT if finished or started else min(wait * 2, _LONGEST_WAIT)
        if not finished:
            run.runtime.stop.sleep(wait)
    run.counts["deleting"] = len(pending)
    run.runtime.stop.check()


def _request_next_waves(
    run: Run, waiting: list[Plan], pending: dict[BackupId, _PendingDeletion]
) -> bool:
    """Ask for the next wave of every volume whose last one is gone, within the cap."""
    room = run.settings.retention.max_in_flight - len(pending)
    ready: list[tuple[Plan, Backup]] = []
    for plan in waiting:
        if plan.pending or plan.is_blocked or len(ready) >= room:
            continue
        while plan.waves and not plan.waves[0]:
            plan.waves.pop(0)
        if plan.waves:
            wave = plan.waves[0][: room - len(ready)]
            del plan.waves[0][: len(wave)]
            plan.pending.update(backup.id for backup in wave)
            ready += ((plan, backup) for backup in wave)
    for deletion, is_pending in run.parallel(
        lambda one: _request_deletion(run, one), _with_records(run, ready)
    ):
        if is_pending:
            pending[deletion.backup.id] = deletion
        else:
            deletion.plan.pending.discard(deletion.backup.id)
    waiting[:] = [one for one in waiting if one.pending or (one.waves and not one.is_blocked)]
    return bool(ready)


def _with_records(run: Run, ready: list[tuple[Plan, Backup]]) -> Iterator[_PendingDeletion]:
    """Add the records as they are now; what another run took meanwhile blocks its plan."""
    found = run.store.records.by_backup_ids(backup.id for _, backup in ready)
    records = {one.backup_id: one for one in found if one.state is State.AVAILABLE}
    for plan, backup in ready:
        record = records.get(backup.id)
        if record is not None:
            yield _PendingDeletion(plan, backup, record)
        else:
            plan.pending.discard(backup.id)
            _block(run, plan)


def _block(run: Run, plan: Plan) -> None:
    """A backup stays for now, so that those it depends on have to wait for it."""
    run.count("blocked")
    plan.is_blocked = True


def _request_deletion(run: Run, deletion: _PendingDeletion) -> bool:
    """Ask for one deletion; False when there is nothing to wait for."""
    backup, plan = deletion.backup, deletion.plan
    reason = plan.reasons[backup.id]
    if backup.id in plan.doubts and _may_have_children(run, backup):
        _block(run, plan)
        return False
    result = delete_backup.remove(run, deletion.record, backup, reason)
    if result is not DeletionResult.ASKED:
        if result is not DeletionResult.GONE:
            _block(run, plan)
        return False
    run.decide(Decision("remove", "backup", backup.id, backup.name, reason))
    return True


def _may_have_children(run: Run, backup: Backup) -> bool:
    """Whether other backups depend on it, or it cannot be told."""
    try:
        return bool(run.cloud.listings.children(backup.id))
    except CloudUnavailable as error:
        run.fail("backup", backup.id, f"what depends on it could not be looked up: {error}")
        return True


def _collect_finished(run: Run, pending: dict[BackupId, _PendingDeletion]) -> bool:
    """See which deletions are over: gone from the list, and gone when asked for."""
    being_deleted = {one.id for one in run.cloud.listings.backups_with_status("deleting")}
    over = [deletion for backup_id, deletion in pending.items() if backup_id not in being_deleted]
    for deletion, left in run.parallel(lambda one: _look(run, one), over):
        backup_id = deletion.backup.id
        if left is None:
            delete_backup.gone(run, deletion.record)
        else:  # Cinder gave up on it: `check` tries again
            _block(run, deletion.plan)
            reason = f"was not deleted, Cinder says {left.status}"
            run.fail("backup", backup_id, reason, name=deletion.record.called)
        del pending[backup_id]
        deletion.plan.pending.discard(backup_id)
    return bool(over)


def _look(run: Run, deletion: _PendingDeletion) -> Backup | None:
    return run.cloud.backups.look(deletion.backup.id)
