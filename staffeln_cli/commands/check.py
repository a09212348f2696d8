"""Follow started backups and deletions to their end; recover what a dead process left."""

from collections.abc import Collection
from datetime import datetime, timedelta

from staffeln_cli.model import (
    BackupId,
    BackupRecord,
    Decision,
    Outcome,
    State,
)
from staffeln_cli.model.naming import RECORD_KEY
from staffeln_cli.model.statuses import BACKUP_UNRESTORABLE
from staffeln_cli.operations import backup_hosts, drill, export_records
from staffeln_cli.operations.absence import Kind, Suspect, confirm
from staffeln_cli.operations.broken_backups import note_broken, note_gone_parents
from staffeln_cli.operations.follow_backup import (
    Observation,
    check_admin,
    follow_record,
    look_up_each,
)
from staffeln_cli.operations.transferred import with_proven_owners
from staffeln_cli.operations.untracked_backups import adopt_marked
from staffeln_cli.operations.whole_cloud import check_whole_cloud
from staffeln_cli.planning.evidence import Confirmation, believed
from staffeln_cli.runtime import Run, Runtime, caller, run_pass

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


def run(runtime: Runtime, *, dry_run: bool = False, confirmed: bool = False) -> Outcome:
    """One pass over everything in progress; any number of hosts may do this at once.

    `confirmed` accepts that very many backups are missing at once.
    """

    def work(run: Run) -> None:
        if dry_run:
            _foresee(run)
        else:
            last_given_at = believed(run.store.observations.confirmed_at("check"), run.now())
            _check(run, Confirmation(confirmed, last_given_at))

    return run_pass(runtime, "check", work, counts=COUNTS, dry_run=dry_run)


def _foresee(run: Run) -> None:
    """What a pass would find; it only looks."""
    work = run.store.records.open_work(run.claim().longest)
    observed = _look(run, work)
    for record in work:
        backup = observed.by_id.get(record.backup_id or "")
        status = backup.status if backup is not None else "not in Cinder"
        if record.id in observed.unclear:
            status = "could not be looked up"
        run.decide(
            Decision(f"follow {record.state}", "backup", record.name, record.volume_name, status)
        )
    run.counts["running"] = sum(one.state is State.CREATING for one in work)
    run.counts["missing"] = len(observed.unseen)


def _check(run: Run, confirmation: Confirmation) -> None:
    drill.follow_left(run)
    work = run.store.claims.claim_open_work(run.claim())
    observed = _look(run, work, confirmation)
    work = with_proven_owners(run, work)
    for done, _ in enumerate(run.parallel(lambda one: follow_record(run, observed, one), work), 1):
        run.runtime.progress("backups checked", done, len(work))
    if observed.is_complete:
        run.runtime.stop.check()
        run.store.observations.note_marked(adopt_marked(run, observed.strangers))
        _note_foreign(run, observed)
        _find_missing(run, observed, confirmation)
        note_broken(run, observed)
        run.store.cloud.note_backups_listed(observed.moment)
        observed.foreign.ours_are_complete = not observed.unseen
    backup_hosts.repair(run)
    if observed.is_complete:
        note_gone_parents(run, export_records.gone(run, observed.foreign))
    if confirmation.is_given:  # what this pass has suspected is accepted as well
        run.store.observations.note_confirmed("check", run.now(), who=caller())
    export_records.collect(run, observed.foreign if observed.is_complete else None)


def _note_foreign(run: Run, observed: Observation) -> None:
    """Marked backups that no record is of, such as another installation's, are foreign ones."""
    known = {one.backup_id for one in run.store.records.by_backup_ids(observed.strangers)}
    for backup in observed.strangers.values():
        if backup.id not in known:
            observed.foreign.add(backup)


def _look(
    run: Run, work: Collection[BackupRecord], confirmation: Confirmation | None = None
) -> Observation:
    """List all backups, or look up each record where that takes fewer requests.

    NotWholeCloud if what Cinder shows can be the login's own project alone.
    """
    observed = Observation(run.now())
    available = run.store.records.available_ids()
    if not _is_listing_due(run, observed.moment, confirmation) and len(work) <= (
        (len(available) + len(work)) // PAGE
    ):
        look_up_each(run, work, observed)
    else:
        _list_all(run, work, observed, available)
        confirmed = confirmation is not None and confirmation.is_given
        owners = run.store.records.owners
        check_whole_cloud(run, "backups", observed.owners, owners, confirmed=confirmed)
    check_admin(run, work, observed)
    return observed


def _is_listing_due(run: Run, now: datetime, confirmation: Confirmation | None) -> bool:
    """Whether all backups are to be listed: at least hourly, and soon after a suspicion."""
    listed_at = believed(run.store.cloud.backups_listed_at(), now)
    if listed_at is None or (confirmation is not None and confirmation.is_given):
        return True
    pause = LISTING_AT_LEAST
    if run.store.records.suspected_missing():
        pause = min(pause, run.settings.cloud.settle_time)
    return now - listed_at >= pause


def _list_all(
    run: Run, work: Collection[BackupRecord], observed: Observation, available: set[BackupId]
) -> None:
    observed.available = len(available)
    names = {one.name for one in work if one.backup_id is None}
    ids = {one.backup_id for one in work}
    for page in run.cloud.listings.backups():
        observed.owners.update(backup.project_id for backup in page)
        for backup in page:
            if backup.id in ids:
                observed.by_id[backup.id] = backup
            elif RECORD_KEY in backup.metadata and backup.id not in available:
                observed.strangers[backup.id] = backup
            elif backup.id not in available:
                observed.foreign.add(backup)
            elif backup.status in BACKUP_UNRESTORABLE:
                observed.broken[backup.id] = backup
            available.discard(backup.id)
            if backup.name in names:
                observed.by_name.setdefault(backup.name, []).append(backup)
    available.difference_update(BackupId(row.id) for row in run.unreadable("backup"))
    observed.unseen = available
    observed.is_complete = True


def _find_missing(run: Run, observed: Observation, confirmation: Confirmation) -> None:
    """Judge the available backups that the listing lacks: one request for each, by its id.

    What Cinder says it does not have is suspected at first, and missing at a second time.
    """
    records = run.store.records.by_backup_ids(observed.unseen)
    unseen = [record for record in records if record.state is State.AVAILABLE]
    suspected = run.store.records.suspected_missing()
    kind = Kind("backup", observed.available, confirmation)
    findings = confirm(
        run, kind, [_suspect(record) for record in unseen], lambda record: _is_there(run, record)
    )
    for record in findings.gone:
        _missing(run, record)
    now = run.now()
    new = (one.id for one in findings.suspected if believed(one.suspected_missing_at, now) is None)
    run.store.notes.suspect_missing(new, now)
    absent = {one.id for one in (*findings.gone, *findings.suspected, *findings.unproven)}
    run.store.notes.not_missing(one.id for one in suspected if one.id not in absent)


def _suspect(record: BackupRecord) -> Suspect[BackupRecord]:
    return Suspect(
        record,
        record.backup_id or record.name,
        record.started_at or record.planned_at,
        record.suspected_missing_at,
        name=record.called,
    )


def _is_there(run: Run, record: BackupRecord) -> bool:
    return record.backup_id is not None and run.cloud.backups.look(record.backup_id) is not None


def _missing(run: Run, record: BackupRecord) -> None:
    reason = "somebody else deleted it"
    if run.store.lifecycle.missing(record, reason, run.now()):
        run.count("missing")
        run.fail("backup", record.backup_id or record.name, reason, name=record.called)
