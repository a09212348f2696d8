"""Learn which volumes exist, and plan a backup for each protected one that is due."""

import secrets
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from staffeln_cli.config.rules import chain_limits, selection_rules
from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import (
    BackupRecord,
    Decision,
    InventoryVolume,
    Outcome,
    Project,
    ProjectId,
    Protection,
    Server,
    ServerId,
    State,
    Volume,
    VolumeId,
)
from staffeln_cli.model.naming import called
from staffeln_cli.planning.chains.summary import ChainSummary, summaries_of
from staffeln_cli.planning.protection import due, selection
from staffeln_cli.planning.protection.next_backup import (
    ChainLimits,
    next_backup,
    planned,
    refused,
)
from staffeln_cli.runtime import Run, Runtime, run_pass

COUNTS = ("servers", "volumes", "protected", "skipped", "planned", "gone")


def run(runtime: Runtime, *, dry_run: bool = False) -> Outcome:
    """One pass: look at the whole cloud, refresh the inventory, plan what is due."""
    return run_pass(runtime, "collect", _collect, counts=COUNTS, leader=True, dry_run=dry_run)


@dataclass(slots=True)
class _Sight:
    """What a pass knows before it looks at the volumes."""

    moment: datetime
    servers: dict[ServerId, Server]
    projects: dict[ProjectId, Project]
    chains: dict[tuple[ProjectId, VolumeId], ChainSummary]
    limits: ChainLimits
    unfinished: dict[VolumeId, State]
    missing: dict[VolumeId, datetime]
    rules: selection.Rules
    seen: set[VolumeId] = field(default_factory=set)
    temporary: set[VolumeId] = field(default_factory=set)
    """Listed, but made by Cinder for itself: neither judged nor absent."""


class _Seen(NamedTuple):
    """One volume: what it is, its inventory row, and what selection says."""

    volume: Volume
    row: InventoryVolume
    protection: Protection
    is_changed: bool
    """Whether the row is new or differs from the one of the last pass."""


def _collect(run: Run) -> None:
    with closing(run.cloud.listings.volumes()) as pages:
        sight, first = _look(run, pages)
        for page in chain([first], pages):
            run.runtime.stop.check()
            sight.temporary.update(one.id for one in page if selection.is_temporary(one))
            _take_in(run, sight, [one for one in page if one.id not in sight.temporary])
            run.runtime.progress("volumes", len(sight.seen), None)
    _close(run, sight)


def _look(run: Run, volumes: Iterator[list[Volume]]) -> tuple[_Sight, list[Volume]]:
    """Everything but the volumes, listed side by side; of them, the first page.

    With that, further ones are fetched ahead while the other listings come in.
    """
    listings, records = run.cloud.listings, run.store.records
    moment, rules = run.now(), selection_rules(run.settings)
    with ThreadPoolExecutor(3, thread_name_prefix="look") as pool:
        chains = pool.submit(lambda: summaries_of(listings.backups()))
        servers = pool.submit(lambda: _servers(listings.servers(), rules))
        projects = pool.submit(lambda: {one.id: one for one in listings.projects()})
        first = next(volumes, [])
        unfinished, missing = records.planned_or_unfinished(), records.newest_missing()
        sight = _Sight(
            moment=moment,
            servers=servers.result(),
            projects=projects.result(),
            chains=chains.result(),
            limits=chain_limits(run.settings.backup),
            unfinished=unfinished,
            missing=missing,
            rules=rules,
        )
    run.counts["servers"] = len(sight.servers)
    if not run.dry_run:
        run.store.inventory.save_projects(sight.projects.values(), moment)
    return sight, first


def _servers(pages: Iterable[list[Server]], rules: selection.Rules) -> dict[ServerId, Server]:
    servers = selection.asked_about(chain.from_iterable(pages), rules)
    return {one.id: one for one in servers}


