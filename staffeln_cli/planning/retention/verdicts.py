"""Keep or remove each backup of a volume in a project, and why; and in which order to remove."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import gt

from staffeln_cli.model import BackupId
from staffeln_cli.planning.chains.lineage import Parents, ancestors, lineage_of, oldest_first
from staffeln_cli.planning.retention.keep_rules import (
    KeepReason,
    Member,
    RetentionTerms,
    grounds,
    stamp,
)

__all__ = ["Member", "RetentionTerms", "Verdict", "brake", "judge", "waves"]

_FEW = 50
_DEPENDED_ON = KeepReason("depended_on", "a backup that stays may stand on it")


@dataclass(slots=True)
class Verdict:
    """What retention decided for one backup, and on which ground.

    `earliest` is when it may go at the earliest, where that can be told. `dependents` are all that
    may stand on it directly. `confirm` asks for Cinder's word (`parent_id=`) before the deletion,
    because a backup that the plan does not reckon with might stand on it after all.
    """

    member: Member
    keep: bool
    ground: KeepReason
    earliest: datetime | None = None
    dependents: tuple[BackupId, ...] = ()
    confirm: bool = False

    @property
    def rule(self) -> str:
        """The rule that decided, for machines."""
        return self.ground.rule

    @property
    def reason(self) -> str:
        """Why, for people."""
        return self.ground.reason


def judge(members: Sequence[Member], promise: RetentionTerms, now: datetime) -> list[Verdict]:
    """Judge all backups of one volume in one project, foreign ones too; newest first."""
    line = _in_line(members)
    backups = [member.backup for member in line]
    lineage = lineage_of(backups)
    found = grounds(line, lineage.sure, promise, now)
    leaving = {place for place, member in enumerate(line) if _is_leaving(member)}
    _hold_ancestors(leaving, lineage.parents, found)
    earliest = _earliest(leaving, lineage.children, found)
    verdicts = []
    for place in range(len(line) - 1, -1, -1):
        member, ground, children = line[place], found[place], lineage.children[place]
        confirm = ground is None and (
            place in lineage.doubted or (member.backup.has_dependents and not children)
        )
        verdicts.append(
            Verdict(
                member,
                ground is not None,
                ground or _expired(member),
                earliest[place],
                tuple([backups[child].id for child in children]) if children else (),
                confirm,
            )
        )
    return verdicts


def waves(verdicts: Iterable[Verdict]) -> list[list[Member]]:
    """What to remove, in order: each wave only after the one before is really gone.

    Takes verdicts in the order `judge` gives them, of one volume or of many one after another.
    What Cinder is deleting already counts as a wave before the first, which is therefore empty
    where everything waits for such backups. Two of the same second that may stand on each other
    wait for neither: `confirm` tells which of them is first.
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
        elif _is_leaving(verdict.member):
            level[backup.id] = 0
    return order


def brake(removals: int, available: int, share: float) -> str | None:
    """Why removing so many wants the operator's word first; None if it does not."""
    if removals <= _FEW or removals <= share * available:
        return None
    return f"would remove {removals} of {available} available backups, more than {share:.0%}"


def _in_line(members: Sequence[Member]) -> list[Member]:
    """Oldest first; of duplicates, as a listing that moved meanwhile has them, the freshest."""
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
    return KeepReason("expired", f"nothing asks for it; started {stamp(member.started_at)}")


def _hold_ancestors(
    leaving: Container[int], parents: Sequence[Parents], found: list[KeepReason | None]
) -> None:
    """Keep whatever a backup that stays may stand on."""
    if all(found):
        return
    staying = [p for p, ground in enumerate(found) if ground is not None and p not in leaving]
    for place in ancestors(staying, parents):
        found[place] = found[place] or _DEPENDED_ON


def _earliest(
    leaving: Container[int],
    children: Sequence[Sequence[int]],
    found: Sequence[KeepReason | None],
) -> list[datetime | None]:
    """When each kept one may go: not before its own time is over, nor before what stands on it."""
    earliest: list[datetime | None] = [None] * len(found)
    for place in reversed(range(len(found))):
        ground = found[place]
        if ground is None or (ground.until is None and ground is not _DEPENDED_ON):
            continue
        moment = ground.until
        for child in children[place]:
            if child not in leaving:
                above = earliest[child]
                if above is None:
                    break
                moment = above if moment is None else max(moment, above)
        else:
            earliest[place] = moment
    return earliest


def _is_leaving(member: Member) -> bool:
    """Whether Cinder is deleting it: it holds nothing, but what it stands on has to wait."""
    if member.backup.status != "deleting":
        return False
    return member.record is None or not member.record.pinned
