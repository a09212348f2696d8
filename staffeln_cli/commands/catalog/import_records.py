"""Have Cinder know the backups again whose rows it has lost."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from staffeln_cli.cloud import BackupService, decoded_row, encoded_row
from staffeln_cli.commands.catalog.check import of_volumes
from staffeln_cli.commands.catalog.file import Reader
from staffeln_cli.commands.catalog.key import key_of
from staffeln_cli.commands.catalog.projects import Projects
from staffeln_cli.commands.catalog.state import load
from staffeln_cli.errors import (
    CloudUnavailable,
    HostsNotSwitched,
    ProjectUnavailable,
    Refused,
    ResultUnknown,
)
from staffeln_cli.model import (
    Backup,
    BackupId,
    Decision,
    ExportRecord,
    Outcome,
    ProjectId,
    State,
)
from staffeln_cli.operations import backup_hosts
from staffeln_cli.runtime import Run, Runtime, run_pass

COUNTS = ("imported", "present", "blocked", "failed")
_PATIENCE = 120.0
"""Seconds that Cinder's backup hosts have for the last records."""
_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class _Lost:
    """A backup that Cinder does not know any more, as its export record has it."""

    id: BackupId
    project_id: ProjectId
    zone: str
    parent_id: BackupId | None
    record: ExportRecord
    size_gib: int
    key_id: str | None
    """Barbican's key of an encrypted volume."""


@dataclass(slots=True)
class _Found:
    """What a file has, compared with Cinder."""

    zones: set[str] = field(default_factory=set)
    there: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    imported: set[BackupId] = field(default_factory=set)
    is_proven: bool = False
    """Whether the file has been read to its end: from then on it may be believed."""


def run(
    runtime: Runtime, file: Path, *, project: str | None, dry_run: bool, state: bool
) -> Outcome:
    """Import what Cinder lacks; `state` fills an empty database of ours from the file first.

    What is there is left alone, so that it can be repeated until nothing is left to do.
    """
    reader = Reader(file, key_of(runtime.settings.catalog))
    if state and not dry_run:
        load(runtime, reader)
    return run_pass(
        runtime,
        backup_hosts.LOCK,
        lambda run: _import(run, file, project),
        counts=COUNTS,
        leader=True,
        dry_run=dry_run,
    )


def _import(run: Run, file: Path, project: str | None) -> None:
    run.shows_decisions = True
    if not run.dry_run:
        backup_hosts.enable_all(run)
    projects = Projects(run, project)
    found = _Found()
    found.there = {one.id for page in run.cloud.listings.backups() for one in page}
    run.runtime.stop.check()
    for chain in _lost(run, file, found, projects):  # to the end: only then the file is proven
        found.zones.update(one.zone for one in chain)
        found.lost.update(one.id for one in chain)
        projects.need(chain)
    found.is_proven = True
    projects.show_needs()
    services = run.cloud.lookups.all_backup_services()  # any may be given a record
    for zone in sorted(found.zones):
        _import_zone(run, file, found, projects, (zone, services))
    if not run.dry_run:
        _follow(run, found)
    projects.show_ends()


def _lost(run: Run, file: Path, found: _Found, projects: Projects) -> Iterator[list[_Lost]]:
    """The lost backups of one volume after the other, parents first."""
    reader = Reader(file, key_of(run.settings.catalog))
    for _, rows in of_volumes(reader.rows()):
        run.runtime.stop.check()
        chosen = [row for row in rows if projects.has(row["project_id"])]
        if not found.is_proven:
            run.counts["present"] += sum(row["backup_id"] in found.there for row in chosen)
        absent = [row for row in chosen if row["backup_id"] not in found.there]
        ended = _ended(run, [BackupId(row["backup_id"]) for row in absent])
        lost = {row["backup_id"]: row for row in absent if row["backup_id"] not in ended}
        if lost:
            children = Counter(row["parent_id"] for row in chosen if row["backup_id"] not in ended)
            yield [_lost_backup(row, children[row["backup_id"]]) for row in _parents_first(lost)]


def _ended(run: Run, ids: list[BackupId]) -> set[str]:
    """What our own records say was deleted, or is about to be: it is not to come back."""
    over = {State.DELETING, State.DELETED}
    return {
        str(record.backup_id)
        for record in run.store.records.by_backup_ids(ids)
        if record.state in over
    }


