"""Keep or remove each backup of a volume in a project, and why; and in which order to remove."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import gt

from staffeln_cli.model import BackupId
from staffeln_cli.planning.chains.fast_lineage import lineage_of
from staffeln_cli.planning.chains.lineage import Parents, ancestors, oldest_first
from staffeln_cli.planning.chains.members import Member, known_parents
from staffeln_cli.planning.retention.keep_rules import (
    KeepReason,
    RetentionTerms,
    keep_reasons,
    stamp,
)

_DEPENDED_ON = KeepReason("depended_on", "a backup that is kept may depend on it")


@dataclass(slots=True)
class Verdict:
    """What retention decided about one backup, and why.

    The rule of `keep_reason` is `expired` where no rule keeps the backup. `earliest` is the first
    moment at which it may be removed, where that is known. `dependents` are all that may depend on
    it directly. `confirm` demands to ask Cinder for children (`parent_id=`) before the deletion,
    because a backup that the plan does not consider might depend on it.
    """

    member: Member
    keep: bool
    keep_reason: KeepReason
    earliest: datetime | None = None
    dependents: tuple[BackupId, ...] = ()
    confirm: bool = False

    @property
    def rule(self) -> str:
        """The rule that decided, for machines."""
        return self.keep_reason.rule

    @property
    def reason(self) -> str:
        """Why, for people."""
        return self.keep_reason.reason


def judge(members: Sequence[Member], terms: RetentionTerms, now: datetime) -> list[Verdict]:
    """Judge all backups of one volume in one project, also those not ours; newest first."""
    ordered = _in_order(members)
    backups = [member.backup for member in ordered]
    known = known_parents(ordered)
    lineage = lineage_of(backups, known)
    all_known = bool(known) and all(one.id in known for one in backups if one.is_incremental)
    reasons = keep_reasons(ordered, lineage.restorable, terms, now)
    being_deleted = {i for i, member in enumerate(ordered) if _is_being_deleted(member)}
    _keep_ancestors(being_deleted, lineage.parents, reasons)
    earliest = _earliest(being_deleted, lineage.children, reasons)
    verdicts = []
    for index in range(len(ordered) - 1, -1, -1):
        member, reason, children = ordered[index], reasons[index], lineage.children[index]
        confirm = reason is None and (
            index in lineage.needs_confirmation
            or (member.backup.has_dependents and not children and not all_known)
        )
        verdicts.append(
            Verdict(
                member,
                reason is not None,
                reason or _expired(member),
                earliest[index],
                tuple([backups[child].id for child in children]) if children else (),
                confirm,
            )
        )
    return verdicts


def waves(verdicts: Iterable[Verdict]) -> list[list[Member]]:
    """What to remove, in order: each wave only after the one before is really gone.

    Takes verdicts in the order of `judge`, of one volume or of several one after another. Backups
    that Cinder is deleting already count as a wave before the first, so the first is empty where
    everything has to wait for them. Two backups of the same second that may depend on each other
    do not wait for each other: `confirm` finds out which is first.
    """
    level: dict[BackupId, int] = {}
    order: list[list[Member]] = []
    judged = list(verdicts)
    dependents = {v.member.backup.id: v.dependents for v in judged if v.dependents}
    for verdict in judged:
        backup = verdict.member.backup
        if not verdict.keep:
            above = (c for c in verdict.dependents if backup.id not in dependents.get(c, ()))
            wave = max((level.get(child, -1) + 1 for child in above), default=0)
            order += ([] for _ in range(wave + 1 - len(order)))
            order[wave].append(verdict.member)
            level[backup.id] = wave
        elif _is_being_deleted(verdict.member):
            level[backup.id] = 0
    return order


def _in_order(members: Sequence[Member]) -> list[Member]:
    """Oldest first; of duplicates, which a listing may have that changed meanwhile, the newest."""
    moments = [member.backup.created_at for member in members]
    if all(map(gt, moments, moments[1:])):  # as listings come, newest first
        return list(reversed(members))
    unique = {member.backup.id: member for member in members}
    if len(unique) < len(members):
        unique = {member.backup.id: member for member in sorted(members, key=_freshness)}
    return sorted(unique.values(), key=lambda member: oldest_first(member.backup))


def _freshness(member: Member) -> tuple[bool, datetime, str]:
    backup = member.backup
    return member.record is not None, backup.updated_at or backup.created_at, backup.status


def _expired(member: Member) -> KeepReason:
    started = stamp(member.started_at)
    return KeepReason("expired", f"expired: no retention rule keeps it (started {started})")


def _keep_ancestors(
    being_deleted: Container[int], parents: Sequence[Parents], reasons: list[KeepReason | None]
) -> None:
    """Keep every backup that a kept one may depend on."""
    if all(reasons):
        return
    kept = [i for i, reason in enumerate(reasons) if reason is not None and i not in being_deleted]
    for index in ancestors(kept, parents):
        reasons[index] = reasons[index] or _DEPENDED_ON


def _earliest(
    being_deleted: Container[int],
    children: Sequence[Sequence[int]],
    reasons: Sequence[KeepReason | None],
) -> list[datetime | None]:
    """When each kept backup may be removed: when it and all that depends on it have expired."""
    earliest: list[datetime | None] = [None] * len(reasons)
    for index in reversed(range(len(reasons))):
        reason = reasons[index]
        if reason is None or (reason.until is None and reason is not _DEPENDED_ON):
            continue
        moment = reason.until
        for child in children[index]:
            if child not in being_deleted:
                above = earliest[child]
                if above is None:
                    break
                moment = above if moment is None else max(moment, above)
        else:
            earliest[index] = moment
    return earliest


def _is_being_deleted(member: Member) -> bool:
    """Whether Cinder is deleting it: it keeps no other backup, but its ancestors have to wait."""
    if member.backup.status != "deleting":
        return False
    return member.record is None or not member.record.pinned
