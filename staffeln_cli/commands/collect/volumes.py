"""Take in volumes: refresh their inventory rows, plan what is due, end what is not protected."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from staffeln_cli.commands.collect.cloud_view import CloudView
from staffeln_cli.commands.collect.transfers import note_transfers, with_confirmed_owners
from staffeln_cli.model import (
    BackupRecord,
    Decision,
    InventoryVolume,
    Protection,
    SkipCause,
    State,
    Volume,
    VolumeId,
)
from staffeln_cli.model.naming import called
from staffeln_cli.operations.absence import fail_mass
from staffeln_cli.planning.protection import due, selection
from staffeln_cli.planning.protection.full_or_incremental import (
    NextBackup,
    next_backup,
    planned,
    refused,
    without_waiting,
)
from staffeln_cli.planning.retention.shortening import noted
from staffeln_cli.runtime import Run

_AT_ONCE = 1000
"""Rows that are read at a time."""
_ENOUGH = 8000
"""Rows and records that are written at a time, in two transactions of a fifth of a second."""


class _Seen(NamedTuple):
    """One volume: its inventory row, and what selection says."""

    volume: Volume
    row: InventoryVolume
    protection: Protection
    known: InventoryVolume | None
    """The row of the last pass."""

    @property
    def is_ending(self) -> bool:
        """Whether the volume loses its protection."""
        return not self.protection.protected and self.known is not None and self.known.protected


def take_in(run: Run, view: CloudView, volumes: Sequence[Volume]) -> None:
    """Take in some volumes; those that lose their protection wait for `end_protection`."""
    known = run.store.inventory.volumes([one.id for one in volumes])
    view.note_seen(one.id for one in volumes)
    volumes = with_confirmed_owners(run, volumes, known)
    known = note_transfers(run, view, volumes, known)
    new = [one.id for one in volumes if one.id not in known]
    successes = run.store.records.newest_restorable(new)
    page = [
        _judged(view, one, known.get(one.id), successes.get((one.project_id, one.id)))
        for one in volumes
    ]
    _note(view, page)
    run.counts["volumes"] += len(page)
    run.counts["protected"] += sum(one.protection.protected for one in page)
    run.counts["skipped"] += sum(one.protection.skip_cause is SkipCause.REQUEST for one in page)
    staying = [one for one in page if not one.is_ending]
    view.rows += [one.row for one in staying if one.row != one.known]
    _plan(run, view, ((one.row, one.protection) for one in staying))
    _change_plans(run, view, [one.row for one in staying if one.protection.protected])
    _cancel(run, view, [one.volume.id for one in staying if not one.protection.protected])
    _cancel_paused(run, view, [one.volume.id for one in staying if view.pauses.of(one.row)])
    if len(view.rows) + len(view.records) >= _ENOUGH:
        write_down(run, view)


def write_down(run: Run, view: CloudView) -> None:
    """Write the rows and records that wait for it.

    Those of several pages go together, in the order of the volumes' ids. Ids are random: row by
    row in the order of a listing, a database writes some page of its indexes anew at each.
    """
    records = sorted(view.records, key=lambda record: record.volume_id)
    inserted = {one.id for one in records}
    if not run.dry_run:
        run.store.inventory.save(sorted(view.rows, key=lambda row: row.volume_id))
        inserted = run.store.lifecycle.plan(records)
    run.counts["planned"] += sum(
        one.state is State.PLANNED and one.id in inserted for one in records
    )
    view.rows, view.records = [], []


def end_protection(run: Run, view: CloudView) -> None:
    """End the protection of the volumes that lose it, unless they are suspiciously many."""
    if view.is_ending_mass:
        number = len(view.ending_ids)
        fail_mass(run, f"{number:,} of {view.protected:,} protected volumes would lose protection")
        run.counts["protected"] += number
        _plan_as_before(run, view, view.ending_ids)
        return
    for row in view.ending:
        run.decide(
            Decision(
                "end protection",
                "volume",
                row.volume_id,
                row.volume_name,
                row.skip_reason or "not protected",
            )
        )
    if not run.dry_run:
        run.store.inventory.save(view.ending)
    _cancel(run, view, view.ending_ids)


def _judged(
    view: CloudView, volume: Volume, known: InventoryVolume | None, succeeded_at: datetime | None
) -> _Seen:
    protection = selection.protection(volume, view.servers, view.projects, view.rules, known)
    row = InventoryVolume.seen(
        volume, protection, view.now, known=known, succeeded_at=succeeded_at
    )
    return _Seen(volume, noted(row, known, view.grace, view.now), protection, known)


def _note(view: CloudView, page: Sequence[_Seen]) -> None:
    """What the end of the pass judges the listings by."""
    view.server_owners.update(one.volume.project_id for one in page if one.volume.server_ids)
    view.note_ending([one.row for one in page if one.is_ending])
    for one in page:
        if one.protection.protected and one.known is not None:
            view.unknown_servers.update(
                server for server in one.volume.server_ids if server not in view.servers
            )


def _plan_as_before(run: Run, view: CloudView, volume_ids: Sequence[VolumeId]) -> None:
    """Plan what is due by the protection of the last pass, which still holds."""
    protected = Protection(protected=True)
    for start in range(0, len(volume_ids), _AT_ONCE):
        rows = run.store.inventory.volumes(volume_ids[start : start + _AT_ONCE])
        _plan(run, view, ((row, protected) for row in rows.values()))


def _plan(
    run: Run, view: CloudView, volumes: Iterable[tuple[InventoryVolume, Protection]]
) -> None:
    planning = (_planned(run, view, row, protection) for row, protection in volumes)
    view.records += [record for record in planning if record is not None]


def _cancel(run: Run, view: CloudView, volume_ids: Sequence[VolumeId]) -> None:
    """Cancel what is planned for volumes that are not protected any more."""
    planned_for = [one for one in volume_ids if view.seen.get(one) is State.PLANNED]
    if not run.dry_run:
        run.store.lifecycle.cancel_planned(planned_for, "no longer protected", view.now)


def _cancel_paused(run: Run, view: CloudView, volume_ids: Sequence[VolumeId]) -> None:
    """Cancel what the schedule has planned for paused volumes; ad-hoc backups go on."""
    planned_for = [one for one in volume_ids if view.seen.get(one) is State.PLANNED]
    if planned_for and not run.dry_run:
        run.store.lifecycle.cancel_planned(planned_for, "paused", view.now, only_scheduled=True)


def _planned(
    run: Run, view: CloudView, volume: InventoryVolume, protection: Protection
) -> BackupRecord | None:
    """A record for a volume that is due; failed at once where its status forbids a backup."""
    now = view.now
    is_unfinished = view.seen.get(volume.volume_id) is not None
    if not protection.protected or protection.busy or is_unfinished or view.pauses.of(volume):
        return None
    interval = view.schedule.min_interval
    if protection.problem is not None:
        if not due.is_problem_due(volume, now, interval):
            return None
        name = called(volume.volume_name, volume.server_name)
        run.fail("volume", volume.volume_id, protection.problem, name=name)
        return refused(volume, protection.problem, now, token=next(view.tokens))
    if not due.is_due(volume, now, interval, by=view.plan_until):
        return None
    backup = _next(view, volume)
    if backup.waits and due.is_overdue(volume, now, view.schedule):
        backup = without_waiting(backup)
    if backup.waits:
        run.decide(Decision("wait", "volume", volume.volume_id, volume.volume_name, backup.reason))
        return None
    action, name = f"plan {backup.kind}", volume.volume_name
    run.decide(Decision(action, "volume", volume.volume_id, name, backup.reason))
    return planned(volume, backup, now, token=next(view.tokens))


def _change_plans(run: Run, view: CloudView, volumes: Iterable[InventoryVolume]) -> None:
    """Change the kind of what waits for the window, where its chain is another one by now."""
    for volume in volumes if view.plans else ():
        plan = view.plans.get(volume.volume_id)
        if plan is None or view.pauses.of(volume):
            continue
        backup = _next(view, volume)
        if backup.waits or (backup.kind, backup.chain_id) == (plan.kind, plan.chain_id):
            continue
        action, name = f"plan {backup.kind}", volume.volume_name
        run.decide(Decision(action, "volume", volume.volume_id, name, backup.reason))
        if not run.dry_run:
            run.store.notes.change_plan(plan.id, backup.kind, backup.chain_id)


def _next(view: CloudView, volume: InventoryVolume) -> NextBackup:
    return next_backup(
        view.chains.get((volume.project_id, volume.volume_id)),
        view.limits,
        view.now,
        volume_size_gib=volume.size_gib,
        newest_unrestorable=view.unrestorable.get(volume.volume_id),
        proof_failed_at=volume.proof_failed_at,
    )
