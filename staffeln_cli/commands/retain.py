"""Decide which backups retention keeps, and delete the others, wave after wave."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from staffeln_cli.config.rules import retention_terms
from staffeln_cli.config.settings import RetentionSettings
from staffeln_cli.errors import BrakeApplied
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
from staffeln_cli.planning.chains.members import Member, members
from staffeln_cli.planning.retention.keep_rules import RetentionTerms, stamp
from staffeln_cli.planning.retention.recorded_terms import read, written
from staffeln_cli.planning.retention.verdicts import Verdict, brake, judge, waves
from staffeln_cli.runtime import Run, Runtime, run_pass
from staffeln_cli.runtime.decisions import Decisions

COUNTS = ("kept", "expired", "deleting", "deleted", "blocked")
_VOLUMES_AT_ONCE = 100
"""About a page of backups: judging more at once would delay the next requests for pages."""


def run(runtime: Runtime, *, dry_run: bool = False, confirmed: bool = False) -> Outcome:
    """One pass: judge every backup, then remove what no rule keeps; `confirmed`, without brake."""
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
    """What is to be removed, and out of how many."""

    available: int = 0
    number: int = 0
    plans: list[Plan] = field(default_factory=list)
    changed_terms: dict[VolumeId, str | None] = field(default_factory=dict)
    """The terms that apply now, of the volumes whose terms differ from those of the last pass."""
    decisions: dict[str, Decisions] = field(
        default_factory=lambda: {word: Decisions() for word in ("changed", "remove", "keep")}
    )
    """What a dry run shows, first what is removed because something changed."""


def _retain(run: Run, *, confirmed: bool) -> None:
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
    run.store.inventory.note_retention_terms(removals.changed_terms)
    carry_out(run, removals.plans)
    _forget(run)


def _judged(run: Run) -> _Removals:
    """Judge volume by volume while the listing comes in; keep only what is to be removed."""
    removals = _Removals()
    terms = _Terms(run.settings.retention)
    done = 0
    for group in _several(run.cloud.listings.backups_by_volume()):
        run.runtime.stop.check()
        volume_ids = list({volume_id for _, volume_id in group})
        records = run.store.records.briefs(volume_ids)
        inventory = run.store.inventory.volumes(volume_ids)
        left_alone = {row.volume_id for row in run.unreadable("backup")}
        for (_, volume_id), of_volume in members(group, records).items():
            if volume_id in left_alone:
                continue  # the backup that was not understood may depend on any of them
            _judge_volume(run, of_volume, terms.of(inventory.get(volume_id)), removals)
            done += len(of_volume)
        run.runtime.progress("backups judged", done, None)
    return removals


_Group = dict[tuple[ProjectId, VolumeId], list[Backup]]
"""The backups of some volumes; a transferred volume may have some in two projects."""


def _several(pages: Iterable[list[Backup]]) -> Iterator[_Group]:
    """Some volumes at a time, each with all its backups, from a listing sorted by volume."""
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
class _Applied:
    """The terms that apply to a volume now, also as text, and those of the last pass."""

    volume_id: VolumeId | None
    terms: RetentionTerms
    text: str | None
    last_text: str | None


class _Terms:
    """The terms of each volume; many have the same, so each is worked out only once."""

    def __init__(self, settings: RetentionSettings) -> None:
        self._settings = settings
        self._known: dict[tuple[str | None, bool], tuple[RetentionTerms, str | None]] = {}

    def of(self, volume: InventoryVolume | None) -> _Applied:
        if volume is None:
            return _Applied(None, retention_terms(self._settings, None), None, None)
        key = (volume.retention, volume.gone_at is None)
        if key not in self._known:
            terms = retention_terms(self._settings, volume)
            self._known[key] = terms, written(terms)
        return _Applied(volume.volume_id, *self._known[key], volume.retained_as)


def _judge_volume(run: Run, backups: list[Member], applied: _Applied, removals: _Removals) -> None:
    ours = sum([member.is_ours for member in backups])
    removals.available += ours
    if not ours:
        return
    now = run.now()
    verdicts = judge(backups, applied.terms, now)
    expired = [verdict for verdict in verdicts if not verdict.keep]
    run.counts["kept"] += ours - len(expired)
    run.counts["expired"] += len(expired)
    removals.number += len(expired)
    if applied.volume_id is not None and applied.text != applied.last_text:
        removals.changed_terms[applied.volume_id] = applied.text
    if run.dry_run:
        kept_before = _kept_before(backups, applied, now) if expired else {}
        _show(verdicts, kept_before, removals.decisions)
    elif expired:
        removals.plans.append(_plan(verdicts, expired))


def _plan(verdicts: list[Verdict], expired: list[Verdict]) -> Plan:
    to_confirm = frozenset(verdict.member.backup.id for verdict in expired if verdict.confirm)
    reasons = {verdict.member.backup.id: verdict.reason for verdict in expired}
    order = [[member.backup for member in wave] for wave in waves(verdicts)]
    if any(verdict.member.backup.status == "deleting" for verdict in verdicts):
        del order[1:]  # the backups that it may depend on wait for another pass, if it is stuck
    return Plan(order, to_confirm, reasons)


def _kept_before(backups: list[Member], applied: _Applied, now: datetime) -> dict[BackupId, str]:
    """The backups that the terms of the last pass would keep, each with those terms."""
    last = applied.last_text
    if last is None or last == applied.text:
        return {}
    verdicts = judge(backups, read(last), now)
    return {verdict.member.backup.id: last for verdict in verdicts if verdict.keep}


def _show(
    verdicts: Iterable[Verdict],
    kept_before: Mapping[BackupId, str],
    decisions: Mapping[str, Decisions],
) -> None:
    """Note for each backup that has a record what is done with it, and why."""
    noted: dict[str, list[Decision]] = {"changed": [], "remove": [], "keep": []}
    for verdict in verdicts:
        if verdict.member.record is None:
            continue
        backup = verdict.member.backup
        word, action, reason = "remove", "remove", verdict.keep_reason.reason
        if verdict.keep:
            word, action, reason = "keep", "keep", _until(verdict)
        elif backup.id in kept_before:
            word = "changed"
            reason = f"CHANGED since the last pass (it was: {kept_before[backup.id]}): {reason}"
        noted[word].append(Decision(action, "backup", backup.id, backup.name, reason))
    for word, some in noted.items():
        decisions[word].add(some)


def _until(verdict: Verdict) -> str:
    """Why it is kept, and until when at least."""
    reason, until = verdict.keep_reason.reason, verdict.keep_reason.until
    if verdict.earliest is None or verdict.earliest is until:  # the reason says it
        return reason
    when = stamp(verdict.earliest)
    return reason if when in reason else f"{reason}; may go from {when}"


def _forget(run: Run) -> None:
    """Remove the rows of what ended longer ago than the history goes."""
    before = run.settings.retention.history.before(run.now())
    run.store.lifecycle.forget(before)
    run.store.runs.forget(before)
