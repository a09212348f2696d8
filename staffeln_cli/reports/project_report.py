"""Make a project's report from what the database knows about it."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from staffeln_cli.config import Settings
from staffeln_cli.model import (
    BackupRecord,
    Drill,
    InventoryVolume,
    Kind,
    Origin,
    ProjectId,
    ProjectRecord,
    State,
    VolumeId,
)
from staffeln_cli.model.text import one_line
from staffeln_cli.planning.protection.pausing import NO_PAUSES, Pauses
from staffeln_cli.planning.retention.shortening import shortening_ends_at
from staffeln_cli.reports.model import (
    Grouped,
    Item,
    Made,
    MadeOn,
    ProjectReport,
    Removed,
    Trouble,
    Unsafe,
)
from staffeln_cli.reports.proofs import proofs_of
from staffeln_cli.reports.protection import protection_state

_FIGURES = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+")
_AND_ALIKE = " (and alike, with other figures)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the database knows of a project."""

    project: ProjectRecord
    volumes: Sequence[InventoryVolume]
    records: Sequence[BackupRecord]
    restorable: Collection[VolumeId]
    unfinished: Collection[VolumeId]
    pauses: Pauses = NO_PAUSES
    ended: Sequence[InventoryVolume] = ()
    """Volumes whose loss of protection was not reported yet."""
    shortened: Sequence[InventoryVolume] = ()
    """Volumes whose shorter retention, or whose end, takes effect soon."""
    drills: Mapping[VolumeId, Sequence[Drill]] = field(default_factory=dict)
    """The restore drills of its volumes, oldest first."""


def project_report(known: Known, settings: Settings, now: datetime) -> ProjectReport:
    """Sort the facts. Every name and reason in the report is printable, on one line."""
    volumes = {one.volume_id: one for one in known.volumes}
    new = [one for one in known.records if one.reported_at is None]
    failed = [one for one in new if not one.succeeded]
    made = [
        _made(one)
        for one in new
        if one.succeeded and one.seen_again_at is None and one.origin is not Origin.IMPORTED
    ]
    gone = [one for one in known.records if one.removal_reported_at is None]
    unpaused = (one for one in known.volumes if known.pauses.of(one) is None)
    unsafe = (_unsafe(one, known, settings, now) for one in unpaused)
    return ProjectReport(
        project_id=known.project.project_id,
        project_name=one_line(known.project.project_name) or known.project.project_id,
        since=known.project.reported_at,
        until=now,
        protected=sum(one.protected for one in known.volumes),
        unsafe=[one for one in unsafe if one is not None],
        trouble=trouble(
            failed=[one for one in failed if not _recovered(one, volumes)],
            lost=[one for one in gone if one.state is State.MISSING],
            stuck=[one for one in known.records if is_stuck(one)],
        ),
        recovered=[
            _item(one, _reason(one), one.finished_at) for one in failed if _recovered(one, volumes)
        ],
        made=made,
        made_on=_by_server(made),
        skipped=_skipped(known.volumes),
        bad_retention=[bad_retention(one) for one in known.volumes if one.bad_retention],
        ended=[protection_end(one) for one in known.ended],
        ended_volumes=[one.volume_id for one in known.ended],
        seen_again=[
            _item(one, "", one.seen_again_at) for one in new if one.seen_again_at is not None
        ],
        shortened=[
            _shortened(one, settings, now)
            for one in known.shortened
            if one.retention_shortened_at is not None
        ],
        gone=[
            _ended(one, settings, now)
            for one in known.shortened
            if one.retention_shortened_at is None
        ],
        removed=_removed(gone),
        pinned=[_item(one, one.pin_note, one.started_at) for one in known.records if one.pinned],
        records=known.records,
        proofs=proofs_of(known.volumes, known.drills),
        drills=[
            one.id
            for some in known.drills.values()
            for one in some
            if one.reported_at is None and one.ended_at is not None
        ],
    )


def trouble(
    *,
    failed: Sequence[BackupRecord],
    lost: Iterable[BackupRecord],
    stuck: Iterable[BackupRecord],
    project_names: Mapping[ProjectId, str] | None = None,
) -> Trouble:
    """One item for each volume that failed, however often; the most frequent reason first."""
    last = {one.volume_id: one for one in failed}
    tries = Counter(one.volume_id for one in failed)

    def item(record: BackupRecord, note: str | None, at: datetime | None) -> Item:
        project = (project_names or {}).get(record.project_id, "")
        return _item(record, note, at, project)

    return Trouble(
        failures=_grouped(
            (_reason(one), item(one, _tried(tries[one.volume_id]), one.finished_at))
            for one in last.values()
        ),
        failed=len(last),
        lost=[item(one, "", one.deleted_at) for one in lost],
        stuck=[item(one, one.delete_refusal or one.delete_reason, None) for one in stuck],
    )


def is_stuck(record: BackupRecord) -> bool:
    """Whether Cinder has refused to delete it so far."""
    return record.delete_attempts > 0 and record.state in (State.FAILED, State.DELETING)


