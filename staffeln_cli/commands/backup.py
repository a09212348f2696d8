"""Start planned backups, within the caps that all hosts share."""

from collections import deque
from collections.abc import Generator

from staffeln_cli.config.rules import schedule
from staffeln_cli.model import BackupRecord, Outcome, State
from staffeln_cli.model.text import many
from staffeln_cli.operations.owners import Owners
from staffeln_cli.operations.start_backup import (
    Waiting,
    caps_of,
    closed_window,
    decision_of,
    put_back,
    start,
)
from staffeln_cli.operations.transferred import take_back_transferred
from staffeln_cli.planning.retention.keep_rules import stamp
from staffeln_cli.runtime import Run, Runtime, run_pass

COUNTS = ("started", "deferred", "failed")
_AT_ONCE = 2
"""Records that are claimed for each worker: they are started before the claim is over."""


def run(runtime: Runtime, *, dry_run: bool = False) -> Outcome:
    """One pass: start what is planned; any number of hosts may do this at once."""
    return run_pass(
        runtime, "backup", _foresee if dry_run else start_planned, counts=COUNTS, dry_run=dry_run
    )


def _foresee(run: Run) -> None:
    """What would be started now, were nobody else starting backups."""
    following = run.store.records.next_to_start(caps_of(run))
    for record in following:
        run.decide(decision_of(record, "it is planned, and the caps leave room"))
    run.counts["started"] = len(following)
    planned = run.store.records.count().get(State.PLANNED, 0)
    run.counts["deferred"] = planned - len(following)
    _say_what_waits(run)


def _say_what_waits(run: Run) -> None:
    """Say how many planned backups are left for the window."""
    closed = closed_window(run)
    if closed is not None and (number := run.store.records.count_scheduled()):
        backups = f"{many(number, 'backup')} {'waits' if number == 1 else 'wait'}"
        window = schedule(run.settings).window
        run.remark(f"{backups} for the window {window}, which opens at {stamp(closed.opens_at)}")


def start_planned(run: Run) -> None:
    """Start planned backups until none is left or the caps are reached."""
    waiting = Waiting()
    owners = Owners(run, run.store.records.planned_by_project())
    starting = _claimed(run, waiting)
    total = run.store.records.count().get(State.PLANNED, 0)
    try:
        started = run.parallel(lambda one: start(run, one, waiting, owners), starting)
        for done, _ in enumerate(started, 1):
            run.runtime.progress("backups started", done, total)
    finally:
        starting.close()
    take_back_transferred(run, owners)
    run.counts["deferred"] = run.store.records.count().get(State.PLANNED, 0)
    _say_what_waits(run)


def _claimed(run: Run, waiting: Waiting) -> Generator[BackupRecord, None, None]:
    """Claim a few at a time, as they are taken; give back at the end what nobody took."""
    batch: deque[BackupRecord] = deque()
    try:
        while True:
            if not batch:
                batch.extend(
                    run.store.lifecycle.claim_next(
                        run.claim(),
                        caps=caps_of(run),
                        limit=run.settings.cloud.workers * _AT_ONCE,
                        waiting=waiting.projects,
                    )
                )
            if not batch:
                return
            yield batch.popleft()
    finally:
        for record in batch:
            put_back(run, record)
