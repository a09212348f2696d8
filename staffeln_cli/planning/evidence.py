"""What an observation proves: absence, mass disappearance, authority and stored moments.

What cannot be undone needs the word of the service that owns the fact, and needs it twice. One
observation makes a thing suspected; a second one, `settle_time` later, makes it gone.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from staffeln_cli.model import ProjectId

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far two clocks may differ, and how far in the future a stored moment may lie."""
_MASS_NUMBER = 20
_MASS_SHARE = 0.05


class Answer(StrEnum):
    """What a service says of one id, when it is asked for it."""

    PRESENT = "present"
    ABSENT = "absent"
    """A 404 in the service's own words, about this id."""
    UNCLEAR = "unclear"
    """Anything else: a proxy's 404, a 5xx, a time-out."""


class Belief(StrEnum):
    """What is believed of a thing that a complete listing lacks."""

    PRESENT = "present"
    UNPROVEN = "unproven"
    """Nothing changes: the answer proves nothing."""
    SUSPECTED = "suspected"
    """Absent once. Nothing changes but the note of when it was first missed."""
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Whether somebody accepts that very many things changed at once (`--confirm`)."""

    is_given: bool = False
    """For this pass."""
    last_given_at: datetime | None = None
    """For an earlier pass: what was suspected by then is accepted."""

    def accepts(self, suspected_at: datetime | None) -> bool:
        """Whether something that was first missed then may be gone, however many others are."""
        if self.is_given:
            return True
        given_at = self.last_given_at
        if suspected_at is None or given_at is None:
            return False
        return suspected_at <= given_at


def belief(
    answer: Answer,
    *,
    known_since: datetime,
    suspected_at: datetime | None,
    now: datetime,
    settle_time: timedelta,
) -> Belief:
    """Judge a thing that a complete listing lacks, by what its service says of its id.

    `known_since` is when the thing was first known, `suspected_at` when it was first missed.
    """
    if answer is Answer.PRESENT:
        return Belief.PRESENT
    if answer is Answer.UNCLEAR:
        return Belief.UNPROVEN
    suspected_at = believed(suspected_at, now)
    if suspected_at is None:
        return Belief.SUSPECTED
    since = max(suspected_at, believed(known_since, now) or suspected_at)
    return Belief.SUSPECTED if now - since < settle_time else Belief.GONE


def mass_limit(known: int) -> int:
    """How many of `known` things of one kind may change in one pass without confirmation."""
    return max(_MASS_NUMBER, int(known * _MASS_SHARE))


def is_mass(changed: int, known: int) -> bool:
    """Whether more than 20 and more than 5 % of what was known of one kind changed at once."""
    return changed > mass_limit(known)


def is_whole_cloud(seen: Set[ProjectId], own: ProjectId, known: Set[ProjectId]) -> bool:
    """Whether a listing can be of the whole cloud, by the projects that own its rows.

    A login without the admin role is shown its own project alone, with a 200
    (cinder:cinder/api/common.py:reject_invalid_filters). `known`: the projects that, by our
    records, own such things.
    """
    return not (known - {own}) or bool(seen - {own})


def believed(moment: datetime | None, now: datetime) -> datetime | None:
    """A stored moment; None if it lies in the future, so that a wrong clock wrote it."""
    if moment is None or moment > now + CLOCK_TOLERANCE:
        return None
    return moment


def clock_error(skew: timedelta) -> str | None:
    """How far a clock is ahead of another one, or behind it; None where they agree."""
    if abs(skew) <= CLOCK_TOLERANCE:
        return None
    direction = "ahead of" if skew > timedelta() else "behind"
    return f"{timedelta(seconds=round(abs(skew).total_seconds()))} {direction}"


def age_counts_from(started_at: datetime | None, created_at: datetime) -> datetime:
    """From when a backup's age counts: the later of our start and Cinder's `created_at`."""
    return created_at if started_at is None else max(started_at, created_at)
