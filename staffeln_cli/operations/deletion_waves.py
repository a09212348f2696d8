"""Deletions in waves: a backup is deleted only after those on it are really gone."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from staffeln_cli.model import Backup, BackupId, BackupRecord, Decision, State
from staffeln_cli.operations import delete_backup
from staffeln_cli.operations.delete_backup import DeletionResult
from staffeln_cli.runtime import Run

_FIRST_WAIT = 0.2
_LONGEST_WAIT = 5.0


@dataclass(slots=True)
class Plan:
    """What goes of one volume, wave by wave; `doubts` are to be confirmed with Cinder first."""

    waves: list[list[Backup]]
    doubts: frozenset[BackupId]
    reasons: Mapping[BackupId, str]
    flying: set[BackupId] = field(default_factory=set)
    is_blocked: bool = False


@dataclass(frozen=True, slots=True)
class _Flight:
    """A deletion that Cinder has been asked for."""

    plan: Plan
    backup: Backup
    record: BackupRecord


def carry_out(run: Run, plans: Iterable[Plan]) -> None:
    """Delete wave after wave, all volumes side by side, until done or out of time.

    What the time does not suffice for is left as it was; the next pass goes on with it.
    """
    deadline = time.monotonic() + run.settings.retention.time_budget.total_seconds()
    waiting = list(plans)
    flights: dict[BackupId, _Flight] = {}
    wait = _FIRST_WAIT
    while not run.runtime.stop.is_requested:
        started = _start(run, waiting, flights)
        if not flights:
            if started:
                continue  # all that was asked for was gone already: on to the next wave
            break
        landed = _land(run, flights)
        run.runtime.progress("backups deleted", run.counts["deleted"], run.counts["expired"])
        if time.monotonic() >= deadline:
            break
        wait = _FIRST_WAIT if landed or started else min(wait * 2, _LONGEST_WAIT)
        if not landed:
            run.runtime.stop.sleep(wait)
    run.counts["deleting"] = len(flights)
    run.runtime.stop.check()


def _start(run: Run, waiting: list[Plan], flights: dict[BackupId, _Flight]) -> bool:
    """Ask for the next wave of every volume whose last one is gone, within the cap."""
    room = run.settings.retention.max_in_flight - len(flights)
    ready: list[tuple[Plan, Backup]] = []
    for plan in waiting:
        if plan.flying or plan.is_blocked or len(ready) >= room:
            continue
        while plan.waves and not plan.waves[0]:
            plan.waves.pop(0)
        if plan.waves:
            wave = plan.waves[0][: room - len(ready)]
            del plan.waves[0][: len(wave)]
            plan.flying.update(backup.id for backup in wave)
            ready += ((plan, backup) for backup in wave)
    for flight, is_flying in run.parallel(lambda one: _take_off(run, one), _boarded(run, ready)):
        if is_flying:
            flights[flight.backup.id] = flight
        else:
            flight.plan.flying.discard(flight.backup.id)
    waiting[:] = [one for one in waiting if one.flying or (one.waves and not one.is_blocked)]
    return bool(ready)


def _boarded(run: Run, ready: list[tuple[Plan, Backup]]) -> Iterator[_Flight]:
    """With their records as they are now; what another run took meanwhile blocks its plan."""
    found = run.store.records.by_backup_ids(backup.id for _, backup in ready)
    records = {one.backup_id: one for one in found if one.state is State.AVAILABLE}
    for plan, backup in ready:
        record = records.get(backup.id)
        if record is not None:
            yield _Flight(plan, backup, record)
        else:
            plan.flying.discard(backup.id)
            _block(run, plan)


def _block(run: Run, plan: Plan) -> None:
    """A backup stays for now, so what it stands on has to wait for it."""
    run.count("blocked")
    plan.is_blocked = True


def _take_off(run: Run, flight: _Flight) -> bool:
    """Ask for one deletion; False when there is nothing to wait for."""
    backup, plan = flight.backup, flight.plan
    reason = plan.reasons[backup.id]
    if backup.id in plan.doubts and run.cloud.listings.children(backup.id):
        _block(run, plan)
        return False
    result = delete_backup.remove(run, flight.record, backup, reason)
    if result is not DeletionResult.ASKED:
        if result is not DeletionResult.GONE:
            _block(run, plan)
        return False
    run.decide(Decision("remove", "backup", backup.id, backup.name, reason))
    return True


def _land(run: Run, flights: dict[BackupId, _Flight]) -> bool:
    """See which deletions are over: gone from the list, and gone when asked for."""
    leaving = {one.id for one in run.cloud.listings.backups_with_status("deleting")}
    over = [flight for backup_id, flight in flights.items() if backup_id not in leaving]
    for flight, left in run.parallel(lambda one: _look(run, one), over):
        backup_id = flight.backup.id
        if left is None:
            delete_backup.gone(run, flight.record)
        else:  # Cinder gave up on it: `check` tries again
            _block(run, flight.plan)
            run.fail("backup", backup_id, f"was not deleted, Cinder says {left.status}")
        del flights[backup_id]
        flight.plan.flying.discard(backup_id)
    return bool(over)


def _look(run: Run, flight: _Flight) -> Backup | None:
    return run.cloud.backups.look(flight.backup.id)