def protection_end(volume: InventoryVolume, project: str = "") -> Item:
    """Which volume lost its protection, when, and why."""
    reason = one_line(volume.skip_reason or "not protected")
    return Item(*_names(volume), reason, volume.protection_ended_at, project)


def bad_retention(volume: InventoryVolume, project: str = "") -> Item:
    """The retention in a server's metadata that is not valid, and what holds instead."""
    holds = "the default"
    if volume.retention is not None:
        holds = f"the longer of {volume.retention} and the default"
    text = one_line(f"{volume.bad_retention} is no retention; {holds} holds")
    return Item(*_names(volume), text, project=project)


def _shortened(volume: InventoryVolume, settings: Settings, now: datetime) -> Item:
    """Which retention was shortened, to what, and when that takes effect."""
    default = f"the default, {settings.retention.time}"
    before, after = volume.retention_before or default, volume.retention or default
    text = f"shortened from {before} to {after}: backups may be removed from then on"
    return Item(*_names(volume), one_line(text), _takes_effect_at(volume, settings, now))


def _ended(volume: InventoryVolume, settings: Settings, now: datetime) -> Item:
    """Which volume is gone, and from when on no backup is kept for its sake."""
    text = "the volume is gone: its last backups may be removed from then on"
    return Item(*_names(volume), text, _takes_effect_at(volume, settings, now))


def _takes_effect_at(volume: InventoryVolume, settings: Settings, now: datetime) -> datetime:
    return shortening_ends_at(volume, settings.retention.grace, now) or now


def _unsafe(
    volume: InventoryVolume, known: Known, settings: Settings, now: datetime
) -> Unsafe | None:
    restorable = volume.volume_id in known.restorable
    state = protection_state(volume, restorable=restorable, settings=settings, now=now)
    if state is None:
        return None
    return Unsafe(*_names(volume), _why(volume, known), volume.last_success_at, state)


def _why(volume: InventoryVolume, known: Known) -> str:
    on_its_way = volume.volume_id in known.unfinished
    if volume.failures:
        tries = (
            "its last backup" if volume.failures == 1 else f"its last {volume.failures} backups"
        )
        return f"{tries} failed{', another is on its way' if on_its_way else ''}"
    if volume.unrestorable_since is not None:
        return "no backup of it is left" + (", another is on its way" if on_its_way else "")
    if volume.last_success_at is None:
        return "its first backup is on its way" if on_its_way else "no backup was started so far"
    if volume.volume_id not in known.restorable:
        return "no backup of it is left"
    return "its next backup is on its way" if on_its_way else "no backup was started in time"


def _recovered(record: BackupRecord, volumes: dict[VolumeId, InventoryVolume]) -> bool:
    volume = volumes.get(record.volume_id)
    if volume is None or volume.last_success_at is None:
        return False
    return volume.last_success_at > (record.started_at or record.planned_at)


def _tried(times: int) -> str:
    return f"tried {times} times" if times > 1 else ""


def _skipped(volumes: Iterable[InventoryVolume]) -> list[Grouped]:
    return _grouped(
        (one_line(one.skip_reason or "not protected"), Item(*_names(one)))
        for one in volumes
        if not one.protected
    )


def _grouped(items: Iterable[tuple[str, Item]]) -> list[Grouped]:
    """Items by reason; reasons that differ only in Cinder's sizes and ids count as one."""
    groups: dict[str, list[tuple[str, Item]]] = {}
    for reason, item in items:
        groups.setdefault(_FIGURES.sub("#", reason), []).append((reason, item))
    found = [
        Grouped(
            members[0][0] + (_AND_ALIKE if len({reason for reason, _ in members}) > 1 else ""),
            [item for _, item in members],
        )
        for members in groups.values()
    ]
    return sorted(found, key=lambda group: (-len(group.items), group.reason))


def _removed(records: Iterable[BackupRecord]) -> list[Removed]:
    groups: dict[VolumeId, list[BackupRecord]] = {}
    for one in records:
        if one.state is State.DELETED and one.succeeded:
            groups.setdefault(one.volume_id, []).append(one)
    return [_removed_of(group) for group in groups.values()]


def _removed_of(group: Sequence[BackupRecord]) -> Removed:
    starts = [one.started_at or one.planned_at for one in group]
    gib = sum(one.size_gib or 0 for one in group)
    return Removed(*_names(group[-1]), len(group), gib, min(starts), max(starts))


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


def _made(record: BackupRecord) -> Made:
    times = (record.started_at, record.finished_at)
    return Made(*_names(record), one_line(record.name), record.kind, record.size_gib or 0, *times)


def _reason(record: BackupRecord) -> str:
    return one_line(record.reason or "no reason was given")


def _item(record: BackupRecord, note: str | None, at: datetime | None, project: str = "") -> Item:
    return Item(*_names(record), one_line(note or ""), at, one_line(project))


def _names(thing: InventoryVolume | BackupRecord) -> tuple[str, str]:
    return one_line(thing.volume_name) or thing.volume_id, one_line(thing.server_name)
