"""Bring backups back: each to a new volume in its own project."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from staffeln_cli.errors import InDoubt, NotFound, Refused
from staffeln_cli.model import Backup, BackupId, Decision, Outcome, ServerId, VolumeId
from staffeln_cli.model.naming import restored_name
from staffeln_cli.model.statuses import VOLUME_BEING_RESTORED, VOLUME_USABLE
from staffeln_cli.operations import lookup
from staffeln_cli.planning.chains.restorable import newest_restorable
from staffeln_cli.planning.retention.keep_rules import stamp
from staffeln_cli.runtime import Run, Runtime, run_pass

COUNTS = ("restoring", "restored", "failed")
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 15.0
_AN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRequest:
    """What somebody wants back: backups, or the newest of volumes and servers, as of a moment."""

    backups: Sequence[str] = ()
    volumes: Sequence[str] = ()
    servers: Sequence[str] = ()
    at: datetime | None = None
    name: str | None = None
    """The new volume's, where there is only one."""
    wait: bool = False


@dataclass(frozen=True, slots=True)
class _Choice:
    """A backup to restore, what the new volume is to be called, and why this one."""

    backup: Backup
    new_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Flight:
    """A restore that Cinder has been asked for."""

    choice: _Choice
    volume_id: VolumeId


def run(runtime: Runtime, wish: RestoreRequest, *, dry_run: bool = False) -> Outcome:
    """Ask Cinder for the new volumes, and see them through if that is wished too.

    NotFound, before anything is done, when one of the things named does not exist.
    """
    return run_pass(
        runtime,
        "restore",
        lambda run: _restore(run, wish),
        counts=COUNTS,
        dry_run=dry_run,
    )


def _restore(run: Run, wish: RestoreRequest) -> None:
    run.shows_decisions = True
    chosen = list(_chosen(run, wish))
    if run.dry_run:
        for one in chosen:
            run.decide(_decision(one, f"to a new volume {one.new_name}; {one.reason}"))
        run.counts["restoring"] = len(chosen)
        return
    begun = run.parallel(lambda one: _begun(run, one), chosen)
    flights = [flight for _, flight in begun if flight is not None]
    run.counts["restoring"] = len(flights)
    if wish.wait:
        _wait(run, flights)


def _chosen(run: Run, wish: RestoreRequest) -> Iterator[_Choice]:
    """What to restore, each backup once."""
    found: dict[BackupId, tuple[Backup, str]] = {}
    for name in wish.backups:
        backup = _named(run, name)
        found[backup.id] = backup, "asked for"
    for volume_id in (*_ids_of(run, wish.volumes), *_volumes_of(run, wish.servers)):
        newest, reason = _newest(run, volume_id, wish.at)
        if newest is None:
            run.fail("volume", volume_id, reason)
            run.count("failed")
        else:
            found[newest.id] = newest, reason
    known = run.store.inventory.volumes([backup.volume_id for backup, _ in found.values()])
    for backup, reason in found.values():
        volume = known.get(backup.volume_id)
        usual = restored_name(volume.volume_name if volume else "", run.now(), backup.id)
        yield _Choice(backup, wish.name or usual, reason)


def _named(run: Run, name: str) -> Backup:
    """A backup by any of its names; also one that Staffeln did not make, by Cinder's id."""
    record = run.store.records.find(name)
    if record is not None and record.backup_id is None:
        raise NotFound(f"backup {record.name} is {record.state}: Cinder has nothing to restore")
    backup_id = record.backup_id if record is not None else None
    if backup_id is None and _AN_ID.fullmatch(name):
        backup_id = BackupId(name)
    backup = run.cloud.backups.look(backup_id) if backup_id is not None else None
    if backup is None:
        raise NotFound(
            f"Cinder has no backup {name!r}; nothing was restored;"
            " see: staffeln status backups -c name -c backup_id -c state"
        )
    return backup


def _ids_of(run: Run, volumes: Iterable[str]) -> Iterator[str]:
    """Volumes by id, which need not be known, or by name."""
    for wanted in volumes:
        known = _AN_ID.fullmatch(wanted)
        yield wanted if known else lookup.volume(run.runtime, wanted).volume_id


def _volumes_of(run: Run, servers: Iterable[str]) -> Iterator[VolumeId]:
    """The volumes last seen on these servers, which may be long gone."""
    for server_id in servers:
        volumes = run.store.inventory.volumes_of_server(ServerId(server_id))
        if not volumes:
            raise NotFound(
                f"no volume was ever seen on a server {server_id}; nothing was restored;"
                " see: staffeln status volumes -c server_id -c server_name"
            )
        yield from (one.volume_id for one in volumes)


def _newest(run: Run, volume_id: str, at: datetime | None) -> tuple[Backup | None, str]:
    """The newest backup of a volume that is surely whole, anybody's; or why there is none."""
    backups = run.cloud.listings.backups_of(volume_id)
    before = f" from before {stamp(at)}" if at else ""
    records = run.store.records.briefs([VolumeId(volume_id)])
    best = newest_restorable(backups, records, at)
    if best is None:
        return None, f"has no backup{before} that can surely be restored"
    return best, f"the newest{before} that can surely be restored"


def _begun(run: Run, choice: _Choice) -> _Flight | None:
    """Ask Cinder once; where the answer was lost, look whether a volume came of it."""
    backup = choice.backup
    try:
        volume_id = run.cloud.backups.restore(backup.id, backup.project_id, name=choice.new_name)
    except InDoubt as doubt:
        found = run.cloud.listings.volumes_named(choice.new_name)
        if len(found) != 1:
            advice = f"look for a volume {choice.new_name} before you try again"
            _failed(run, choice, f"{doubt}; {advice}")
            return None
        volume_id = found[0].id
    except Refused as refusal:
        _failed(run, choice, str(refusal))
        return None
    run.decide(_decision(choice, f"to volume {choice.new_name} ({volume_id}); {choice.reason}"))
    return _Flight(choice, volume_id)


def _failed(run: Run, choice: _Choice, reason: str) -> None:
    run.fail("backup", choice.backup.id, reason, name=choice.backup.name)
    run.count("failed")


def _wait(run: Run, flights: list[_Flight]) -> None:
    """Look at the new volumes until each is there, or Cinder has given up on it."""
    waiting, pause = list(flights), _FIRST_WAIT
    while waiting and not run.runtime.stop.is_requested:
        run.runtime.progress("volumes", len(flights) - len(waiting), len(flights))
        run.runtime.stop.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_WAIT)
        looked = run.parallel(lambda one: _status(run, one), list(waiting))
        for flight, status in looked:
            if status not in VOLUME_BEING_RESTORED:
                waiting.remove(flight)
                _landed(run, flight, status)
    run.counts["restoring"] = len(waiting)


def _status(run: Run, flight: _Flight) -> str | None:
    volume = run.cloud.lookups.volume(flight.volume_id)
    return volume.status if volume is not None else None


def _landed(run: Run, flight: _Flight, status: str | None) -> None:
    if status in VOLUME_USABLE:
        run.count("restored")
    elif status is None:
        _failed(run, flight.choice, f"the new volume {flight.volume_id} is gone")
    else:
        _failed(run, flight.choice, f"the new volume {flight.volume_id} ended in status {status}")


def _decision(choice: _Choice, reason: str) -> Decision:
    backup = choice.backup
    return Decision(
        "restore", "backup", backup.id, backup.name, f"of {stamp(backup.created_at)} {reason}"
    )
