"""Back up chosen volumes now, whatever the schedule says."""

import secrets
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from staffeln_cli.config.rules import chain_limits, selection_rules
from staffeln_cli.errors import NotFound, NotUnderstood
from staffeln_cli.model import (
    BackupRecord,
    Decision,
    InventoryVolume,
    Kind,
    Origin,
    Outcome,
    RecordId,
    Server,
    ServerId,
    State,
    Volume,
    VolumeId,
)
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.operations import lookup
from staffeln_cli.operations.follow_backup import follow
from staffeln_cli.operations.owners import Owners
from staffeln_cli.operations.start_backup import (
    BUSY_PAUSE,
    Waiting,
    caps_of,
    start,
)
from staffeln_cli.operations.transferred import take_back_transferred
from staffeln_cli.planning.chains.summary import summary_of
from staffeln_cli.planning.protection import selection
from staffeln_cli.planning.protection.full_or_incremental import (
    ChainLimits,
    NextBackup,
    next_backup,
    planned,
)
from staffeln_cli.runtime import Run, Runtime, run_pass

COUNTS = ("started", "deferred", "failed")
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 15.0
_NO_LIMITS = ChainLimits(depth=1_000_000, max_age=None)


@dataclass(frozen=True, slots=True)
class BackupRequest:
    """What to back up, and how; with `kind` None, the kind that the chain suggests."""

    volumes: Sequence[str] = ()
    servers: Sequence[str] = ()
    kind: Kind | None = None
    wait: bool = False


def run(runtime: Runtime, request: BackupRequest, *, dry_run: bool = False) -> Outcome:
    """Plan and start the requested backups at once, and wait for them if that is requested."""
    return run_pass(
        runtime, "backup", lambda run: _back_up(run, request), counts=COUNTS, dry_run=dry_run
    )


def _back_up(run: Run, request: BackupRequest) -> None:
    run.cloud.login()
    records = [
        record
        for volume in _requested(run, request)
        if (record := _planned(run, volume, request.kind)) is not None
    ]
    if run.dry_run:
        return
    ids = _saved(run, records)
    _start(run, ids)
    if request.wait:
        _wait(run, ids)
    run.counts["deferred"] = sum(
        record.state is State.PLANNED for record in run.store.records.by_record_ids(ids)
    )


def _requested(run: Run, request: BackupRequest) -> Iterator[Volume]:
    """The volumes, each once; NotFound before anything is done when one of them is unknown."""
    found: dict[VolumeId, Volume] = {}
    for volume_id in lookup.volume_ids(run.runtime, request.volumes):
        with _left_alone(run, "volume", volume_id):
            volume = run.cloud.lookups.volume(volume_id)
            if volume is None:
                raise NotFound(f"there is no volume {volume_id}; nothing was started")
            found[volume.id] = volume
    for server_id in lookup.server_ids(run.runtime, request.servers):
        with _left_alone(run, "server", server_id):
            if run.cloud.lookups.server(server_id) is None:
                raise NotFound(f"there is no server {server_id}; nothing was started")
            found |= _on_server(run, server_id)
    yield from found.values()


def _on_server(run: Run, server_id: ServerId) -> dict[VolumeId, Volume]:
    """The volumes on a server that Cinder knows; those of which it answers oddly are named."""
    found: dict[VolumeId, Volume] = {}
    failures = len(run.failures)
    for volume_id in run.cloud.lookups.volumes_of_server(server_id):
        with _left_alone(run, "volume", volume_id):
            volume = run.cloud.lookups.volume(volume_id)
            found |= {volume.id: volume} if volume is not None else {}
    if not found and len(run.failures) == failures:
        run.fail("server", server_id, "has no volume that Cinder knows")
    return found


@contextmanager
def _left_alone(run: Run, kind: str, item_id: str) -> Iterator[None]:
    """Name a thing about which the cloud answers oddly; the others go on."""
    try:
        yield
    except NotUnderstood as error:
        run.fail(kind, item_id, str(error))