def _parents_first(rows: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    ordered: dict[str, dict[str, Any]] = {}
    for row in rows.values():
        above = [row]
        while (parent := above[-1].get("parent_id")) in rows and parent not in ordered:
            above.append(rows[parent])
            if len(above) > len(rows):
                break  # a circle, which no Cinder makes
        ordered |= {one["backup_id"]: one for one in reversed(above)}
    return list(ordered.values())


def _lost_backup(row: dict[str, Any], children: int) -> _Lost:
    """A record is often older than the incrementals on its backup: those are counted anew."""
    cinder = decoded_row(row["backup_url"]) | {"num_dependent_backups": children}
    parent = row.get("parent_id")
    return _Lost(
        BackupId(row["backup_id"]),
        ProjectId(row["project_id"]),
        str(cinder.get("availability_zone") or ""),
        BackupId(parent) if parent else None,
        ExportRecord(row["backup_service"], encoded_row(cinder), parent),
        int(cinder.get("size") or 0),
        cinder.get("encryption_key_id"),
    )


def _import_zone(
    run: Run,
    file: Path,
    found: _Found,
    projects: Projects,
    where: tuple[str, list[BackupService]],
) -> None:
    """Import the records of one zone while no host of another zone gets work."""
    zone, services = where
    usable = [service for service in services if service.is_up and service.is_enabled]
    others = [one.host for one in usable if zone and one.zone != zone]
    has_host = any(one.host not in others for one in usable)
    chains = (
        [one for one in chain if one.zone == zone] for chain in _lost(run, file, found, projects)
    )
    if run.dry_run or not has_host:
        for one in (one for chain in chains for one in chain):
            _foresee(run, one, projects, has_host=has_host)
        return
    try:
        with backup_hosts.disabled(run, others):
            for _, results in run.parallel(
                lambda chain: _import_chain(run, chain, projects, found), chains
            ):
                found.imported |= results
                run.runtime.progress("backups imported", len(found.imported), None)
            run.runtime.stop.check()
    except HostsNotSwitched as error:
        run.count("blocked", sum(map(len, chains)))
        run.fail("zone", zone, f"{error}; {_STOP_OTHERS.format(hosts=', '.join(others))}")


_STOP_OTHERS = (
    "its records are imported while no backup host of another zone runs: stop cinder-backup on"
    " {hosts}, wait until `openstack volume service list` says down, repeat the command, and start"
    " it again"
)


def _foresee(run: Run, lost: _Lost, projects: Projects, *, has_host: bool) -> None:
    if not has_host:
        run.count("failed")
        run.fail("backup", lost.id, f"no backup host of zone {lost.zone} is up and enabled")
    elif not projects.may_import(lost.project_id):
        run.count("blocked")
    else:
        run.count("imported")
        run.decide(Decision("import", "backup", lost.id, "", "Cinder does not know it any more"))


def _import_chain(
    run: Run, chain: list[_Lost], projects: Projects, found: _Found
) -> set[BackupId]:
    """Parents first; after one that fails, the others of its chain wait for the next time."""
    results: set[BackupId] = set()
    failed: set[BackupId] = set()
    for lost in chain:
        if run.runtime.stop.is_requested:
            break
        if not projects.may_import(lost.project_id):
            run.count("blocked")
            continue
        why = _no_parent(lost, found, failed) or _refusal(run, lost)
        if why is None:
            results.add(lost.id)
        else:
            failed.add(lost.id)
            run.count("failed")
            run.fail("backup", lost.id, why)
    return results


def _no_parent(lost: _Lost, found: _Found, failed: set[BackupId]) -> str | None:
    """Why a backup is not imported before its parent; one of another zone may come later."""
    parent = lost.parent_id
    if parent is None or parent in found.there or (parent in found.lost and parent not in failed):
        return None
    return f"backup {parent}, which it depends on, is not there"


def _refusal(run: Run, lost: _Lost) -> str | None:
    try:
        run.cloud.catalog.import_record(lost.record, lost.project_id)
    except (Refused, CloudUnavailable, ProjectUnavailable, ResultUnknown) as error:
        return f"could not be imported: {error}"
    return None


def _follow(run: Run, found: _Found) -> None:
    """See what became of the imported backups; ours return to `available`."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and not run.runtime.stop.is_requested:
        creating = {one.id for one in run.cloud.listings.backups_with_status("creating")}
        if not creating & found.imported:
            break
        run.runtime.stop.sleep(_PAUSE)
    backups = {
        one.id: one
        for page in run.cloud.listings.backups()
        for one in page
        if one.id in found.imported
    }
    for backup_id in found.imported:
        _note(run, backup_id, backups.get(backup_id))
    records = run.store.records.by_backup_ids(found.imported)
    for record in records:
        backup = backups.get(BackupId(record.backup_id or ""))
        if backup is not None and record.state is State.MISSING and backup.status == "available":
            run.store.lifecycle.seen_again(record, backup, run.now())


def _note(run: Run, backup_id: BackupId, backup: Backup | None) -> None:
    if backup is not None and backup.status in {"available", "restoring"}:
        run.count("imported")
        return
    run.count("failed")
    status = backup.status if backup is not None else "gone"
    why = (backup.fail_reason if backup is not None else None) or "no reason given"
    run.fail("backup", backup_id, f"after its import Cinder says {status}: {why}")
