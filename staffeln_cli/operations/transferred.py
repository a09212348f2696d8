"""Backups that were started in a project which their volume had just left."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto

from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import Backup, BackupRecord, ProjectId, RecordId, State
from staffeln_cli.model.statuses import BACKUP_COMPLETE
from staffeln_cli.operations.delete_backup import fail_backup
from staffeln_cli.operations.owners import Owners
from staffeln_cli.runtime import Run


def transferred(owner: ProjectId, names: Mapping[ProjectId, str]) -> str:
    """Why nothing is made for a volume's former owner any more."""
    name = f"{names[owner]} ({owner})" if names.get(owner) else owner
    return f"the volume now belongs to project {name}"


def take_back_transferred(run: Run, owners: Owners) -> None:
    """Remove what was started in a project that the volume had just left.

    It has the data of the new owner. The next `collect` plans a backup in their project. What
    cannot be asked for here is left to `check`, see `settle_owner`.
    """
    answered: list[RecordId] = []
    for record in owners.ask_again():
        try:
            if _settled(run, record, owners.look_up(record)) is Settled.LEFT:
                answered.append(record.id)
        except CloudUnavailable as error:
            reason = f"who owned its volume when it was started could not be looked up: {error}"
            run.fail("backup", record.name, reason)
    run.store.notes.owner_answered([*owners.proven, *answered])


def with_proven_owners(run: Run, work: Sequence[BackupRecord]) -> list[BackupRecord]:
    """The work of `check`: what a process has started that died before it could ask is settled.

    One listing for each project with several such backups; the others are left to `settle_owner`.
    """
    owners = Owners(run, {})
    for record in work:
        if record.state is State.CREATING and record.owner_unproven:
            owners.note_started(record)
    owners.ask_again()
    run.store.notes.owner_answered(owners.proven)
    proven = set(owners.proven)
    return [replace(one, owner_unproven=False) if one.id in proven else one for one in work]


class Settled(Enum):
    """What the owner of its volume means for a backup."""

    LEFT = auto()
    """It stays as it is."""
    REMOVED = auto()
    """It has failed: its project did not own the volume."""
    NOT_SHOWN = auto()
    """Cinder does not show it, so that nothing can be concluded now: to be asked again."""


def settle_owner(run: Run, record: BackupRecord, backup: Backup | None) -> Settled:
    """Remove a backup whose volume had left the project when it was started.

    Asked for backups whose process died before it could ask; all others stay as they are.
    """
    if record.state is not State.CREATING or not record.owner_unproven or backup is None:
        return Settled.LEFT
    volume = run.cloud.lookups.volume(record.volume_id)
    settled = _settled(run, record, volume.project_id if volume is not None else None)
    if settled is Settled.LEFT:
        run.store.notes.owner_answered([record.id])
    return settled


def _settled(run: Run, record: BackupRecord, owner: ProjectId | None) -> Settled:
    """Remove what Cinder still creates although its volume has another owner.

    Cinder transfers no volume that it backs up, so whoever owns it while Cinder still creates the
    backup owned it before. Once the backup is complete, that is no proof any more: the volume may
    have left since. Such a backup is named and left where it is.
    """
    if owner is None or owner == record.project_id:
        return Settled.LEFT
    (current,) = run.store.records.by_record_ids([record.id]) or [record]
    if current.state is not State.CREATING or current.backup_id is None:
        return Settled.LEFT
    backup = run.cloud.backups.look(current.backup_id)  # after the owner was asked for
    said = transferred(owner, run.store.projects.names())
    if backup is None:
        return Settled.NOT_SHOWN
    if backup.status in BACKUP_COMPLETE:
        reason = f"{said}, perhaps since before its backup was started, which is left as it is"
        run.fail("backup", backup.id, reason, name=record.called)
        return Settled.LEFT
    why = f"{said}, and did when the backup was started, which is removed"
    fail_backup(run, current, why, backup=backup, is_of_another=True)
    return Settled.REMOVED
