"""Carry out what retention decided: newest first in each chain, one wave after the other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from staffeln_cli.commands.waves import Plan, carry_out
from staffeln_cli.config.settings import RetentionSettings
from staffeln_cli.errors import BrakeApplied, ClockWrong
from staffeln_cli.model import (
    Backup,
    BackupId,
    BackupRecord,
    Decision,
    InventoryVolume,
    Outcome,
    ProjectId,
    State,
    VolumeId,
)
from staffeln_cli.planning.policy import in_force
from staffeln_cli.planning.promises import read, written
from staffeln_cli.planning.retention import Member, Promise, Verdict, brake, judge, waves
from staffeln_cli.render.decisions import Decisions
from staffeln_cli.runtime import Run, Runtime, cycle

COUNTS = ("kept", "expired", "deleting", "deleted", "blocked")
CLOCK_TOLERANCE = timedelta(minutes=5)
_VOLUMES_AT_ONCE = 500


def run(runtime: Runtime, *, dry_run: bool = False, confirmed: bool = False) -> Outcome:
    """One pass: judge every backup, then remove what may go. `confirmed` releases the brake."""
    return cycle(
        runtime,
        "retain",
        lambda run: _retain(run, confirmed=confirmed),
        counts=COUNTS,
        leader=True,
        dry_run=dry_run,
    )


@dataclass(slots=True)
class _Removals:
    """What is to go, and out of how many."""

    available: int = 0
    number: int = 0
    plans: list[Plan] = field(default_factory=list)
    promises: dict[VolumeId, str | None] = field(default_factory=dict)
    """What holds now and differs from what held in the last pass."""


def _retain(run: Run, *, confirmed: bool) -> None:
    run.cloud.login()
    _check_clock(run)
    removals = _judged(run)
    why = brake(removals.number, removals.available, run.settings.retention.brake)
    if why is not None and not confirmed:
        reason = f"{why}; look at it with --dry-run, then go on with --confirm"
        if not run.dry_run:
            raise BrakeApplied(reason)
        run.fail("pass", run.command, reason)
    if run.dry_run:
        run.decisions = Decisions(sorted(run.decisions, key=_order))
        return
    _check_clock(run)
    run.store.inventory.note_promises(removals.promises)
    carry_out(run, removals.plans)
    _forget(run)


def _check_clock(run: Run) -> None:
    skew = run.cloud.clock_skew(run.now())
    if skew is not None and abs(skew) > CLOCK_TOLERANCE:
        direction = "ahead of" if skew > timedelta() else "behind"
        raise ClockWrong(
            f"this host's clock is {timedelta(seconds=round(abs(skew).total_seconds()))}"
            f" {direction} the cloud's; nothing is deleted until they agree within"
            f" {CLOCK_TOLERANCE}; check NTP on both"
        )


def _judged(run: Run) -> _Removals:
    """Judge volume by volume while the listing streams in; only what is to go is kept in mind."""
    removals = _Removals()
    done = 0
    for group in _several(_volumes(run.cloud.listings.backups_by_volume())):
        run.runtime.stop.check()
        volume_ids = list({volume_id for _, volume_id in group})
        records = {
            one.backup_id: one
            for one in run.store.backups.of_volumes(volume_ids)
            if one.backup_id is not None
        }
        inventory = run.store.inventory.volumes(volume_ids)
        for (_, volume_id), backups in group.items():
            _judge_volume(run, backups, records, inventory.get(volume_id), removals)
            done += len(backups)
        run.runtime.progress("backups judged", done, None)
    return removals


_Key = tuple[ProjectId, VolumeId]


def _volumes(pages: Iterable[list[Backup]]) -> Iterator[tuple[VolumeId, list[Backup]]]:
    rows = (backup for page in pages for backup in page)
    for volume_id, backups in groupby(rows, key=lambda one: one.volume_id):
        yield volume_id, list(backups)


def _several(
    volumes: Iterable[tuple[VolumeId, list[Backup]]],
) -> Iterator[dict[_Key, list[Backup]]]:
    """Some hundreds of volumes at a time; a volume that was handed over may be two projects'."""
    group: dict[_Key, list[Backup]] = {}
    for volume_id, backups in volumes:
        for backup in backups:
            group.setdefault((backup.project_id, volume_id), []).append(backup)
        if len(group) >= _VOLUMES_AT_ONCE:
            yield group
            group = {}
    if group:
        yield group


def _judge_volume(
    run: Run,
    backups: list[Backup],
    records: Mapping[BackupId, BackupRecord],
    known: InventoryVolume | None,
    removals: _Removals,
) -> None:
    members = [Member(one, records.get(one.id)) for one in backups]
    ours = [one for one in members if one.record and one.record.state is State.AVAILABLE]
    removals.available += len(ours)
    if not ours:
        return
    promise = promise_for(run.settings.retention, known)
    verdicts = judge(members, promise, run.now())
    going = [one for one in verdicts if not one.keep]
    run.counts["kept"] += len(ours) - len(going)
    run.counts["expired"] += len(going)
    removals.number += len(going)
    if known is not None and written(promise) != known.retained_as:
        removals.promises[known.volume_id] = written(promise)
    if run.dry_run:
        before = _before(members, known, promise, run.now()) if going else {}
        run.decisions.add(
            _decision(one, before) for one in verdicts if one.member.record is not None
        )
    if going:
        doubts = frozenset(one.member.backup.id for one in going if one.confirm)
        reasons = {one.member.backup.id: one.reason for one in going}
        order = waves(verdicts)
        if any(one.backup.status == "deleting" for one in members):
            del order[1:]  # what it may stand on waits for another pass, should it be stuck
        removals.plans.append(Plan(order, doubts, reasons))


def promise_for(settings: RetentionSettings, known: InventoryVolume | None) -> Promise:
    """What holds for a volume; one that the inventory does not know keeps everything."""
    if known is None:
        return Promise(policy=None, volume_exists=True, keep_last=settings.keep_last)
    return Promise(
        policy=in_force(known.retention, settings.policies, settings.time),
        volume_exists=known.gone_at is None,
        keep_last=settings.keep_last,
    )


def _before(
    members: list[Member], known: InventoryVolume | None, promise: Promise, now: datetime
) -> dict[BackupId, str]:
    """What would stay, had nothing changed since the last pass, and what held then."""
    if known is None or known.retained_as is None or known.retained_as == written(promise):
        return {}
    stayed = judge(members, read(known.retained_as), now)
    return {one.member.backup.id: known.retained_as for one in stayed if one.keep}


def _decision(verdict: Verdict, before: Mapping[BackupId, str]) -> Decision:
    backup = verdict.member.backup
    reason = verdict.reason
    if verdict.keep and verdict.earliest is not None:
        until = f"{verdict.earliest:%Y-%m-%d %H:%M} UTC"
        reason = reason if until in reason else f"{reason}; may go from {until}"
    if not verdict.keep and backup.id in before:
        reason = f"CHANGED since the last pass (it was: {before[backup.id]}): {reason}"
    return Decision("keep" if verdict.keep else "remove", "backup", backup.id, backup.name, reason)


def _order(decision: Decision) -> int:
    """What goes because something changed comes first, then what goes anyway."""
    if decision.action == "keep":
        return 2
    return 0 if decision.reason.startswith("CHANGED") else 1


def _forget(run: Run) -> None:
    """Rows that are history by now."""
    before = run.settings.retention.history.before(run.now())
    run.store.backups.forget(before)
    run.store.runs.forget(before)