def _planned(run: Run, volume: Volume, wanted: Kind | None) -> BackupRecord | None:
    """A record for the request; None, and a failure, when the kind asked for is impossible."""
    backups = run.cloud.listings.backups_of(volume.id)
    chain = summary_of(listed for listed in backups if listed.project_id == volume.project_id)
    now, only_incremental = run.now(), wanted is Kind.INCREMENTAL
    backup = next_backup(
        chain,
        _NO_LIMITS if only_incremental else chain_limits(run.settings.backup),
        now,
        volume_size_gib=volume.size_gib,
        newest_unrestorable=run.store.records.newest_unrestorable().get(volume.id),
        proof_failed_at=_proof_failed_at(run, volume.id),
    )
    if only_incremental and backup.kind is Kind.FULL:
        run.fail("volume", volume.id, f"no incremental is possible: {backup.reason}")
        return None
    if wanted is Kind.FULL:
        backup = NextBackup(Kind.FULL, backup.reason)
    action = "wait with" if backup.waits else "start"
    run.shows_decisions |= backup.waits
    decision = Decision(f"{action} {backup.kind}", "volume", volume.id, volume.name, backup.reason)
    run.decide(decision)
    row = _row(run, volume, now)
    if row is None:
        return None
    record = planned(row, backup, now, token=secrets.token_hex(8), origin=Origin.ADHOC)
    if backup.waits:
        return replace(record, reason=backup.reason, not_before=now + BUSY_PAUSE)
    return record


def _row(run: Run, volume: Volume, now: datetime) -> InventoryVolume | None:
    """The volume with its server; None, and a failure, where the server is not understood."""
    try:
        servers = _servers(run, volume)
    except NotUnderstood as error:
        run.fail("volume", volume.id, str(error))
        return None
    protection = selection.protection(volume, servers, {}, selection_rules(run.settings), None)
    return InventoryVolume.seen(volume, protection, now, known=None)


def _proof_failed_at(run: Run, volume_id: VolumeId) -> datetime | None:
    known = run.store.inventory.volumes([volume_id]).get(volume_id)
    return known.proof_failed_at if known is not None else None


def _servers(run: Run, volume: Volume) -> dict[ServerId, Server]:
    found = [run.cloud.lookups.server(server_id) for server_id in volume.server_ids]
    return {server.id: server for server in found if server is not None}


def _saved(run: Run, records: Sequence[BackupRecord]) -> set[RecordId]:
    """The records to start: new ones, or those that the schedule had planned already."""
    inserted = run.store.lifecycle.plan(records)
    others = {record.volume_id: record for record in records if record.id not in inserted}
    for record in run.store.records.of_volumes(others):
        if record.state is State.PLANNED:
            requested = others[record.volume_id]
            run.store.notes.requested(record.id, requested.kind, requested.chain_id)
            if requested.not_before is None:
                run.store.notes.start_now(record.id)
        if record.state in UNFINISHED:
            inserted.add(record.id)
    return inserted


def _start(run: Run, ids: Collection[RecordId]) -> None:
    waiting = Waiting()
    batch = run.store.lifecycle.claim_next(
        run.claim(), caps=caps_of(run), limit=len(ids), only=ids
    )
    owners = Owners(run, Counter(record.project_id for record in batch))
    for _ in run.parallel(lambda record: start(run, record, waiting, owners), batch):
        pass
    take_back_transferred(run, owners)


def _wait(run: Run, ids: Collection[RecordId]) -> None:
    """Follow the records to their end; start those that the caps held back when there is room.

    What cannot be looked up is left to `check`.
    """
    pause = _FIRST_WAIT
    while not run.runtime.stop.is_requested:
        unclear = follow(run, run.store.claims.claim_open_work(run.claim(), only=ids))
        ids = [one for one in ids if one not in unclear]
        records = run.store.records.by_record_ids(ids)
        unfinished = [record for record in records if record.state in UNFINISHED]
        run.runtime.progress("backups", len(records) - len(unfinished), len(records))
        if not unfinished:
            return
        _start(run, {record.id for record in unfinished})
        run.runtime.stop.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_WAIT)
