"""Retention policies: which backups a server's owner wants to keep, and how metadata names one."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from staffeln_cli.model.durations import Duration, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is kept: everything younger than `time`, and the newest of each period counted.

    A backup is kept if any rule keeps it. Rules go from fine to coarse; each covers only periods
    that the finer ones do not.
    """

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    time: Duration | None = None

    @property
    def text(self) -> str:
        """`daily=7 time=1y`: the rules that keep something."""
        rules = ((part.name, getattr(self, part.name)) for part in fields(self))
        shown = (pair for pair in rules if pair[1] or isinstance(pair[1], Duration))
        return " ".join(f"{name}={value}" for name, value in shown)

    @property
    def counts(self) -> bool:
        """Whether any rule but `time` keeps something."""
        return any(_counts(self))


def named(text: str, policies: Mapping[str, Policy]) -> Policy:
    """The policy that a metadata value asks for, by name or as a duration; else ValueError."""
    if text in policies:
        return policies[text]
    try:
        return Policy(time=parse(text))
    except ValueError as error:
        known = ", ".join(sorted(policies)) or "none configured"
        raise ValueError(f"{error}, nor the name of a policy ({known})") from None


def in_force(text: str | None, policies: Mapping[str, Policy], default: Duration) -> Policy | None:
    """The policy that a recorded text stands for, without a text the default; None if unknown.

    A named policy that was removed from the configuration is unknown: nothing may be deleted.
    """
    if text is None:
        return Policy(time=default)
    try:
        return named(text, policies)
    except ValueError:
        return None


_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_LENGTHS = (
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(weeks=1),
    timedelta(days=31),
    timedelta(days=366),
)


def reach(policy: Policy | None) -> timedelta:
    """How far back a policy keeps backups, by its furthest rule; the further one is the longer.

    `last` counts as days, because the interval of backups is not known here. An unknown policy may
    have kept anything, so it reaches furthest of all.
    """
    if policy is None:
        return timedelta.max
    counted = [count * length for count, length in zip(_counts(policy), _LENGTHS, strict=True)]
    by_age = policy.time.after(_EPOCH) - _EPOCH if policy.time is not None else timedelta()
    return max(by_age, *counted)


def covers(policy: Policy | None, other: Policy | None) -> bool:
    """Whether a policy keeps at least what another one keeps; an unknown one may keep anything."""
    if policy is None or other is None:
        return policy is None
    lengths = [
        timedelta() if one.time is None else one.time.after(_EPOCH) - _EPOCH
        for one in (policy, other)
    ]
    pairs = zip(_counts(policy), _counts(other), strict=True)
    return lengths[0] >= lengths[1] and all(ours >= theirs for ours, theirs in pairs)


def _counts(policy: Policy) -> tuple[int, ...]:
    return (
        policy.last,
        policy.hourly,
        policy.daily,
        policy.weekly,
        policy.monthly,
        policy.yearly,
    )
