"""What a project is told: the facts of a period, sorted by what matters to its people."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from staffeln_cli.commands.outlook import Outlook
from staffeln_cli.config import Settings
from staffeln_cli.model import InventoryVolume, Kind, Origin, State, VolumeId
from staffeln_cli.planning import due
from staffeln_cli.render.text import printable

if TYPE_CHECKING:
    from staffeln_cli.store.reports import Addressee, Entry


@dataclass(frozen=True, slots=True)
class Line:
    """One thing in a list, and what there is to say about it."""

    volume: str
    server: str
    note: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made."""

    volume: str
    server: str
    backup: str
    kind: Kind
    gib: int
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class MadeOn:
    """The backups made of one server's volumes, when there are too many to name each."""

    server: str
    volumes: int
    full: int
    incremental: int
    gib: int


@dataclass(frozen=True, slots=True)
class Removed:
    """The backups of one volume that retention removed."""

    volume: str
    server: str
    number: int
    gib: int
    first: datetime
    last: datetime
    """Starts of the oldest and of the newest of them."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """Things of which the same is to be said."""

    reason: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Unsafe:
    """A protected volume without a recent backup, and why."""

    volume: str
    server: str
    why: str
    since: datetime
    is_waiting: bool
    """Nothing is wrong yet: its first backup is still to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One project's report."""

    project_id: str
    project_name: str
    since: datetime | None
    until: datetime
    protected: int
    unsafe: Sequence[Unsafe]
    failures: Sequence[Grouped]
    failed_volumes: int
    """Volumes whose last backup failed; those that went well later are not among them."""
    recovered: Sequence[Line]
    lost: Sequence[Line]
    stuck: Sequence[Line]
    made: Sequence[Made]
    made_on: Sequence[MadeOn]
    skipped: Sequence[Grouped]
    bad_retention: Sequence[Line]
    removed: Sequence[Removed]
    pinned: Sequence[Line]
    entries: Sequence["Entry"] = field(repr=False)
    """The records told of, to be marked so."""
    outlook: Outlook | None = None

    @property
    def overdue(self) -> int:
        """Protected volumes whose protection has slipped."""
        return sum(not one.is_waiting for one in self.unsafe)

    @property
    def waiting(self) -> int:
        """Protected volumes that wait for their first backup."""
        return len(self.unsafe) - self.overdue

    @property
    def is_trouble(self) -> bool:
        """Whether somebody should do something."""
        return bool(
            self.overdue or self.failed_volumes or self.lost or self.stuck or self.bad_retention
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the database knows of a project."""

    project: "Addressee"
    volumes: Sequence[InventoryVolume]
    entries: Sequence["Entry"]
    restorable: Collection[VolumeId]
    unfinished: Collection[VolumeId]


def digest(facts: Facts, settings: Settings, now: datetime) -> Digest:
    """Sort the facts. Every name and reason in it is printable, and on one line."""
    entries, volumes = facts.entries, {one.volume_id: one for one in facts.volumes}
    new = [one for one in entries if one.reported_at is None]
    failed = [one for one in new if not one.succeeded]
    still = [one for one in failed if not _recovered(one, volumes)]
    made = [_made(one) for one in new if one.succeeded and one.origin is not Origin.IMPORTED]
    gone = [one for one in entries if one.removal_reported_at is None]
    return Digest(
        project_id=facts.project.project_id,
        project_name=printable(facts.project.project_name) or facts.project.project_id,
        since=facts.project.reported_at,
        until=now,
        protected=sum(one.protected for one in facts.volumes),
        unsafe=[one for volume in facts.volumes if (one := _unsafe(volume, facts, settings, now))],
        failures=_failures(still),
        failed_volumes=len({one.volume_id for one in still}),
        recovered=[
            _line(one, _reason(one), one.finished_at) for one in failed if one not in still
        ],
        lost=[
            _line(one, _reason(one), one.deleted_at) for one in gone if one.state is State.MISSING
        ],
        stuck=[_line(one, one.delete_reason, None) for one in entries if _is_stuck(one)],
        made=made,
        made_on=_by_server(made),
        skipped=_skipped(facts.volumes),
        bad_retention=[_bad_retention(one) for one in facts.volumes if one.bad_retention],
        removed=_removed(gone),
        pinned=[_line(one, one.pin_note, one.started_at) for one in entries if one.pinned],
        entries=entries,
    )


def is_overdue(volume: InventoryVolume, settings: Settings, now: datetime) -> bool:
    """Whether a protected volume has had no successful backup for too long."""
    history = due.History(last_success_at=volume.last_success_at)
    since = volume.protected_since or volume.first_seen_at
    return due.is_overdue(history, now, settings.backup.min_interval, since)


def _unsafe(
    volume: InventoryVolume, facts: Facts, settings: Settings, now: datetime
) -> Unsafe | None:
    overdue = is_overdue(volume, settings, now)
    if not volume.protected or (volume.volume_id in facts.restorable and not overdue):
        return None
    since = volume.last_success_at or volume.protected_since or volume.first_seen_at
    waiting = volume.last_success_at is None and not overdue and not volume.failures
    return Unsafe(*_names(volume), _why(volume, facts), since, waiting)


def _why(volume: InventoryVolume, facts: Facts) -> str:
    under_way = volume.volume_id in facts.unfinished
    if volume.failures:
        tries = (
            "its last backup" if volume.failures == 1 else f"its last {volume.failures} backups"
        )
        return f"{tries} failed{', the next is under way' if under_way else ''}"
    if volume.last_success_at is None:
        return "its first backup is under way" if under_way else "waits for its first backup"
    if volume.volume_id not in facts.restorable:
        return "no backup of it is left"
    return "its next backup is under way" if under_way else "no backup was started in time"


def _recovered(entry: "Entry", volumes: dict[VolumeId, InventoryVolume]) -> bool:
    volume = volumes.get(entry.volume_id)
    if volume is None or volume.last_success_at is None:
        return False
    return volume.last_success_at > (entry.started_at or entry.planned_at)


def _failures(entries: Iterable["Entry"]) -> list[Grouped]:
    """One line for each volume, however often it was tried; the reason most often met first."""
    last: dict[VolumeId, Entry] = {}
    tries: Counter[VolumeId] = Counter()
    for one in entries:
        tries[one.volume_id] += 1
        last[one.volume_id] = one
    lines = [
        (_reason(one), _line(one, _tried(tries[one.volume_id]), one.finished_at))
        for one in last.values()
    ]
    return _grouped(lines)


def _tried(times: int) -> str:
    return f"tried {times} times" if times > 1 else ""


def _skipped(volumes: Iterable[InventoryVolume]) -> list[Grouped]:
    return _grouped(
        (printable(one.skip_reason or "not protected"), Line(*_names(one)))
        for one in volumes
        if not one.protected
    )


def _removed(entries: Iterable["Entry"]) -> list[Removed]:
    groups: dict[VolumeId, list[Entry]] = {}
    for one in entries:
        if one.state is State.DELETED and one.succeeded:
            groups.setdefault(one.volume_id, []).append(one)
    return [_removed_of(group) for group in groups.values()]


def _removed_of(group: Sequence["Entry"]) -> Removed:
    starts = [one.started_at or one.planned_at for one in group]
    gib = sum(one.size_gib or 0 for one in group)
    return Removed(*_names(group[-1]), len(group), gib, min(starts), max(starts))


def _bad_retention(volume: InventoryVolume) -> Line:
    kept = volume.retention or "the default"
    text = (
        f"{volume.bad_retention} is no retention; {kept} holds, if that is longer than the default"
    )
    if volume.retention is None:
        text = f"{volume.bad_retention} is no retention; the default holds"
    return Line(*_names(volume), printable(text))


def _grouped(lines: Iterable[tuple[str, Line]]) -> list[Grouped]:
    groups: dict[str, list[Line]] = {}
    for reason, line in lines:
        groups.setdefault(reason, []).append(line)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [Grouped(reason, members) for reason, members in ordered]


def _by_server(made: Iterable[Made]) -> list[MadeOn]:
    groups: dict[str, list[Made]] = {}
    for one in made:
        groups.setdefault(one.server, []).append(one)
    return [
        MadeOn(
            server,
            len({one.volume for one in group}),
            sum(one.kind is Kind.FULL for one in group),
            sum(one.kind is Kind.INCREMENTAL for one in group),
            sum(one.gib for one in group),
        )
        for server, group in groups.items()
    ]


def _made(entry: "Entry") -> Made:
    return Made(
        *_names(entry),
        printable(entry.name),
        entry.kind,
        entry.size_gib or 0,
        entry.started_at,
        entry.finished_at,
    )


def _is_stuck(entry: "Entry") -> bool:
    return entry.delete_attempts > 0 and entry.state in (State.FAILED, State.DELETING)


def _reason(entry: "Entry") -> str:
    return printable(entry.reason or "no reason was given")


def _line(entry: "Entry", note: str | None, at: datetime | None) -> Line:
    return Line(*_names(entry), printable(note or ""), at)


def _names(thing: "InventoryVolume | Entry") -> tuple[str, str]:
    return printable(thing.volume_name) or thing.volume_id, printable(thing.server_name)
