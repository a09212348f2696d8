"""Refresh the inventory of volumes, and plan a backup for each protected one that is due."""

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
    SkipCause,
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
    """One pass: list the whole cloud, refresh the inventory, plan what is due."""
    return run_pass(runtime, "collect", _collect, counts=COUNTS, leader=True, dry_run=dry_run)


@dataclass(slots=True)
class _CloudView:
    """What a pass knows before it judges the volumes, and which volumes it has seen."""

    now: datetime
    servers: dict[ServerId, Server]
    projects: dict[ProjectId, Project]
    chains: dict[tuple[ProjectId, VolumeId], ChainSummary]
    limits: ChainLimits
    unfinished: dict[VolumeId, State]
    missing: dict[VolumeId, datetime]
    rules: selection.Rules
    seen: set[VolumeId] = field(default_factory=set)
    temporary: set[VolumeId] = field(default_factory=set)
    """Listed, but created by Cinder for its own use: neither judged nor absent."""


class _Judged(NamedTuple):
    """The inventory row of a listed volume, and what selection concludes about it."""

    row: InventoryVolume
    protection: Protection
    is_changed: bool
    """Whether the row is new or differs from the one of the last pass."""


def _collect(run: Run) -> None:
    with closing(run.cloud.listings.volumes()) as pages:
        view, first = _begin(run, pages)
        for page in chain([first], pages):
            run.runtime.stop.check()
            temporary = {volume.id for volume in page if selection.is_temporary(volume)}
            view.temporary |= temporary
            _take_in(run, view, [volume for volume in page if volume.id not in temporary])
            run.runtime.progress("volumes", len(view.seen), None)
    _end(run, view)


def _begin(run: Run, volumes: Iterator[list[Volume]]) -> tuple[_CloudView, list[Volume]]:
    """List all but the volumes, at the same time, and return the first page of the volumes.

    Asking for that page starts to fetch the next ones while the other listings come in.
    """
    listings, records = run.cloud.listings, run.store.records
    now, rules = run.now(), selection_rules(run.settings)
    with ThreadPoolExecutor(3, thread_name_prefix="listing") as pool:
        chains = pool.submit(lambda: summaries_of(listings.backups()))
        servers = pool.submit(lambda: _servers(listings.servers(), rules))
        projects = pool.submit(lambda: {project.id: project for project in listings.projects()})
        first = next(volumes, [])
        unfinished, missing = records.planned_or_unfinished(), records.newest_missing()
        view = _CloudView(
            now=now,
            servers=servers.result(),
            projects=projects.result(),
            chains=chains.result(),
            limits=chain_limits(run.settings.backup),
            unfinished=unfinished,
            missing=missing,
            rules=rules,
        )
    run.counts["servers"] = len(view.servers)
    if not run.dry_run:
        run.store.inventory.save_projects(view.projects.values(), now)
    return view, first


def _servers(pages: Iterable[list[Server]], rules: selection.Rules) -> dict[ServerId, Server]:
    servers = selection.narrowed(chain.from_iterable(pages), rules)
    return {server.id: server for server in servers}


def _take_in(run: Run, view: _CloudView, volumes: list[Volume]) -> None:
    """Judge one page: refresh its inventory rows, plan what is due, cancel unprotected plans."""
    known = run.store.inventory.volumes([volume.id for volume in volumes])
    new = [volume.id for volume in volumes if volume.id not in known]
    successes = run.store.records.newest_successes(new)
    page = [_judged(view, one, known.get(one.id), successes.get(one.id)) for one in volumes]
    view.seen.update(volume.id for volume in volumes)
    run.counts["volumes"] += len(page)
    run.counts["protected"] += sum(judged.protection.protected for judged in page)
    run.counts["skipped"] += sum(one.protection.skip_cause is SkipCause.REQUEST for one in page)
    records = [record for one in page if (record := _planned(run, view, one)) is not None]
    unprotected = [judged.row.volume_id for judged in page if not judged.protection.protected]
    if run.dry_run:
        run.counts["planned"] += sum(record.state is State.PLANNED for record in records)
        return
    run.store.inventory.save([judged.row for judged in page if judged.is_changed])
    inserted = run.store.lifecycle.plan(records)
    run.counts["planned"] += sum(
        record.state is State.PLANNED and record.id in inserted for record in records
    )
    planned_before = [one for one in unprotected if view.unfinished.get(one) is State.PLANNED]
    run.store.lifecycle.cancel_planned(planned_before, "no longer protected", view.now)


def _judged(
    view: _CloudView, volume: Volume, known: InventoryVolume | None, succeeded_at: datetime | None
) -> _Judged:
    protection = selection.protection(volume, view.servers, view.projects, view.rules, known)
    row = InventoryVolume.seen(
        volume, protection, view.now, known=known, succeeded_at=succeeded_at
    )
    return _Judged(row, protection, is_changed=row != known)


def _planned(run: Run, view: _CloudView, judged: _Judged) -> BackupRecord | None:
    """A record for a volume that is due; failed at once if its status allows no backup."""
    volume, protection, now = judged.row, judged.protection, view.now
    is_unfinished = volume.volume_id in view.unfinished
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
        view.chains.get((volume.project_id, volume.volume_id)),
        view.limits,
        now,
        volume_size_gib=volume.size_gib,
        newest_missing=view.missing.get(volume.volume_id),
    )
    action, name = f"plan {backup.kind}", volume.volume_name
    run.decide(Decision(action, "volume", volume.volume_id, name, backup.reason))
    return planned(volume, backup, now, token=secrets.token_hex(8))


def _end(run: Run, view: _CloudView) -> None:
    """The listing was complete. What it lacks is gone if Cinder says so when asked by id."""
    if run.dry_run:
        return
    inventory = run.store.inventory
    gone: list[VolumeId] = []
    unknown: list[InventoryVolume] = []
    unseen = inventory.unseen(view.seen)
    absent = [volume for volume in unseen if volume.volume_id not in view.temporary]
    for volume, is_there in run.parallel(lambda volume: _is_there(run, volume), absent):
        if is_there is None:
            unknown.append(volume)
        elif not is_there:
            gone.append(volume.volume_id)
    run.runtime.stop.check()
    inventory.close_listing(gone, unknown, view.now)
    run.counts["gone"] = len(gone)
    run.store.lifecycle.cancel_planned(gone, "the volume is gone", view.now)


def _is_there(run: Run, volume: InventoryVolume) -> bool | None:
    """Whether Cinder has a volume that the listing lacks; None, and a failure, if unknown."""
    try:
        return run.cloud.lookups.volume(volume.volume_id) is not None
    except CloudUnavailable as error:
        reason = f"the listing of volumes lacks it, and looking it up failed: {error}"
        name = called(volume.volume_name, volume.server_name)
        run.fail("volume", volume.volume_id, reason, name=name)
        return None
