"""Make a project's report from what the database knows about it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from staffeln_cli.config import Settings
from staffeln_cli.model import (
    BackupRecord,
    Drill,
    InventoryVolume,
    ProjectRecord,
    State,
    VolumeId,
)
from staffeln_cli.model.text import one_line
from staffeln_cli.planning.protection.pausing import NO_PAUSES, Pauses
from staffeln_cli.reports.changes import made_by_server, made_of, removed_of
from staffeln_cli.reports.items import item_of, reason_of
from staffeln_cli.reports.model import Item, ProjectReport, Unsafe
from staffeln_cli.reports.proofs import proofs_of
from staffeln_cli.reports.protection import protection_state, skipped_of, unsafe_of
from staffeln_cli.reports.terms import bad_retention, end_of_volume, protection_end, shortening
from staffeln_cli.reports.trouble import is_stuck, trouble


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

    @property
    def new(self) -> list[BackupRecord]:
        """What happened and was not reported yet."""
        return [record for record in self.records if record.reported_at is None]

    @property
    def gone(self) -> list[BackupRecord]:
        """What is there, and what is gone if that was not reported yet."""
        return [record for record in self.records if record.removal_reported_at is None]

    @property
    def broken(self) -> list[BackupRecord]:
        """What broke, and was not reported yet."""
        return [
            record
            for record in self.records
            if record.is_broken and record.broken_reported_at is None
        ]


def project_report(known: Known, settings: Settings, now: datetime) -> ProjectReport:
    """Sort the facts. Every name and reason in the report is printable, on one line."""
    failed = [record for record in known.new if not record.succeeded]
    last_success = {volume.volume_id: volume.last_success_at for volume in known.volumes}
    recovered = [record for record in failed if _has_recovered(record, last_success)]
    made = made_of(known.new)
    return ProjectReport(
        project_id=known.project.project_id,
        project_name=one_line(known.project.project_name) or known.project.project_id,
        since=known.project.reported_at,
        until=now,
        protected=sum(volume.protected for volume in known.volumes),
        unsafe=[*_unsafe(known, settings, now)],
        trouble=trouble(
            failed=[record for record in failed if not _has_recovered(record, last_success)],
            lost=[record for record in known.gone if record.state is State.MISSING],
            broken=known.broken,
            stuck=[record for record in known.records if is_stuck(record)],
        ),
        recovered=[item_of(record, reason_of(record), record.finished_at) for record in recovered],
        made=made,
        made_on=made_by_server(made),
        skipped=skipped_of(known.volumes),
        bad_retention=[bad_retention(volume) for volume in known.volumes if volume.bad_retention],
        ended=[protection_end(volume) for volume in known.ended],
        ended_volumes=[volume.volume_id for volume in known.ended],
        seen_again=[*_seen_again(known)],
        shortened=[shortening(volume, settings, now) for volume in _shortened(known)],
        gone=[end_of_volume(volume, settings, now) for volume in _ended_volumes(known)],
        removed=removed_of(known.gone),
        pinned=[
            item_of(record, record.pin_note, record.started_at)
            for record in known.records
            if record.pinned
        ],
        records=known.records,
        proofs=proofs_of(known.volumes, known.drills),
        drills=[drill.id for drill in _new_drills(known)],
    )


def _unsafe(known: Known, settings: Settings, now: datetime) -> Iterator[Unsafe]:
    """The protected volumes that are not well protected, but for those that are paused."""
    for volume in known.volumes:
        if known.pauses.of(volume) is not None:
            continue
        restorable = volume.volume_id in known.restorable
        state = protection_state(volume, restorable=restorable, settings=settings, now=now)
        if state is not None:
            yield unsafe_of(volume, state, known.restorable, known.unfinished)


def _has_recovered(record: BackupRecord, last_success: Mapping[VolumeId, datetime | None]) -> bool:
    """Whether a later backup of the volume went well."""
    success_at = last_success.get(record.volume_id)
    return success_at is not None and success_at > (record.started_at or record.planned_at)


def _seen_again(known: Known) -> Iterator[Item]:
    return (
        item_of(record, "", record.seen_again_at)
        for record in known.new
        if record.seen_again_at is not None
    )


def _shortened(known: Known) -> Iterator[InventoryVolume]:
    return (volume for volume in known.shortened if volume.retention_shortened_at is not None)


def _ended_volumes(known: Known) -> Iterator[InventoryVolume]:
    return (volume for volume in known.shortened if volume.retention_shortened_at is None)


def _new_drills(known: Known) -> Iterator[Drill]:
    """The drills that have ended and were not reported yet."""
    return (
        drill
        for drills in known.drills.values()
        for drill in drills
        if drill.reported_at is None and drill.ended_at is not None
    )
