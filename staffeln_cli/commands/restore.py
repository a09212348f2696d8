"""Restore backups, each to a new volume in its own project."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from staffeln_cli.errors import NotFound, Refused, ResultUnknown
from staffeln_cli.model import Backup, BackupId, Decision, NewVolume, Outcome, ServerId, VolumeId
from staffeln_cli.model.naming import restored_name
from staffeln_cli.model.statuses import VOLUME_BEING_RESTORED, VOLUME_USABLE
from staffeln_cli.operations import lookup
from staffeln_cli.operations.recovery import recovery_time
from staffeln_cli.planning.chains.restorable import newest_restorable
from staffeln_cli.planning.retention.keep_rules import stamp
from staffeln_cli.runtime import Run, Runtime, run_pass

COUNTS = ("restoring", "restored", "failed")
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRequest:
    """What to restore: backups, or the newest ones of volumes and servers before a moment."""

    backups: Sequence[str] = ()
    volumes: Sequence[str] = ()
    servers: Sequence[str] = ()
    at: datetime | None = None
    name: str | None = None
    """The new volume's, where there is only one."""
    wait: bool = False


@dataclass(frozen=True, slots=True)
class _Choice:
    """A backup to restore, the name of the new volume, and why this backup."""

    backup: Backup
    new_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Requested:
    """A restore that Cinder has accepted."""

    choice: _Choice
    volume_id: VolumeId


def run(runtime: Runtime, request: RestoreRequest, *, dry_run: bool = False) -> Outcome:
    """Ask Cinder for the new volumes, and wait for them if that is requested.

    NotFound, before anything is done, when one of the things named does not exist.
    """
    return run_pass(
        runtime,
        "restore",
        lambda run: _restore(run, request),
        counts=COUNTS,
        dry_run=dry_run,
    )


def _restore(run: Run, request: RestoreRequest) -> None:
    run.shows_decisions = True
    chosen = list(_chosen(run, request))
    if run.dry_run:
        for choice in chosen:
            reason = f"to a new volume {choice.new_name}; {choice.reason}"
            run.decide(_decision(choice, f"{reason}{_time(run, choice.backup)}"))
        run.counts["restoring"] = len(chosen)
        return
    answers = run.parallel(lambda choice: _request(run, choice), chosen)
    requested = [restore for _, restore in answers if restore is not None]
    run.counts["restoring"] = len(requested)
    if request.wait:
        _wait(run, requested)


def _chosen(run: Run, request: RestoreRequest) -> Iterator[_Choice]:
    """What to restore, each backup once."""
    found: dict[BackupId, tuple[Backup, str]] = {}
    for name in request.backups:
        backup = lookup.backup(run, name)
        found[backup.id] = backup, "asked for"
    for volume_id in (*_ids_of(run, request.volumes), *_volumes_of(run, request.servers)):
        newest, reason = _newest(run, volume_id, request.at)
        if newest is None:
            run.fail("volume", volume_id, reason)
            run.count("failed")
        else:
            found[newest.id] = newest, reason
    known = run.store.inventory.volumes([backup.volume_id for backup, _ in found.values()])
    for backup, reason in found.values():
        volume = known.get(backup.volume_id)
        usual = restored_name(volume.volume_name if volume else "", run.now(), backup.id)
        yield _Choice(backup, request.name or usual, reason)


def _time(run: Run, backup: Backup) -> str:
    """What the restore is expected to take, where restore drills have measured any."""
    listed = run.cloud.listings.backups_of(backup.volume_id)
    expected = recovery_time(run.runtime, backup, listed)
    return f"; takes {expected.text}" if expected is not None else ""


def _ids_of(run: Run, volumes: Iterable[str]) -> Iterator[str]:
    """Ids of volumes given by id, which need not be known, or by name."""
    for wanted in volumes:
        known = lookup.AN_ID.fullmatch(wanted)
        yield wanted if known else lookup.volume(run.runtime, wanted).volume_id


def _volumes_of(run: Run, servers: Iterable[str]) -> Iterator[VolumeId]:
    """The volumes last seen on these servers, which may be gone."""
    for server_id in servers:
        volumes = run.store.inventory.volumes_of_server(ServerId(server_id))
        if not volumes:
            raise NotFound(
                f"no volume was ever seen on a server {server_id}; nothing was restored;"
                " see: staffeln status volumes -c server_id -c server_name"
            )
        yield from (volume.volume_id for volume in volumes)


def _newest(run: Run, volume_id: str, at: datetime | None) -> tuple[Backup | None, str]:
    """The newest backup of a volume that is surely whole, ours or not; or why there is none."""
    backups = run.cloud.listings.backups_of(volume_id)
    before = f" from before {stamp(at)}" if at else ""
    records = run.store.records.briefs([VolumeId(volume_id)])
    parents = run.store.exports.foreign_parents([VolumeId(volume_id)])
    best = newest_restorable(backups, records, at, parents)
    if best is None:
        return None, f"has no backup{before} that can surely be restored"
    return best, f"the newest{before} that can surely be restored"


def _request(run: Run, choice: _Choice) -> _Requested | None:
    """Ask Cinder once; if the reply was lost, look for the new volume."""
    backup = choice.backup
    try:
        new = NewVolume(name=choice.new_name, size_gib=backup.size_gib)
        volume_id = run.cloud.volumes.restore(backup.id, backup.project_id, new)
    except ResultUnknown as error:
        found = run.cloud.listings.volumes_named(choice.new_name)
        if len(found) != 1:
            advice = f"look for a volume {choice.new_name} before you try again"
            _failed(run, choice, f"{error}; {advice}")
            return None
        volume_id = found[0].id
    except Refused as refusal:
        _failed(run, choice, str(refusal))
        return None
    run.decide(_decision(choice, f"to volume {choice.new_name} ({volume_id}); {choice.reason}"))
    return _Requested(choice, volume_id)


def _failed(run: Run, choice: _Choice, reason: str) -> None:
    run.fail("backup", choice.backup.id, reason, name=choice.backup.name)
    run.count("failed")


def _wait(run: Run, requested: list[_Requested]) -> None:
    """Look up the new volumes until each is available, or has failed."""
    waiting, pause = list(requested), _FIRST_WAIT
    while waiting and not run.runtime.stop.is_requested:
        run.runtime.progress("volumes", len(requested) - len(waiting), len(requested))
        run.runtime.stop.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_WAIT)
        statuses = run.parallel(lambda restore: _status(run, restore), list(waiting))
        for restore, status in statuses:
            if status not in VOLUME_BEING_RESTORED:
                waiting.remove(restore)
                _ended(run, restore, status)
    run.counts["restoring"] = len(waiting)


def _status(run: Run, restore: _Requested) -> str | None:
    volume = run.cloud.lookups.volume(restore.volume_id)
    return volume.status if volume is not None else None


def _ended(run: Run, restore: _Requested, status: str | None) -> None:
    if status in VOLUME_USABLE:
        run.count("restored")
    elif status is None:
        _failed(run, restore.choice, f"the new volume {restore.volume_id} is gone")
    else:
        _failed(
            run, restore.choice, f"the new volume {restore.volume_id} ended in status {status}"
        )


def _decision(choice: _Choice, reason: str) -> Decision:
    backup = choice.backup
    return Decision(
        "restore", "backup", backup.id, backup.name, f"of {stamp(backup.created_at)} {reason}"
    )
