"""Decide which backups retention keeps, and delete the others, wave after wave."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from staffeln_cli.config.rules import retention_terms
from staffeln_cli.config.settings import RetentionSettings
from staffeln_cli.errors import BrakeApplied
from staffeln_cli.model import (
    Backup,
    BackupId,
    Decision,
    Drill,
    DrillState,
    FormerOwner,
    InventoryVolume,
    Outcome,
    ProjectId,
    RecordBrief,
    State,
    VolumeId,
)
from staffeln_cli.operations.deletion_waves import Plan, carry_out
from staffeln_cli.operations.whole_cloud import check_whole_cloud
from staffeln_cli.planning.chains.members import Member, members, several_volumes
from staffeln_cli.planning.retention.brake import brake
from staffeln_cli.planning.retention.keep_rules import RetentionTerms, stamp
from staffeln_cli.planning.retention.new_terms import NewTerms
from staffeln_cli.planning.retention.recorded_terms import read, written
from staffeln_cli.planning.retention.verdicts import Verdict, judge, waves
from staffeln_cli.planning.verification import with_failed_drills
from staffeln_cli.runtime import Run, Runtime, caller, run_pass
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


_Key = tuple[ProjectId, VolumeId]
_Changed = dict[_Key, str | None]
_FormerOwners = Mapping[_Key, FormerOwner]


@dataclass(slots=True)
class _Removals:
    """What is to be removed, and out of how many."""

    available: int = 0
    number: int = 0
    plans: list[Plan] = field(default_factory=list)
    changed_terms: _Changed = field(default_factory=dict)
    """The terms that apply now, where they differ from those of the last pass."""
    new_terms: NewTerms = field(default_factory=NewTerms)
    """The same for auditors."""
    changed_former_terms: _Changed = field(default_factory=dict)
    """The same in projects that the volumes have left."""
    decisions: dict[str, Decisions] = field(
        default_factory=lambda: {word: Decisions() for word in ("changed", "remove", "keep")}
    )
    """What a dry run shows, first what is removed because something changed."""


def _retain(run: Run, *, confirmed: bool) -> None:
    removals = _judged(run)
    why = brake(removals.number, removals.available, run.settings.retention.brake)
    if confirmed and not run.dry_run:
        run.store.observations.note_confirmed("retain", run.now(), who=caller(), reason=why)
    if why is not None and not confirmed:
        reason = f"{why}; look at it with --dry-run, then go on with --confirm"
        if not run.dry_run:
            raise BrakeApplied(reason)
        run.fail("pass", run.command, reason)
    if run.dry_run:
        for decisions in removals.decisions.values():
            run.decisions.join(decisions)
        return
    run.store.inventory.note_retention_terms(
        {volume_id: text for (_, volume_id), text in removals.changed_terms.items()},
        [*removals.new_terms.events(run.now())],
    )
    run.store.former_owners.note_retention_terms(removals.changed_former_terms)
    carry_out(run, removals.plans)
    _forget(run)


def _judged(run: Run) -> _Removals:
    """Judge volume by volume while the listing comes in; keep only what is to be removed."""
    removals = _Removals()
    terms = _Terms(run.settings.retention, run.store.former_owners.all(), removals)
    drills = _failed_drills(run)
    owners, done = set[ProjectId](), 0
    listing = run.cloud.listings.backups_by_volume()
    for group in several_volumes(listing, _VOLUMES_AT_ONCE):
        run.runtime.stop.check()
        owners.update(project_id for project_id, _ in group)
        volume_ids = list({volume_id for _, volume_id in group})
        records = run.store.records.briefs(volume_ids)
        inventory = run.store.inventory.volumes(volume_ids)
        left_alone = {row.volume_id for row in run.unreadable("backup")}
        parents = _foreign_parents(run, group, records)
        in_doubt = _in_doubt(run, records, group.values())
        for key, of_volume in members(group, records, parents).items():
            if key[1] in left_alone or key[1] in in_doubt:
                continue  # a backup that was not listed or understood may depend on any
            applied = terms.of(key[0], inventory.get(key[1]), run.now())
            known = drills.get(key[1])
            judged = with_failed_drills(of_volume, known) if known else of_volume
            _judge_volume(run, key, judged, applied, removals)
            done += len(of_volume)
        run.runtime.progress("backups judged", done, None)
    # What is not listed is left alone: it is enough that Cinder treats this login as an admin.
    check_whole_cloud(run, "backups", owners, run.store.records.owners, confirmed=True)
    return removals


def _failed_drills(run: Run) -> dict[VolumeId, list[Drill]]:
    """The drills with a result of the volumes of which one has failed."""
    found: dict[VolumeId, list[Drill]] = {
        drill.volume_id: [] for drill in run.store.drills.ended_in([DrillState.FAILED])
    }
    ended = run.store.drills.ended_in([DrillState.FAILED, DrillState.PASSED]) if found else ()
    for drill in ended:
        if drill.volume_id in found:
            found[drill.volume_id].append(drill)
    return found


def _foreign_parents(
    run: Run, group: Mapping[_Key, Sequence[Backup]], records: Mapping[BackupId, RecordBrief]
) -> dict[BackupId, BackupId]:
    """What is known of the parents of the backups that Staffeln did not make."""
    volume_ids = {
        volume_id
        for (_, volume_id), backups in group.items()
        if any(one.is_incremental and one.id not in records for one in backups)
    }
    return run.store.exports.foreign_parents(volume_ids) if volume_ids else {}


def _in_doubt(
    run: Run, records: Mapping[BackupId, RecordBrief], listed: Iterable[Sequence[Backup]]
) -> set[VolumeId]:
    """Volumes of which the listing lacks a backup that `check` has not found missing.

    What can be restored, and what depends on what, is not known: none of it is judged.
    """
    there = {backup.id for backups in listed for backup in backups}
    absent = [
        brief.backup_id
        for brief in records.values()
        if brief.state is State.AVAILABLE
        and brief.backup_id not in there
        and (brief.started_at is None or brief.started_at < run.started_at)
    ]
    return {record.volume_id for record in run.store.records.by_backup_ids(absent)}


@dataclass(frozen=True, slots=True)
class _Applied:
    """The terms that apply to a volume in a project, as text, too, and those of the last pass."""

    terms: RetentionTerms
    text: str | None
    last_text: str | None
    noted_in: _Changed | None
    """Where a change is noted; None for what the inventory does not know."""
    volume: InventoryVolume | None = None
    """The volume in its present project; None in a project that it has left."""


class _Terms:
    """The terms of each volume in each project; many have the same: worked out only once."""

    def __init__(
        self, settings: RetentionSettings, former_owners: _FormerOwners, removals: _Removals
    ) -> None:
        self._settings = settings
        self._former_owners = former_owners
        self._removals = removals
        self._known: dict[str | None, tuple[RetentionTerms, str | None]] = {}

    def of(self, project_id: ProjectId, volume: InventoryVolume | None, now: datetime) -> _Applied:
        if volume is None:
            return _Applied(retention_terms(self._settings, None, now), None, None, None)
        if volume.project_id == project_id:
            noted_in = self._removals.changed_terms
            return _Applied(*self._terms(volume, now), volume.retained_as, noted_in, volume)
        former = self._former_owners.get((project_id, volume.volume_id))
        if former is None:  # when the volume left that project, nobody noted its terms there
            return _Applied(retention_terms(self._settings, None, now), None, None, None)
        theirs = volume.transferred(project_id, former.retention)
        noted_in = self._removals.changed_former_terms
        return _Applied(*self._terms(theirs, now), former.last_applied_retention, noted_in)

    def _terms(self, volume: InventoryVolume, now: datetime) -> tuple[RetentionTerms, str | None]:
        is_plain = volume.gone_at is None and volume.retention_shortened_at is None
        if is_plain and volume.retention in self._known:
            return self._known[volume.retention]
        terms = retention_terms(self._settings, volume, now)
        found = terms, written(terms.held)
        if is_plain:
            self._known[volume.retention] = found
        return found


def _judge_volume(
    run: Run, key: _Key, backups: list[Member], applied: _Applied, removals: _Removals
) -> None:
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
    if applied.noted_in is not None and applied.text != applied.last_text:
        applied.noted_in[key] = applied.text
        if applied.volume is not None and applied.last_text is not None:
            removals.new_terms.add(applied.volume, applied.last_text, applied.text)
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
    run.store.drills.forget(before)
    run.store.restorations.forget(before)
    run.store.former_owners.forget(before)
    run.store.runs.forget(before)
