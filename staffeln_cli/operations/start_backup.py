"""Start one planned backup: claim it, ask Cinder once, understand the refusal."""

import re
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta

from staffeln_cli.config.rules import schedule
from staffeln_cli.errors import (
    ClockWrong,
    CloudUnavailable,
    NoAccess,
    NoParent,
    NotUnderstood,
    NotWholeCloud,
    ProjectUnavailable,
    QuotaExceeded,
    Refused,
    ResultUnknown,
    Throttled,
    VolumeBusy,
    VolumeGone,
)
from staffeln_cli.model import BackupId, BackupRecord, Decision, Kind, ProjectId
from staffeln_cli.model.naming import INSTALLATION_KEY, RECORD_KEY, SERVER_KEY
from staffeln_cli.model.statuses import VOLUME_BUSY
from staffeln_cli.operations.owners import Owners
from staffeln_cli.operations.transferred import transferred
from staffeln_cli.planning.protection.windows import Opening
from staffeln_cli.runtime import Run
from staffeln_cli.store import Caps

GONE = "the volume is gone"
BUSY_PAUSE = timedelta(minutes=5)
"""How long a volume that was busy is left alone."""


@dataclass
class Waiting:
    """Projects that get no further backup in this pass, and why."""

    over_quota: set[ProjectId] = field(default_factory=set)
    no_access: dict[ProjectId, str] = field(default_factory=dict)
    unavailable: dict[ProjectId, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def projects(self) -> set[ProjectId]:
        """Those whose plans stay as they are; to claim them would only put them back."""
        with self._lock:
            return {*self.over_quota, *self.unavailable}

    def for_quota(self, project_id: ProjectId) -> bool:
        """Note that a project is over quota; whether that is news."""
        with self._lock:
            is_news = project_id not in self.over_quota
            self.over_quota.add(project_id)
        return is_news

    def for_project(self, project_id: ProjectId, reason: str) -> bool:
        """Note that nothing can be asked for in a project; whether that is news."""
        with self._lock:
            is_news = project_id not in self.unavailable
            self.unavailable[project_id] = reason
        return is_news


def caps_of(run: Run) -> Caps:
    """How many backups may be in flight, and whether those of the schedule may start now."""
    settings, is_closed = run.settings.backup, closed_window(run) is not None
    return Caps(settings.max_in_flight, settings.max_in_flight_per_project, is_closed)


def closed_window(run: Run) -> Opening | None:
    """The next opening of the window, if the window is closed now."""
    window, now = schedule(run.settings).window, run.now()
    opening = window.next_opening(now) if window is not None else None
    return None if opening is None or opening.is_open(now) else opening


def start(run: Run, record: BackupRecord, waiting: Waiting, owners: Owners) -> None:
    """Ask Cinder once. Whatever happens to this process, `check` can tell from the name.

    The backup is only made in the project that owns the volume at this moment.
    """
    if _has_to_wait(run, record, waiting):
        return
    try:
        # Before the claim is extended: a token may be waited for longer than a claim lasts.
        run.cloud.backups.fetch_token(record.project_id)
        _ask_or_cancel(run, record, owners)
    except NoParent:
        run.store.notes.change_kind(record.id, Kind.FULL, None)
        start(run, replace(record, kind=Kind.FULL, chain_id=None), waiting, owners)
    except ResultUnknown as error:
        run.fail("backup", record.name, f"{error}; check will look it up by its name")
    except Refused as refusal:
        _refused(run, record, refusal, waiting)
    except NotUnderstood as error:  # about this volume alone: the others go on
        not_before = run.now() + BUSY_PAUSE
        run.store.lifecycle.plan_again(record, str(error), owner=run.id, not_before=not_before)
        run.fail("volume", record.volume_id, str(error), name=record.volume_name)
    except (ClockWrong, CloudUnavailable, NotWholeCloud):
        put_back(run, record)  # nothing was asked yet
        raise


def _ask_or_cancel(run: Run, record: BackupRecord, owners: Owners) -> None:
    owner = owners.owner(record)
    if owner is None:
        _require_admin(run)
    if owner == record.project_id:
        _ask(run, record, owners)
    else:
        _cancel(run, record, owner)


def _has_to_wait(run: Run, record: BackupRecord, waiting: Waiting) -> bool:
    """Whether its project gets no further backup in this pass; the record is then dealt with."""
    project_id = record.project_id
    if project_id in waiting.no_access:
        _failed(run, record, waiting.no_access[project_id])
    elif project_id in waiting.over_quota:
        put_back(run, record, "waits: its project is over quota")
    elif project_id in waiting.unavailable:
        put_back(run, record, f"waits: {waiting.unavailable[project_id]}")
    else:
        return False
    return True


def _ask(run: Run, record: BackupRecord, owners: Owners) -> None:
    backup_id = _made_before(run, record)
    if not run.store.claims.extend_claim(record.id, run.claim()):
        return  # this process slept so long that another has taken it over
    if backup_id is None:
        backup_id = run.cloud.backups.create(record, metadata=_metadata(run, record))
    record = replace(record, owner_unproven=not owners.note_started(record))
    run.count("started")
    run.decide(decision_of(record, "started"))
    if not run.store.lifecycle.created(record, backup_id, owner=run.id):
        has_it = f"another run has taken it over, or another record has backup {backup_id}"
        run.fail("backup", record.name, f"{has_it}; check will look it up by its name")


def _made_before(run: Run, record: BackupRecord) -> BackupId | None:
    """Of what is tried again, the first request may have arrived after everybody gave it up."""
    if record.attempt == 1:
        return None
    found = run.cloud.listings.backups_named(record.name)
    return next((one.id for one in found if one.volume_id == record.volume_id), None)


def _refused(run: Run, record: BackupRecord, refusal: Refused, waiting: Waiting) -> None:
    """Cinder has certainly not acted: say what that means for the record."""
    lifecycle = run.store.lifecycle
    if isinstance(refusal, VolumeGone):
        _not_found(run, record)
    elif isinstance(refusal, Throttled) or (isinstance(refusal, VolumeBusy) and _passes(refusal)):
        not_before = run.now() + BUSY_PAUSE
        lifecycle.plan_again(record, str(refusal), owner=run.id, not_before=not_before)
    elif isinstance(refusal, ProjectUnavailable):
        if waiting.for_project(record.project_id, str(refusal)):
            run.fail("project", record.project_id, str(refusal))
        put_back(run, record, f"waits: {refusal}")
    elif isinstance(refusal, QuotaExceeded) and not waiting.for_quota(record.project_id):
        put_back(run, record, f"waits: {refusal}")
    else:
        if isinstance(refusal, NoAccess):
            waiting.no_access[record.project_id] = str(refusal)
        _failed(run, record, str(refusal))


def _not_found(run: Run, record: BackupRecord) -> None:
    """Cinder has no such volume in the project: it is gone, or has another owner by now."""
    try:
        volume = run.cloud.lookups.volume(record.volume_id)
        if volume is None:
            _require_admin(run)
    except (CloudUnavailable, NotWholeCloud):
        put_back(run, record)
        raise
    _cancel(run, record, volume.project_id if volume is not None else None)


def _require_admin(run: Run) -> None:
    """NotWholeCloud where Cinder has no volumes but those of the login's own project to show."""
    if not run.cloud.lookups.is_cinder_admin():
        raise NotWholeCloud("Cinder does not show volumes of other projects by their ids")


def _cancel(run: Run, record: BackupRecord, owner: ProjectId | None) -> None:
    """End a plan that must not be carried out in its project; the next collect plans anew."""
    reason = GONE if owner is None else transferred(owner, run.store.projects.names())
    run.store.lifecycle.cancelled(record, reason, run.now(), owner=run.id)


def put_back(run: Run, record: BackupRecord, reason: str | None = None) -> None:
    """Back to `planned`: it is certain that Cinder was not asked, or has not acted."""
    run.store.lifecycle.put_back(record, reason, owner=run.id)


def _failed(run: Run, record: BackupRecord, reason: str) -> None:
    if run.store.lifecycle.refused(record, reason, run.now(), owner=run.id):
        run.count("failed")
    run.fail("volume", record.volume_id, reason, name=record.called)


def _passes(refusal: VolumeBusy) -> bool:
    """Whether the status that forbids the backup will pass by itself."""
    named = re.search(r'current status is "([^"]*)"', str(refusal))
    return named is None or named[1] in VOLUME_BUSY


def _metadata(run: Run, record: BackupRecord) -> dict[str, str]:
    """What the backup says of itself, to people and to a database restored from an old dump."""
    return {
        RECORD_KEY: record.id,
        INSTALLATION_KEY: run.store.observations.installation_id(),
        "staffeln:kind": record.kind.value,
        "staffeln:origin": record.origin.value,
        SERVER_KEY: record.server_id or "",
    }


def decision_of(record: BackupRecord, reason: str) -> Decision:
    return Decision(f"start {record.kind}", "volume", record.volume_id, record.volume_name, reason)
