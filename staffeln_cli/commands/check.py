"""Follow started backups and deletions to their end; recover what a dead process left."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from staffeln_cli.commands import doubles, removal
from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import (
    Backup,
    BackupId,
    BackupRecord,
    Decision,
    Kind,
    Outcome,
    State,
)
from staffeln_cli.planning.naming import RECORD_KEY, called
from staffeln_cli.runtime import Run, Runtime, cycle

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
_ALIVE = frozenset({"available", "restoring"})
_DEAD = frozenset({"error", "error_deleting"})


def run(runtime: Runtime, *, dry_run: bool = False) -> Outcome:
    """One pass over everything under way; any number of hosts may do this at once."""
    work = _foresee if dry_run else _check
    return cycle(runtime, "check", work, counts=COUNTS, dry_run=dry_run)


@dataclass
class _Sight:
    """What Cinder has, of what matters here."""

    moment: datetime
    is_complete: bool = False
    by_id: dict[str, Backup] = field(default_factory=dict)
    by_name: dict[str, list[Backup]] = field(default_factory=dict)
    unseen: set[BackupId] = field(default_factory=set)
    """Available by our records, and not in the listing."""
    strangers: dict[str, Backup] = field(default_factory=dict)
    """They bear our mark, and are neither available by our records nor open work."""


def _foresee(run: Run) -> None:
    """What a pass would find; it only looks."""
    work = run.store.backups.open_work()
    sight = _look(run, work)
    for record in work:
        backup = sight.by_id.get(record.backup_id or "")
        status = backup.status if backup is not None else "not in Cinder"
        run.decide(
            Decision(f"follow {record.state}", "backup", record.name, record.volume_name, status)
        )
    run.counts["running"] = sum(one.state is State.CREATING for one in work)
    run.counts["missing"] = len(sight.unseen)


def follow(run: Run, work: Collection[BackupRecord]) -> None:
    """Look at these records alone, each by a request of its own; they must be claimed."""
    sight = _Sight(run.now())
    _look_one_by_one(run, work, sight)
    for _ in run.parallel(lambda one: _follow(run, sight, one), work):
        pass


def _check(run: Run) -> None:
    work = run.store.backups.claim_open_work(run.claim())
    sight = _look(run, work)
    for done, _ in enumerate(run.parallel(lambda one: _follow(run, sight, one), work), 1):
        run.runtime.progress("backups checked", done, len(work))
    if sight.is_complete:
        doubles.take_in(run, sight.strangers)
        _find_missing(run, sight)
        run.store.cloud.note_backups_listed(sight.moment)


def _look(run: Run, work: Collection[BackupRecord]) -> _Sight:
    """One listing of the cloud, or single looks where those are fewer requests."""
    sight = _Sight(run.now())
    available = run.store.backups.available_ids()
    listed_at = run.store.cloud.backups_listed_at()
    is_recent = listed_at is not None and sight.moment - listed_at < LISTING_AT_LEAST
    if is_recent and len(work) <= (len(available) + len(work)) // PAGE:
        _look_one_by_one(run, work, sight)
        return sight
    names = {one.name for one in work if one.backup_id is None}
    ids = {one.backup_id for one in work}
    for page in run.cloud.listings.backups():
        for backup in page:
            if backup.id in ids:
                sight.by_id[backup.id] = backup
            elif RECORD_KEY in backup.metadata and backup.id not in available:
                sight.strangers[backup.id] = backup
            available.discard(backup.id)
            if backup.name in names:
                sight.by_name.setdefault(backup.name, []).append(backup)
    sight.unseen = available
    sight.is_complete = True
    return sight


def _look_one_by_one(run: Run, work: Collection[BackupRecord], sight: _Sight) -> None:
    for record, found in run.parallel(lambda one: _found(run, one), work):
        if record.backup_id is None:
            sight.by_name[record.name] = found
        else:
            sight.by_id.update((one.id, one) for one in found)


def _found(run: Run, record: BackupRecord) -> list[Backup]:
    if record.backup_id is None:
        return run.cloud.listings.backups_named(record.name)
    backup = run.cloud.backups.look(record.backup_id)
    return [backup] if backup is not None else []


def _follow(run: Run, sight: _Sight, record: BackupRecord) -> None:
    """See what became of one record; trouble with it is named and leaves the others alone."""
    try:
        if record.state is State.STARTING:
            _recover(run, sight, record)
            return
        backup = sight.by_id.get(record.backup_id or "")
        if backup is None and record.backup_id is not None:
            backup = run.cloud.backups.look(record.backup_id)  # a listing may be older than it
        _STEPS[record.state](run, record, backup)
    except CloudUnavailable as error:
        run.fail("backup", record.backup_id or record.name, str(error))


def _recover(run: Run, sight: _Sight, record: BackupRecord) -> None:
    """A create request whose answer nobody heard: the backup's name tells whether Cinder acted."""
    found = [
        one for one in sight.by_name.get(record.name, []) if one.volume_id == record.volume_id
    ]
    if not found:
        run.store.backups.move(
            record,
            State.PLANNED,
            moment=run.now(),
            owner=run.id,
            attempt=record.attempt + 1,
            reason="the first request to create it never reached Cinder",
        )
        return
    first, *others = sorted(found, key=lambda one: (one.status not in _ALIVE, one.created_at))
    chain_id = first.id if record.kind is Kind.FULL else record.chain_id
    if run.store.backups.move(
        record,
        State.CREATING,
        moment=run.now(),
        owner=run.id,
        backup_id=first.id,
        chain_id=chain_id,
    ):
        run.count("adopted")
        adopted = replace(record, state=State.CREATING, backup_id=first.id, chain_id=chain_id)
        _finish(run, adopted, first)
        doubles.take_doubles(run, record, others)


