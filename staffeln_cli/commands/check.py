"""Follow started backups and deletions to their end; recover what a dead process left."""

from collections.abc import Collection
from datetime import timedelta

from staffeln_cli.model import (
    BackupId,
    BackupRecord,
    Decision,
    Outcome,
    State,
)
from staffeln_cli.model.naming import RECORD_KEY, called
from staffeln_cli.operations import duplicates
from staffeln_cli.operations.follow_backup import (
    Observation,
    follow_record,
    found_of,
    look_up_each,
)
from staffeln_cli.runtime import Run, Runtime, run_pass

COUNTS = (
    "running",
    "available",
    "failed",
    "timed_out",
    "adopted",
    "missing",
    "deleted",
)
PAGE = 1000
"""Rows in a page of a listing, unless the cloud was configured otherwise."""
LISTING_AT_LEAST = timedelta(hours=1)
"""How often the whole listing is looked at, even where single looks were fewer requests."""


def run(runtime: Runtime, *, dry_run: bool = False) -> Outcome:
    """One pass over everything under way; any number of hosts may do this at once."""
    work = _foresee if dry_run else _check
    return run_pass(runtime, "check", work, counts=COUNTS, dry_run=dry_run)


def _foresee(run: Run) -> None:
    """What a pass would find; it only looks."""
    work = run.store.records.open_work()
    observed = _look(run, work)
    for record in work:
        backup = observed.by_id.get(record.backup_id or "")
        status = backup.status if backup is not None else "not in Cinder"
        run.decide(
            Decision(f"follow {record.state}", "backup", record.name, record.volume_name, status)
        )
    run.counts["running"] = sum(one.state is State.CREATING for one in work)
    run.counts["missing"] = len(observed.unseen)


def _check(run: Run) -> None:
    work = run.store.claims.claim_open_work(run.claim())
    observed = _look(run, work)
    for done, _ in enumerate(run.parallel(lambda one: follow_record(run, observed, one), work), 1):
        run.runtime.progress("backups checked", done, len(work))
    if observed.is_complete:
        duplicates.adopt_late_backups(run, observed.strangers)
        _find_missing(run, observed)
        run.store.cloud.note_backups_listed(observed.moment)


def _look(run: Run, work: Collection[BackupRecord]) -> Observation:
    """One listing of the cloud, or single looks where those are fewer requests."""
    observed = Observation(run.now())
    available = run.store.records.available_ids()
    listed_at = run.store.cloud.backups_listed_at()
    is_recent = listed_at is not None and observed.moment - listed_at < LISTING_AT_LEAST
    if is_recent and len(work) <= (len(available) + len(work)) // PAGE:
        look_up_each(run, work, observed)
        return observed
    names = {one.name for one in work if one.backup_id is None}
    ids = {one.backup_id for one in work}
    for page in run.cloud.listings.backups():
        for backup in page:
            if backup.id in ids:
                observed.by_id[backup.id] = backup
            elif RECORD_KEY in backup.metadata and backup.id not in available:
                observed.strangers[backup.id] = backup
            available.discard(backup.id)
            if backup.name in names:
                observed.by_name.setdefault(backup.name, []).append(backup)
    available.difference_update(BackupId(row.id) for row in run.unreadable("backup"))
    observed.unseen = available
    observed.is_complete = True
    return observed


def _find_missing(run: Run, observed: Observation) -> None:
    """Backups that are gone from the cloud without us; each is asked for once more, by its id."""
    records = run.store.records.by_backup_ids(observed.unseen)
    unseen = [record for record in records if record.state is State.AVAILABLE]
    for record, found in run.parallel(lambda one: found_of(run, one), unseen):
        if not found:
            _missing(run, record)
    run.runtime.stop.check()  # what was not asked for any more is for the next pass


def _missing(run: Run, record: BackupRecord) -> None:
    reason = "somebody else deleted it"
    if run.store.lifecycle.missing(record, reason, run.now()):
        run.count("missing")
        name = called(record.volume_name, record.server_name)
        run.fail("backup", record.backup_id or record.name, reason, name=name)
