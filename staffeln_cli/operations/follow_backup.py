"""See what became of one backup record: started, deleted, or left behind by a dead process."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from staffeln_cli.errors import CloudUnavailable, NotUnderstood, NotWholeCloud
from staffeln_cli.model import (
    Backup,
    BackupId,
    BackupRecord,
    Origin,
    ProjectId,
    RecordId,
    State,
)
from staffeln_cli.model.statuses import BACKUP_BROKEN, BACKUP_BUSY, BACKUP_COMPLETE
from staffeln_cli.operations import delete_backup, duplicates
from staffeln_cli.operations.absence import judged
from staffeln_cli.operations.export_records import ForeignBackups
from staffeln_cli.operations.transferred import Settled, settle_owner
from staffeln_cli.planning.estimates import allowed
from staffeln_cli.planning.evidence import Answer, Belief, age_counts_from, believed
from staffeln_cli.runtime import Run


@dataclass
class Observation:
    """What Cinder has, of what matters here."""

    moment: datetime
    is_complete: bool = False
    by_id: dict[str, Backup] = field(default_factory=dict)
    by_name: dict[str, list[Backup]] = field(default_factory=dict)
    unclear: set[RecordId] = field(default_factory=set)
    """Records whose look-up failed and was named: nothing is concluded about them."""
    owners: set[ProjectId] = field(default_factory=set)
    """The projects that own the backups listed."""
    available: int = 0
    """How many backups are available by our records."""
    unseen: set[BackupId] = field(default_factory=set)
    """Available by our records, and not in the listing."""
    broken: dict[BackupId, Backup] = field(default_factory=dict)
    """Available by our records, and not to be restored by the listing."""
    strangers: dict[BackupId, Backup] = field(default_factory=dict)
    """They bear our mark, and are neither available by our records nor open work."""
    foreign: ForeignBackups = field(default_factory=ForeignBackups)


def follow(run: Run, work: Collection[BackupRecord]) -> set[RecordId]:
    """Look at these records alone, each by a request of its own; they must be claimed.

    Return those whose look-up failed.
    """
    observed = Observation(run.now())
    look_up_each(run, work, observed)
    check_admin(run, work, observed)
    for _ in run.parallel(lambda one: follow_record(run, observed, one), work):
        pass
    return observed.unclear


def look_up_each(run: Run, work: Collection[BackupRecord], observed: Observation) -> None:
    """Look up each record by a request of its own.

    One that fails is named, and its record is left alone. CloudUnavailable where all fail, unless
    an answer is odd: that is trouble with one backup, and not with the cloud.
    """
    errors: list[CloudUnavailable] = []
    for record, found in run.parallel(lambda one: _found_or_error(run, one), work):
        if isinstance(found, CloudUnavailable):
            errors.append(found)
            observed.unclear.add(record.id)
            run.fail("backup", record.backup_id or record.name, str(found), name=record.called)
        elif record.backup_id is None:
            observed.by_name[record.name] = found
        else:
            observed.by_id.update((one.id, one) for one in found)
    is_odd = any(isinstance(error, NotUnderstood) for error in errors)
    if errors and len(errors) == len(work) and not is_odd:
        raise errors[0]


def _found_or_error(run: Run, record: BackupRecord) -> list[Backup] | CloudUnavailable:
    try:
        return found_of(run, record)
    except CloudUnavailable as error:
        return error


def found_of(run: Run, record: BackupRecord) -> list[Backup]:
    if record.backup_id is None:
        return run.cloud.listings.backups_named(record.name)
    backup = run.cloud.backups.look(record.backup_id)
    return [backup] if backup is not None else []


def follow_record(run: Run, observed: Observation, record: BackupRecord) -> None:
    """See what became of one record; trouble with it is named and leaves the others alone."""
    if record.id in observed.unclear:
        return
    try:
        if record.state is State.STARTING:
            _recover(run, observed, record)
            return
        backup = observed.by_id.get(record.backup_id or "")
        if backup is None and record.backup_id is not None:
            backup = run.cloud.backups.look(record.backup_id)  # a listing may be older than it
        if not _is_believed(run, record, backup):
            return
        if settle_owner(run, record, backup) is Settled.LEFT:
            _STEPS[record.state](run, record, backup)
    except CloudUnavailable as error:
        run.fail("backup", record.backup_id or record.name, str(error), name=record.called)


def check_admin(run: Run, work: Collection[BackupRecord], observed: Observation) -> None:
    """NotWholeCloud if backups are not shown, and Cinder does not treat this login as an admin."""
    if observed.owners - {run.cloud.login().project_id}:
        return
    is_absent = (
        one.backup_id not in observed.by_id
        if one.backup_id
        else not observed.by_name.get(one.name)
        for one in work
        if one.id not in observed.unclear
    )
    if any(is_absent) and not run.cloud.lookups.is_cinder_admin():
        raise NotWholeCloud("Cinder does not show backups of other projects by their ids")


def _is_believed(run: Run, record: BackupRecord, backup: Backup | None) -> bool:
    """Whether to act on what Cinder shows; a first absence is noted only.

    A deletion that Staffeln asked for is over on Cinder's first word.
    """
    if backup is not None:
        if record.suspected_missing_at is not None:
            run.store.notes.not_missing([record.id])
        return True
    if record.state is State.DELETING:
        return True
    known_since, suspected_at = record.started_at or record.planned_at, record.suspected_missing_at
    if judged(run, Answer.ABSENT, known_since, suspected_at) is Belief.GONE:
        return True
    if believed(suspected_at, run.now()) is None:
        run.store.notes.suspect_missing([record.id], run.now())
    run.count("running", int(record.state is State.CREATING))
    return False


def _recover(run: Run, observed: Observation, record: BackupRecord) -> None:
    """A create request whose answer nobody heard: the backup's name tells whether Cinder acted.

    An API node that lags behind may hide the backup: like any other absence, this one is believed
    the second time. Until then the record stays `starting`, so that nothing asks for it again.
    """
    found = [
        one for one in observed.by_name.get(record.name, []) if one.volume_id == record.volume_id
    ]
    if not found:
        if any(row.volume_id == record.volume_id for row in run.unreadable("backup")):
            run.fail("backup", record.name, "may be the backup whose row is not understood")
        elif _is_believed(run, record, None):
            reason = "the first request to create it never reached Cinder"
            run.store.lifecycle.plan_again(record, reason, owner=run.id)
        return
    first, *others = sorted(
        found, key=lambda one: (one.status not in BACKUP_COMPLETE, one.created_at)
    )
    record = replace(record, owner_unproven=True)
    if run.store.lifecycle.created(record, first.id, owner=run.id):
        run.count("adopted")
        adopted = replace(record, state=State.CREATING, backup_id=first.id)
        if settle_owner(run, adopted, first) is Settled.LEFT:
            _finish(run, adopted, first)
        duplicates.handle_duplicates(run, record, others)


def _finish(
    run: Run, record: BackupRecord, backup: Backup | None, *, confirmed: bool = False
) -> None:
    """A backup that was being created; `confirmed`, by a request for its id alone.

    It is given up, and its remains are removed, only on such a word: a listing may be stale.
    """
    if backup is None:
        vanished = "it vanished while it was being created"
        delete_backup.fail_backup(run, record, vanished)
    elif backup.status in BACKUP_COMPLETE:
        if run.store.lifecycle.finished(record, backup, run.now()):
            run.count("available")
    elif (reason := _failure(run, record, backup)) is None:
        run.count("running")
    elif not confirmed:
        again = run.cloud.backups.look(backup.id)
        if again is None:
            run.count("running")  # one of the two answers is not true
        else:
            _finish(run, record, again, confirmed=True)
    else:
        run.count("timed_out", int(backup.status not in BACKUP_BROKEN))
        delete_backup.fail_backup(run, record, reason, backup=backup)


def _failure(run: Run, record: BackupRecord, backup: Backup) -> str | None:
    """Why a backup that is not complete has failed; None while it may still be."""
    if backup.status in BACKUP_BROKEN:
        return backup.fail_reason or f"Cinder says {backup.status}"
    if _is_timed_out(run, record, backup):
        return f"still {backup.status} after {_age(run, record, backup)}"
    return None


def _clear(run: Run, record: BackupRecord, backup: Backup | None) -> None:
    """A failed backup whose remains Cinder may still have."""
    if backup is None:
        run.store.notes.remains_gone(record.id)
    elif backup.status not in BACKUP_COMPLETE or _is_of_no_use(record):
        delete_backup.remove(run, record, backup, "remains of a failure")
    elif run.store.lifecycle.seen_again(record, backup, run.now()):
        run.count("available")  # it was finished after all


def _is_of_no_use(record: BackupRecord) -> bool:
    """Whether a failed backup is one although complete: a duplicate, or data of another project.

    A record that was adopted as failed is of a duplicate.
    """
    return record.origin is Origin.ADOPTED or record.owner_unproven


def _see_off(run: Run, record: BackupRecord, backup: Backup | None) -> None:
    """A deletion under way."""
    if backup is None:
        delete_backup.gone(run, record)
        return
    if backup.status not in BACKUP_BUSY and delete_backup.is_time(record, run.now()):
        delete_backup.again(run, record, backup)


_STEPS: Mapping[State, Callable[[Run, BackupRecord, Backup | None], None]] = {
    State.CREATING: _finish,
    State.FAILED: _clear,
    State.DELETING: _see_off,
}


def _is_timed_out(run: Run, record: BackupRecord, backup: Backup) -> bool:
    """Without timeout_per_gib, a backup that usually takes longer has longer."""
    settings, age = run.settings.backup, run.now() - _began_at(run, record, backup)
    configured = settings.timeout + settings.timeout_per_gib * (record.size_gib or 0)
    if age < configured:
        return False
    usual = None if settings.timeout_per_gib else run.store.durations.expected(record)
    return age >= allowed(configured, usual)


def _age(run: Run, record: BackupRecord, backup: Backup) -> timedelta:
    age = run.now() - _began_at(run, record, backup)
    return timedelta(seconds=round(age.total_seconds()))


def _began_at(run: Run, record: BackupRecord, backup: Backup) -> datetime:
    return age_counts_from(believed(record.started_at, run.now()), backup.created_at)