def _finish(run: Run, record: BackupRecord, backup: Backup | None) -> None:
    """A backup that was being created."""
    if backup is None:
        _fail(run, record, "it vanished while it was being created", remains=False)
    elif backup.status in _ALIVE:
        kind = Kind.INCREMENTAL if backup.is_incremental else Kind.FULL
        if run.store.backups.move(
            record,
            State.AVAILABLE,
            moment=run.now(),
            kind=kind,  # a driver may turn an incremental into a full one while creating it
            chain_id=backup.id if kind is Kind.FULL else record.chain_id,
            size_gib=backup.size_gib,
            finished_at=run.now(),
            reason=None,
        ):
            run.count("available")
    elif backup.status in _DEAD:
        _fail(run, record, backup.fail_reason or f"Cinder says {backup.status}", backup=backup)
    elif _deadline(run, record) <= run.now():
        run.count("timed_out")
        _fail(run, record, f"still {backup.status} after {_age(run, record)}", backup=backup)
    else:
        run.count("running")


def _fail(
    run: Run,
    record: BackupRecord,
    reason: str,
    *,
    backup: Backup | None = None,
    remains: bool = True,
) -> None:
    if run.store.backups.move(
        record,
        State.FAILED,
        moment=run.now(),
        reason=reason,
        finished_at=run.now(),
        remains=remains,
    ):
        run.count("failed")
        name = called(record.volume_name, record.server_name)
        run.fail("volume", record.volume_id, reason, name=name)
        if backup is not None:
            removal.remove(
                run, replace(record, state=State.FAILED), backup, "remains of a failure"
            )


def _clear(run: Run, record: BackupRecord, backup: Backup | None) -> None:
    """A failed backup whose remains Cinder may still have."""
    if backup is None:
        run.store.backups.note(record.id, remains=False)
    else:
        removal.remove(run, record, backup, "remains of a failure")


def _see_off(run: Run, record: BackupRecord, backup: Backup | None) -> None:
    """A deletion under way."""
    if backup is None:
        removal.gone(run, record)
        return
    if backup.status != "deleting" and (
        record.next_try_at is None or record.next_try_at <= run.now()
    ):
        removal.again(run, record, backup)


_STEPS = {State.CREATING: _finish, State.FAILED: _clear, State.DELETING: _see_off}


def _find_missing(run: Run, sight: _Sight) -> None:
    """Backups that are gone from the cloud without us; each is asked for once more, by its id."""
    unseen = [
        one for one in run.store.backups.by_ids(sight.unseen) if one.state is State.AVAILABLE
    ]
    for record, found in run.parallel(lambda one: _found(run, one), unseen):
        if not found:
            _missing(run, record)
    run.runtime.stop.check()  # what was not asked for any more is for the next pass


def _missing(run: Run, record: BackupRecord) -> None:
    reason = "somebody else deleted it"
    if run.store.backups.move(
        record, State.MISSING, moment=run.now(), reason=reason, deleted_at=run.now()
    ):
        run.count("missing")
        name = called(record.volume_name, record.server_name)
        run.fail("backup", record.backup_id or record.name, reason, name=name)


def _deadline(run: Run, record: BackupRecord) -> datetime:
    settings = run.settings.backup
    allowed = settings.timeout + settings.timeout_per_gib * (record.size_gib or 0)
    return (record.started_at or record.planned_at) + allowed


def _age(run: Run, record: BackupRecord) -> timedelta:
    age = run.now() - (record.started_at or record.planned_at)
    return timedelta(seconds=round(age.total_seconds()))
