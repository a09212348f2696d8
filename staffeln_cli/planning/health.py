"""Overall health: turns volume and run statistics into OK, WARNING or CRITICAL findings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from staffeln_cli.model import ProjectId, ProjectQuota, State, VolumeId
from staffeln_cli.model.pauses import Pause
from staffeln_cli.model.text import many
from staffeln_cli.planning.estimates import Work
from staffeln_cli.planning.retention.keep_rules import stamp

WATCHED = frozenset({"restore", "catalog import"})
"""Commands that people give and watch; nothing repeats them, so a failure would stay news."""


class Level(IntEnum):
    """How bad a finding is, with the numbers of Nagios."""

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
    unknown: int = 0
    """Cinder or Keystone did not list them or their project; neither is proven to be gone."""
    ended: int = 0
    """Their protection ended in the last report period, or in the last day."""
    future: int = 0
    """Their history has moments that lie in the future: a clock was wrong."""
    lost: int = 0
    """All their backups are missing or broken."""
    proven: int = 0
    """Protected, and restored for proof within `verify.every`."""
    proof_failed: int = 0
    """Protected, and the newest backup that a drill restored could not be restored."""
    proofs: dict[VolumeId, datetime] = field(default_factory=dict)
    """When each protected volume was last proven."""
    shortened: int = 0
    """Shorter retention of these takes effect soon: some of their backups may then go."""
    shortened_from: datetime | None = None
    """When the first of that takes effect."""
    paused: int = 0
    """Protected, and nothing is planned for them."""
    paused_overdue: int = 0
    """Of those, the ones that would be overdue; they are not among the overdue ones."""
    oldest_success: datetime | None = None
    """The oldest of the volumes' last successful backups: its start."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The state in a few figures."""

    cloud: str | None
    generated_at: datetime
    volumes: Tally
    backups: Mapping[State, int]
    runs: Mapping[str, LastRun]
    collected_at: datetime | None
    """When the whole cloud was last listed."""
    is_stale: bool
    """Whether that is so long ago that a backup would be overdue."""
    worst: tuple[Late, ...]
    """The overdue volumes that have been without a backup for the longest time."""
    untracked: int = 0
    """Backups of Staffeln's in Cinder that no live record accounts for."""
    late_runs: Mapping[str, datetime] = field(default_factory=dict)
    """Passes that have not ended for too long, and when the last one began."""
    work: Work = field(default_factory=Work)
    pauses: tuple[Pause, ...] = ()
    quotas: Mapping[ProjectId, ProjectQuota] = field(default_factory=dict)
    """The quotas of projects, as reports last saw them."""
    proven_every: str = ""
    """The time within which each volume is to be proven."""
    recovery_rates: Mapping[int, float] = field(default_factory=dict)
    """What a restore takes: median seconds per GiB, by the number of backups in the chain."""

    @property
    def proofs(self) -> str | None:
        """How many volumes are proven, in words; None before the first restore drill."""
        if not self.volumes.proofs and not self.volumes.proof_failed:
            return None
        of_all = f"{self.volumes.proven:,} of {many(self.volumes.protected, 'volume')}"
        return f"{of_all} proven in the last {self.proven_every}"


def findings(state: Summary, *, critical: int = 1, warning: int = 1) -> list[Finding]:
    """The findings about a state, the worst first.

    `critical` overdue volumes make it CRITICAL, `warning` volumes without a first backup WARNING.
    """
    found = [
        *_of_volumes(state.volumes, critical, warning),
        *_of_pauses(state.volumes),
        *_of_evidence(state),
        *_of_shortening(state.volumes),
        *_of_runs(state),
    ]
    if all(finding.level is Level.OK for finding in found):
        found.insert(0, _good(state.volumes))
    return sorted(found, key=lambda finding: -finding.level)


def _good(volumes: Tally) -> Finding:
    number = volumes.protected
    if not number:
        return Finding(Level.WARNING, "no volume is protected: no server is marked for it")
    if volumes.never or volumes.overdue or volumes.paused:
        return Finding(Level.OK, many(number, "protected volume"))
    whose = f"all {number:,} protected volumes have" if number > 1 else "the protected volume has"
    return Finding(Level.OK, f"{whose} a recent backup")


def _of_pauses(volumes: Tally) -> Iterator[Finding]:
    """Paused volumes; those without a recent backup are not OK."""
    if volumes.paused_overdue:
        text = f"{many(volumes.paused_overdue, 'paused volume')} without a recent backup"
        yield Finding(Level.WARNING, text)
    elif volumes.paused:
        yield Finding(Level.OK, f"{many(volumes.paused, 'volume')} paused")


def _of_volumes(volumes: Tally, critical: int, warning: int) -> Iterator[Finding]:
    if volumes.overdue:
        level = Level.CRITICAL if volumes.overdue >= critical else Level.WARNING
        verb = "is" if volumes.overdue == 1 else "are"
        of_all = many(volumes.protected, "protected volume")
        yield Finding(level, f"{volumes.overdue:,} of {of_all} {verb} overdue")
    if volumes.proof_failed:
        of_all = many(volumes.proof_failed, "protected volume")
        yield Finding(Level.CRITICAL, f"{of_all} failed the restore drill: not proven since")
    if volumes.never:
        level = Level.WARNING if volumes.never >= warning else Level.OK
        yield Finding(level, f"{many(volumes.never, 'volume')} never backed up so far")
    if volumes.bad_retention:
        ask = "asks" if volumes.bad_retention == 1 else "ask"
        text = f"{many(volumes.bad_retention, 'volume')} {ask} for a retention that is not valid"
        yield Finding(Level.OK, text)


def _of_evidence(state: Summary) -> Iterator[Finding]:
    volumes = state.volumes
    if volumes.lost:
        text = f"all backups of {many(volumes.lost, 'volume')} are missing or broken"
        yield Finding(Level.CRITICAL, text)
    for number, text in (
        (volumes.ended, f"protection of {many(volumes.ended, 'volume')} ended lately"),
        (
            volumes.unknown,
            f"{many(volumes.unknown, 'protected volume')} unknown to Cinder or Keystone",
        ),
        (state.untracked, f"{many(state.untracked, 'backup')} of Staffeln's without a record"),
        (
            volumes.future,
            f"{many(volumes.future, 'volume')} with a history that lies in the future",
        ),
    ):
        if number:
            yield Finding(Level.WARNING, text)


def _of_shortening(volumes: Tally) -> Iterator[Finding]:
    if volumes.shortened_from is not None:
        whose, begins = many(volumes.shortened, "volume"), stamp(volumes.shortened_from)
        text = f"the retention of {whose} was shortened: backups may go from {begins}"
        yield Finding(Level.WARNING, text)


def _of_runs(state: Summary) -> Iterator[Finding]:
    if state.collected_at is None:
        yield Finding(
            Level.CRITICAL, "collect has never completed: nothing is known about the cloud yet"
        )
    elif state.is_stale:
        ago = age(state.generated_at, state.collected_at)
        text = f"the last good collect was {ago} ago: the figures may be outdated"
        yield Finding(Level.CRITICAL, text)
    for name, began in state.late_runs.items():
        text = f"the last {name} that ended began {age(state.generated_at, began)} ago"
        yield Finding(Level.WARNING, text)
    for name, run in state.runs.items():
        if run.outcome != "ok" and name not in WATCHED:
            how = "failed in part" if run.outcome == "partial" else run.outcome
            yield Finding(Level.WARNING, f"the last {name} {how}")


def age(now: datetime, moment: datetime) -> str:
    """How long ago, in the largest unit that gives at least 2."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:,} {unit}"
    return f"{seconds} s"
