"""Whether one may sleep: what the state of the protection means to whoever answers for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from staffeln_cli.model import State


class Level(IntEnum):
    """How bad it is, numbered as Nagios does."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about the state, and how bad that is."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest ended run of a command."""

    at: datetime
    outcome: str
    host: str


@dataclass(frozen=True, slots=True)
class Late:
    """An overdue volume, and since when it has had no backup."""

    project: str
    server: str
    volume: str
    since: datetime
    ever: bool
    """Whether it had one at all."""
    failures: int


@dataclass(slots=True)
class Tally:
    """How the volumes that exist are protected."""

    protected: int = 0
    skipped: int = 0
    overdue: int = 0
    never: int = 0
    """Protected, and without a successful backup so far."""
    bad_retention: int = 0
    oldest_success: datetime | None = None
    """Start of the last successful backup of the volume where that is longest ago."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The state in a few figures."""

    cloud: str | None
    generated_at: datetime
    volumes: Tally
    backups: Mapping[State, int]
    runs: Mapping[str, LastRun]
    collected_at: datetime | None
    """When the whole cloud was last looked at."""
    is_stale: bool
    """Whether that is as long ago as would make a backup overdue."""
    worst: tuple[Late, ...]
    """The overdue volumes that are longest without a backup."""


def findings(state: Summary, *, critical: int = 1, warning: int = 1) -> list[Finding]:
    """What there is to say, the worst first.

    From `critical` overdue volumes on it is critical; from `warning` volumes on that still wait
    for their first backup it is worth a warning.
    """
    found = [*_of_volumes(state.volumes, critical, warning), *_of_runs(state)]
    if all(one.level is Level.OK for one in found):
        found.insert(0, _good(state.volumes))
    return sorted(found, key=lambda one: -one.level)


def _good(volumes: Tally) -> Finding:
    number = volumes.protected
    if not number:
        return Finding(Level.WARNING, "no volume is protected: no server is marked for it")
    if volumes.never or volumes.overdue:
        return Finding(Level.OK, f"{_volumes(number, 'protected')}")
    whose = f"all {number:,} protected volumes have" if number > 1 else "the protected volume has"
    return Finding(Level.OK, f"{whose} a recent backup")


def _of_volumes(volumes: Tally, critical: int, warning: int) -> Iterator[Finding]:
    if volumes.overdue:
        level = Level.CRITICAL if volumes.overdue >= critical else Level.WARNING
        verb = "is" if volumes.overdue == 1 else "are"
        of_all = _volumes(volumes.protected, "protected")
        yield Finding(level, f"{volumes.overdue:,} of {of_all} {verb} overdue")
    if volumes.never:
        level = Level.WARNING if volumes.never >= warning else Level.OK
        yield Finding(level, f"{_volumes(volumes.never)} never backed up so far")
    if volumes.bad_retention:
        ask = "asks" if volumes.bad_retention == 1 else "ask"
        text = f"{_volumes(volumes.bad_retention)} {ask} for a retention that is not valid"
        yield Finding(Level.OK, text)


def _of_runs(state: Summary) -> Iterator[Finding]:
    if state.collected_at is None:
        yield Finding(Level.CRITICAL, "no collect has gone through yet: the cloud is not known")
    elif state.is_stale:
        ago = age(state.generated_at, state.collected_at)
        text = f"the last good collect was {ago} ago: what is shown may be history"
        yield Finding(Level.CRITICAL, text)
    for name, run in state.runs.items():
        if run.outcome != "ok":
            how = "failed in part" if run.outcome == "partial" else run.outcome
            yield Finding(Level.WARNING, f"the last {name} {how}")


def age(now: datetime, moment: datetime) -> str:
    """How long ago, in the largest unit of which there are two."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:,} {unit}"
    return f"{seconds} s"


def _volumes(number: int, kind: str = "") -> str:
    noun = "volume" if number == 1 else "volumes"
    return f"{number:,} {kind} {noun}" if kind else f"{number:,} {noun}"
