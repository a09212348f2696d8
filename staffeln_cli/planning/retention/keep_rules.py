"""Why a backup is kept for its own sake, regardless of what may depend on it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from staffeln_cli.model.durations import Duration
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.model.statuses import BACKUP_COMPLETE, BACKUP_DELETABLE
from staffeln_cli.planning.chains.members import Member
from staffeln_cli.planning.retention.periods import kept_by_count
from staffeln_cli.planning.retention.policy import Policy, reach


class FormerTerms(NamedTuple):
    """Longer terms that hold beside the present ones until a moment."""

    policy: Policy | None
    volume_exists: bool
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionTerms:
    """What applies to the backups of one volume; without a known policy all are kept."""

    policy: Policy | None
    volume_exists: bool
    keep_last: int
    minimum: Duration | None = None
    """No younger backup goes, whatever the policy says."""
    earlier: tuple[FormerTerms, ...] = ()
    """What held before it was shortened, and still holds."""

    @property
    def held(self) -> "RetentionTerms":
        """The terms that hold now, those that are about to end included."""
        policies = [self.policy, *(one.policy for one in self.earlier)]
        exists = self.volume_exists or any(one.volume_exists for one in self.earlier)
        return replace(self, policy=max(policies, key=reach), volume_exists=exists, earlier=())


@dataclass(slots=True)
class KeepReason:
    """Why a backup is kept: a word for machines, a sentence for people; until when, if known."""

    rule: str
    reason: str
    until: datetime | None = None


_Reasons = Iterable[tuple[int, KeepReason]]
"""Indexes of backups, each with a reason to keep it."""
_NOTHING = Policy()
_FOREIGN = KeepReason("foreign", "Staffeln did not make it")
_IN_DOUBT = KeepReason("in_doubt", "its retention policy is not known any more")


def keep_reasons(
    members: Sequence[Member], restorable: Sequence[bool], terms: RetentionTerms, now: datetime
) -> list[KeepReason | None]:
    """For each backup of one volume, oldest first, why it is kept; None if no rule keeps it.

    `restorable` says which can surely be restored, as far as a listing shows it.
    """
    found = [None if member.is_ours else _not_ours(member) for member in members]
    ours = [index for index, reason in enumerate(found) if reason is None]
    if not ours:
        return found
    starts = [member.started_at for member in members]
    ours.sort(key=starts.__getitem__)
    ours.reverse()
    undecided = len(ours)
    for index, reason in _reasons(_History(members, starts, restorable), ours, terms, now):
        if found[index] is None:
            found[index] = reason
            undecided -= 1
            if not undecided:
                break
    return found


class _History(NamedTuple):
    """A volume's backups, oldest first, with the start of each and whether it is restorable."""

    members: Sequence[Member]
    starts: Sequence[datetime]
    restorable: Sequence[bool]


def _not_ours(member: Member) -> KeepReason:
    """Why retention does not decide about a backup."""
    record = member.record
    if record is None:
        return _FOREIGN
    if record.state in UNFINISHED:
        return KeepReason("unfinished", f"its record is still {record.state}")
    return KeepReason("not_ours", f"its record is {record.state}: retention does not manage it")


def _reasons(
    history: _History, ours: Sequence[int], terms: RetentionTerms, now: datetime
) -> _Reasons:
    """All reasons to keep any of `ours`, newest first; the first one of each backup is shown."""
    yield from _pinned(history, ours)
    if terms.policy is None or terms.policy == _NOTHING:
        yield from ((index, _IN_DOUBT) for index in ours)
    else:
        yield from _young(history, ours, terms, now)
        yield from _counted(history, ours, terms, terms.policy)
        for earlier in terms.earlier:
            yield from _in_grace(history, ours, terms, earlier)
        yield from _busy(history, ours)


def _counted(
    history: _History, ours: Sequence[int], terms: RetentionTerms, policy: Policy
) -> _Reasons:
    """Reasons by the rules that count backups, not by their age."""
    for counted in _to_count(history, ours):
        yield from _kept_by_count(history, counted, policy)
        if terms.volume_exists:
            yield from _newest(history, counted, terms.keep_last)


