"""The grounds for keeping a backup for its own sake, whatever may stand on it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from staffeln_cli.model import Backup, RecordBrief, State
from staffeln_cli.model.durations import Duration
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.planning.chains.lineage import WHOLE
from staffeln_cli.planning.retention.periods import kept_by_count
from staffeln_cli.planning.retention.policy import Policy

_AVAILABLE = State.AVAILABLE
_DELETABLE = frozenset({"available", "error"})
"""Statuses in which Cinder accepts a deletion."""


@dataclass(slots=True)
class Member:
    """A backup that Cinder has, and our record of it; without one it is somebody else's.

    Like all that a judgement of a million makes for each, it is not frozen, which would take three
    times as long; nothing changes it.
    """

    backup: Backup
    record: RecordBrief | None = None
    is_broken: bool = False
    """Whether our records know that something it stands on is gone: `planning.chains.broken`."""

    @property
    def is_ours(self) -> bool:
        """Whether retention may remove it."""
        return self.record is not None and self.record.state is _AVAILABLE

    @property
    def started_at(self) -> datetime:
        """From when its age counts."""
        if self.record is not None and self.record.started_at is not None:
            return self.record.started_at
        return self.backup.created_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionTerms:
    """What was promised for a volume; a policy that is not known any more keeps everything."""

    policy: Policy | None
    volume_exists: bool
    keep_last: int


@dataclass(slots=True)
class KeepReason:
    """Why a backup is kept: a word for machines, a sentence for people; until when, if known."""

    rule: str
    reason: str
    until: datetime | None = None


Claims = Iterable[tuple[int, KeepReason]]
_NOTHING = Policy()
_FOREIGN = KeepReason("foreign", "Staffeln did not make it")
_IN_DOUBT = KeepReason("in_doubt", "what its retention policy promised is not known any more")


def grounds(
    line: Sequence[Member], sure: Sequence[bool], promise: RetentionTerms, now: datetime
) -> list[KeepReason | None]:
    """For each backup of one volume, oldest first, why it is kept; None if nothing asks for it.

    `sure` are those that can surely be restored, as far as a listing shows it.
    """
    found = [None if member.is_ours else _not_ours(member) for member in line]
    ours = [place for place, ground in enumerate(found) if ground is None]
    if not ours:
        return found
    starts = [member.started_at for member in line]
    ours.sort(key=starts.__getitem__)
    ours.reverse()
    waiting = len(ours)
    for place, ground in _claims(_Line(line, starts, sure), ours, promise, now):
        if found[place] is None:
            found[place] = ground
            waiting -= 1
            if not waiting:
                break
    return found


class _Line(NamedTuple):
    """A volume's backups, oldest first; of each, from when its age counts, and if it is whole."""

    members: Sequence[Member]
    starts: Sequence[datetime]
    sure: Sequence[bool]


def _not_ours(member: Member) -> KeepReason:
    """Why retention has no say about it."""
    record = member.record
    if record is None:
        return _FOREIGN
    if record.state in UNFINISHED:
        return KeepReason("unfinished", f"its record is still {record.state}")
    return KeepReason("not_ours", f"its record is {record.state}: not for retention to remove")


def _claims(line: _Line, ours: Sequence[int], promise: RetentionTerms, now: datetime) -> Claims:
    """All that speaks for any of `ours`, newest first; the first ground of each is told."""
    yield from _pinned(line, ours)
    policy = promise.policy
    if policy is None or policy == _NOTHING:
        yield from ((place, _IN_DOUBT) for place in ours)
    else:
        if policy.time is not None:
            yield from _young(line, ours, policy.time, now)
        for view in _views(line, ours):
            yield from _counted(line, view, policy)
            if promise.volume_exists:
                yield from _newest(line, view, promise.keep_last)
        yield from _busy(line, ours)


def _pinned(line: _Line, ours: Sequence[int]) -> Claims:
    for place in ours:
        record = line.members[place].record
        if record is not None and record.pinned:
            note = f"pinned: {record.pin_note}" if record.pin_note else "pinned"
            yield place, KeepReason("pinned", note)


def _young(line: _Line, ours: Sequence[int], time: Duration, now: datetime) -> Claims:
    starts = line.starts
    for place in ours:
        until = time.after(starts[place])
        if until > now:
            yield place, KeepReason("time", f"young enough until {stamp(until)}", until)


def _views(line: _Line, ours: Sequence[int]) -> list[Sequence[int]]:
    """What to count: the backups that can be restored for sure, and then all.

    What may be broken takes the place of none that is not, and yet is kept as if it were whole.
    """
    members, sure = line.members, line.sure
    restore_points = [p for p in ours if sure[p] and not members[p].is_broken]
    return [restore_points] if len(restore_points) == len(ours) else [restore_points, ours]


def _counted(line: _Line, view: Sequence[int], policy: Policy) -> Claims:
    if not policy.counts:
        return
    kept = kept_by_count([line.starts[place] for place in view], policy)
    for place, by in zip(view, kept, strict=True):
        if by is not None:
            yield place, KeepReason(by.rule, f"the newest of {by.rule} period {by.period}")


def _newest(line: _Line, view: Sequence[int], count: int) -> Claims:
    whole = (place for place in view if line.members[place].backup.status in WHOLE)
    for place in islice(whole, count):
        yield place, KeepReason("keep_last", f"one of the newest {count} that can be restored")


def _busy(line: _Line, ours: Sequence[int]) -> Claims:
    for place in ours:
        status = line.members[place].backup.status
        if status not in _DELETABLE:
            yield place, KeepReason("unfinished", f"Cinder is not done with it: {status}")


def stamp(moment: datetime) -> str:
    """A moment for people, to the minute."""
    utc = moment.astimezone(UTC)
    return _minute(utc.date(), utc.hour, utc.minute)


@lru_cache(maxsize=100_000)  # two months of minutes; looking one up takes half as long
def _minute(day: date, hour: int, minute: int) -> str:
    return f"{day} {hour:02}:{minute:02} UTC"