def _take_in(run: Run, sight: _Sight, volumes: list[Volume]) -> None:
    """One page: refresh its inventory rows, plan what is due, cancel what is no longer wanted."""
    known = run.store.inventory.volumes([one.id for one in volumes])
    told = run.store.records.newest_successes([one.id for one in volumes if one.id not in known])
    page = [_judged(sight, one, known.get(one.id), told.get(one.id)) for one in volumes]
    sight.seen.update(one.id for one in volumes)
    run.counts["volumes"] += len(page)
    run.counts["protected"] += sum(one.protection.protected for one in page)
    run.counts["skipped"] += sum(is_skipped(one.protection, sight.rules) for one in page)
    records = [record for one in page if (record := _planned(run, sight, one)) is not None]
    unwanted = [
        one.volume.id
        for one in page
        if not one.protection.protected and sight.unfinished.get(one.volume.id) is State.PLANNED
    ]
    if run.dry_run:
        run.counts["planned"] += sum(one.state is State.PLANNED for one in records)
        return
    run.store.inventory.save([one.row for one in page if one.is_changed])
    inserted = run.store.lifecycle.plan(records)
    run.counts["planned"] += sum(
        one.state is State.PLANNED and one.id in inserted for one in records
    )
    run.store.lifecycle.cancel_planned(unwanted, "no longer protected", sight.moment)


def _judged(
    sight: _Sight, volume: Volume, known: InventoryVolume | None, succeeded_at: datetime | None
) -> _Seen:
    protection = selection.protection(volume, sight.servers, sight.projects, sight.rules, known)
    row = InventoryVolume.seen(
        volume, protection, sight.moment, known=known, succeeded_at=succeeded_at
    )
    return _Seen(volume, row, protection, is_changed=row != known)


def is_skipped(protection: Protection, rules: selection.Rules) -> bool:
    """Left out although its server is marked; what nobody marked is not counted."""
    return protection.skip_reason is not None and rules.skip_volume_key in protection.skip_reason


def _planned(run: Run, sight: _Sight, seen: _Seen) -> BackupRecord | None:
    """A record for a volume that is due; failed at once where its status forbids a backup."""
    volume, protection, now = seen.row, seen.protection, sight.moment
    is_unfinished = volume.volume_id in sight.unfinished
    if not protection.protected or protection.busy or is_unfinished:
        return None
    interval = run.settings.backup.min_interval
    if protection.problem is not None:
        if not due.is_problem_due(volume, now, interval):
            return None
        name = called(volume.volume_name, volume.server_name)
        run.fail("volume", volume.volume_id, protection.problem, name=name)
        return refused(volume, protection.problem, now, token=secrets.token_hex(8))
    if not due.is_due(volume, now, interval):
        return None
    backup = next_backup(
        sight.chains.get((volume.project_id, volume.volume_id)),
        sight.limits,
        now,
        volume_size_gib=volume.size_gib,
        newest_missing=sight.missing.get(volume.volume_id),
    )
    action, name = f"plan {backup.kind}", volume.volume_name
    run.decide(Decision(action, "volume", volume.volume_id, name, backup.reason))
    return planned(volume, backup, now, token=secrets.token_hex(8))


def _close(run: Run, sight: _Sight) -> None:
    """The listing was complete. What it lacks is gone if Cinder says so when asked by id."""
    if run.dry_run:
        return
    inventory = run.store.inventory
    gone: list[VolumeId] = []
    doubtful: list[InventoryVolume] = []
    unseen = [one for one in inventory.unseen(sight.seen) if one.volume_id not in sight.temporary]
    for known, is_there in run.parallel(lambda one: _is_there(run, one), unseen):
        if is_there is None:
            doubtful.append(known)
        elif not is_there:
            gone.append(known.volume_id)
    run.runtime.stop.check()
    inventory.close_listing(gone, doubtful, sight.moment)
    run.counts["gone"] = len(gone)
    run.store.lifecycle.cancel_planned(gone, "the volume is gone", sight.moment)


def _is_there(run: Run, known: InventoryVolume) -> bool | None:
    """Whether Cinder has a volume that the listing lacks; None, and a failure, when in doubt."""
    try:
        return run.cloud.lookups.volume(known.volume_id) is not None
    except CloudUnavailable as error:
        reason = f"the listing of volumes lacks it, and looking it up failed: {error}"
        name = called(known.volume_name, known.server_name)
        run.fail("volume", known.volume_id, reason, name=name)
        return None