def _in_grace(
    history: _History, ours: Sequence[int], terms: RetentionTerms, earlier: FormerTerms
) -> _Reasons:
    """What only the terms before the last shortening keep, until their grace is over."""
    when = f"shortened, but the longer retention holds until {stamp(earlier.until)}"
    if earlier.policy is None or earlier.policy == _NOTHING:
        unknown = KeepReason("grace", f"{when}: it is not known any more", earlier.until)
        yield from ((index, unknown) for index in ours)
    else:
        held = replace(terms, policy=earlier.policy, volume_exists=earlier.volume_exists)
        for index, reason in _counted(history, ours, held, earlier.policy):
            yield index, KeepReason("grace", f"{when}: {reason.reason}", earlier.until)


def _pinned(history: _History, ours: Sequence[int]) -> _Reasons:
    for index in ours:
        record = history.members[index].record
        if record is not None and record.pinned:
            note = f"pinned: {record.pin_note}" if record.pin_note else "pinned"
            yield index, KeepReason("pinned", note)


def _young(
    history: _History, ours: Sequence[int], terms: RetentionTerms, now: datetime
) -> _Reasons:
    """What is younger than any age by which it may go; the last one of them is the reason."""
    time = terms.policy.time if terms.policy is not None else None
    if time is not None and terms.minimum is None and not terms.earlier:  # as nearly always
        for index in ours:
            until = time.after(history.starts[index])
            if until > now:
                yield index, _younger("time", until)
        return
    for index in ours:
        rule, until = max(_ages(history.starts[index], terms), key=itemgetter(1))
        if until > now:
            yield index, _younger(rule, until)


def _ages(start: datetime, terms: RetentionTerms) -> Iterable[tuple[str, datetime]]:
    """By each rule about ages, the first moment at which a backup may go."""
    yield "time", start
    if terms.policy is not None and terms.policy.time is not None:
        yield "time", terms.policy.time.after(start)
    if terms.minimum is not None:
        yield "minimum", terms.minimum.after(start)
    for earlier in terms.earlier:
        if earlier.policy is not None and earlier.policy.time is not None:
            yield "grace", min(earlier.policy.time.after(start), earlier.until)


_YOUNGER = {
    "time": "young enough until",
    "minimum": "younger than the least age for any backup until",
    "grace": "its retention was shortened: the longer one holds until",
}


def _younger(rule: str, until: datetime) -> KeepReason:
    return KeepReason(rule, f"{_YOUNGER[rule]} {stamp(until)}", until)


def _to_count(history: _History, ours: Sequence[int]) -> list[Sequence[int]]:
    """Which backups the counted rules go through: first those surely restorable, then all.

    A backup that may be broken never replaces one that is not, yet is kept as if it were whole.
    """
    members, restorable = history.members, history.restorable
    restore_points = [p for p in ours if restorable[p] and not members[p].is_broken]
    return [restore_points] if len(restore_points) == len(ours) else [restore_points, ours]


def _kept_by_count(history: _History, counted: Sequence[int], policy: Policy) -> _Reasons:
    if not policy.counts:
        return
    kept = kept_by_count([history.starts[index] for index in counted], policy)
    for index, by in zip(counted, kept, strict=True):
        if by is not None:
            yield index, KeepReason(by.rule, f"the newest of {by.rule} period {by.period}")


def _newest(history: _History, counted: Sequence[int], count: int) -> _Reasons:
    members = history.members
    whole = (index for index in counted if members[index].backup.status in BACKUP_COMPLETE)
    for index in islice(whole, count):
        yield index, KeepReason("keep_last", f"one of the newest {count} that can be restored")


def _busy(history: _History, ours: Sequence[int]) -> _Reasons:
    for index in ours:
        status = history.members[index].backup.status
        if status not in BACKUP_DELETABLE:
            yield index, KeepReason("unfinished", f"Cinder still uses it: its status is {status}")


def stamp(moment: datetime) -> str:
    """A moment for people, to the minute."""
    utc = moment.astimezone(UTC)
    return _minute(utc.date(), utc.hour, utc.minute)


@lru_cache(maxsize=100_000)  # two months of minutes; looking one up takes half as long
def _minute(day: date, hour: int, minute: int) -> str:
    return f"{day} {hour:02}:{minute:02} UTC"
