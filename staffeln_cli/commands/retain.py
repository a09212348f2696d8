"""Carry out what retention decided: newest first in each chain, one wave after the other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from staffeln_cli.config.rules import retention_terms
from staffeln_cli.config.settings import RetentionSettings
from staffeln_cli.errors import BrakeApplied, ClockWrong
from staffeln_cli.model import (
    Backup,
    BackupId,
    Decision,
    InventoryVolume,
    Outcome,
    ProjectId,
    VolumeId,
)
from staffeln_cli.operations.deletion_waves import Plan, carry_out
from staffeln_cli.planning.chains.broken import orphaned_incrementals
from staffeln_cli.planning.retention.keep_rules import stamp
from staffeln_cli.planning.retention.recorded_terms import read, written
from staffeln_cli.planning.retention.verdicts import (
    Member,
    RetentionTerms,
    Verdict,
    brake,
    judge,
    waves,
)
from staffeln_cli.runtime import Run, Runtime, run_pass
from staffeln_cli.runtime.decisions import Decisions

COUNTS = ("kept", "expired", "deleting", "deleted", "blocked")
CLOCK_TOLERANCE = timedelta(minutes=5)
_VOLUMES_AT_ONCE = 100
"""About a page of backups: while more were judged at once, too few pages would be fetched."""


def run(runtime: Runtime, *, dry_run: bool = False, confirmed: bool = False) -> Outcome:
    """One pass: judge every backup, then remove what may go. `confirmed` releases the brake."""
    return run_pass(
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
    decisions: dict[str, Decisions] = field(
        default_factory=lambda: {word: Decisions() for word in ("changed", "remove", "keep")}
    )
    """What a dry run tells; first what goes because something changed, then what goes anyway."""


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
        for decisions in removals.decisions.values():
            run.decisions.join(decisions)
        return
    _check_clock(run)
    run.store.inventory.note_retention_terms(removals.promises)
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
    promises = _Promises(run.settings.retention)
    done = 0
    for group in _several(run.cloud.listings.backups_by_volume()):
        run.runtime.stop.check()
        volume_ids = list({volume_id for _, volume_id in group})
        records = run.store.backups.briefs(volume_ids)
        inventory = run.store.inventory.volumes(volume_ids)
        useless = orphaned_incrementals(
            records, {one.id for backups in group.values() for one in backups}
        )
        for (_, volume_id), backups in group.items():
            members = [Member(one, records.get(one.id), one.id in useless) for one in backups]
            _judge_volume(run, members, promises.of(inventory.get(volume_id)), removals)
            done += len(backups)
        run.runtime.progress("backups judged", done, None)
    return removals


_Group = dict[tuple[ProjectId, VolumeId], list[Backup]]
"""The backups of some volumes; a volume that was handed over may be two projects'."""


def _several(pages: Iterable[list[Backup]]) -> Iterator[_Group]:
    """Some volumes at a time, each whole, of a listing that has them in order."""
    group: _Group = {}
    last: VolumeId | None = None
    for page in pages:
        for backup in page:
            volume_id = backup.volume_id
            if volume_id != last:
                if len(group) >= _VOLUMES_AT_ONCE:
                    yield group
                    group = {}
                last = volume_id
            group.setdefault((backup.project_id, volume_id), []).append(backup)
    if group:
        yield group


@dataclass(frozen=True, slots=True)
class _Held:
    """What holds for a volume, and what held in the last pass."""

    volume_id: VolumeId | None
    promise: RetentionTerms
    as_text: str | None
    before: str | None


class _Promises:
    """What holds for each volume; many ask for the same, so that it is worked out once."""

    def __init__(self, settings: RetentionSettings) -> None:
        self._settings = settings
        self._known: dict[tuple[str | None, bool], tuple[RetentionTerms, str | None]] = {}

    def of(self, known: InventoryVolume | None) -> _Held:
        if known is None:
            return _Held(None, retention_terms(self._settings, None), None, None)
        wish = (known.retention, known.gone_at is None)
        if wish not in self._known:
            promise = retention_terms(self._settings, known)
            self._known[wish] = promise, written(promise)
        return _Held(known.volume_id, *self._known[wish], known.retained_as)


def _judge_volume(run: Run, members: list[Member], held: _Held, removals: _Removals) -> None:
    ours = sum([one.is_ours for one in members])
    removals.available += ours
    if not ours:
        return
    now = run.now()
    verdicts = judge(members, held.promise, now)
    going = [one for one in verdicts if not one.keep]
    run.counts["kept"] += ours - len(going)
    run.counts["expired"] += len(going)
    removals.number += len(going)
    if held.volume_id is not None and held.as_text != held.before:
        removals.promises[held.volume_id] = held.as_text
    if run.dry_run:
        before = _before(members, held, now) if going else {}
        _tell(verdicts, before, removals.decisions)
    elif going:
        removals.plans.append(_plan(verdicts, going))


def _plan(verdicts: list[Verdict], going: list[Verdict]) -> Plan:
    doubts = frozenset(one.member.backup.id for one in going if one.confirm)
    reasons = {one.member.backup.id: one.reason for one in going}
    order = [[member.backup for member in wave] for wave in waves(verdicts)]
    if any(one.member.backup.status == "deleting" for one in verdicts):
        del order[1:]  # what it may stand on waits for another pass, should it be stuck
    return Plan(order, doubts, reasons)


def _before(members: list[Member], held: _Held, now: datetime) -> dict[BackupId, str]:
    """What would stay, had nothing changed since the last pass, and what held then."""
    if held.before is None or held.before == held.as_text:
        return {}
    stayed = judge(members, read(held.before), now)
    return {one.member.backup.id: held.before for one in stayed if one.keep}


def _tell(
    verdicts: Iterable[Verdict],
    before: Mapping[BackupId, str],
    decisions: Mapping[str, Decisions],
) -> None:
    """Say of each backup that has a record what becomes of it, and why."""
    told: dict[str, list[Decision]] = {"changed": [], "remove": [], "keep": []}
    for verdict in verdicts:
        if verdict.member.record is None:
            continue
        backup = verdict.member.backup
        word, action, reason = "remove", "remove", verdict.ground.reason
        if verdict.keep:
            word, action, reason = "keep", "keep", _until(verdict)
        elif backup.id in before:
            word = "changed"
            reason = f"CHANGED since the last pass (it was: {before[backup.id]}): {reason}"
        told[word].append(Decision(action, "backup", backup.id, backup.name, reason))
    for word, some in told.items():
        decisions[word].add(some)


def _until(verdict: Verdict) -> str:
    """Why it is kept, and until when at least."""
    reason, until = verdict.ground.reason, verdict.ground.until
    if verdict.earliest is None or verdict.earliest is until:  # the reason says it
        return reason
    when = stamp(verdict.earliest)
    return reason if when in reason else f"{reason}; may go from {when}"


def _forget(run: Run) -> None:
    """Rows that are history by now."""
    before = run.settings.retention.history.before(run.now())
    run.store.backups.forget(before)
    run.store.runs.forget(before)
