"""Fetch the export record of each backup once: what Cinder needs to know the backup again."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from staffeln_cli.errors import (
    BackupGone,
    CloudUnavailable,
    NoAccess,
    ProjectUnavailable,
    Refused,
    ResultUnknown,
    StaffelnError,
)
from staffeln_cli.model import Backup, BackupId, ExportCandidate, ExportRecord
from staffeln_cli.model.statuses import BACKUP_UNRESTORABLE
from staffeln_cli.operations import absence
from staffeln_cli.operations.absence import Suspect
from staffeln_cli.planning.evidence import Confirmation, believed
from staffeln_cli.runtime import Run

log = logging.getLogger(__name__)
_FIRST_PAUSE = timedelta(minutes=10)
_OFTEN = 5
"""After so many refusals of one record the pass names it."""


@dataclass(slots=True)
class ForeignBackups:
    """The backups of a complete listing that no record is of: Staffeln did not make them."""

    available: list[ExportCandidate] = field(default_factory=list)
    broken: dict[BackupId, Backup] = field(default_factory=dict)
    """Those that cannot be restored, and nothing that depends on them."""
    ids: set[BackupId] = field(default_factory=set)
    ours_are_complete: bool = False
    """The listing has all backups that are available by our records."""

    def add(self, backup: Backup) -> None:
        """Note a backup of the listing."""
        self.ids.add(backup.id)
        if backup.status == "available":
            self.available.append(
                ExportCandidate(backup.id, backup.project_id, backup.volume_id, is_foreign=True)
            )
        elif backup.status in BACKUP_UNRESTORABLE:
            self.broken[backup.id] = backup


def collect(run: Run, foreign: ForeignBackups | None) -> None:
    """Fetch records that are still lacking, at most `catalog.per_pass` of them.

    `foreign` are the others' backups of a complete listing, if there was one in this pass: those
    in chains with backups of ours are fetched, too.
    """
    if not run.settings.catalog.records:
        return
    limit = run.settings.catalog.per_pass
    wanted = run.store.exports.without_record(limit, run.now())
    if foreign is not None:
        wanted += _in_our_chains(run, foreign)
    for candidate, answer in run.parallel(lambda one: _fetched(run, one), wanted[:limit]):
        if isinstance(answer, NoAccess):
            run.fail("catalog", "export_record", f"{_FORBIDDEN} ({answer})")
            break
        _note(run, candidate, answer)


def _note(run: Run, candidate: ExportCandidate, answer: ExportRecord | StaffelnError) -> None:
    if isinstance(answer, ExportRecord):
        run.store.exports.note(candidate, answer, run.now())
    elif not isinstance(answer, BackupGone):  # the next listing tells what became of it
        _later(run, candidate, answer)


_FORBIDDEN = (
    "Cinder refuses it: the login needs what its policy backup:export-import asks for, the role"
    " of an admin by default; to go without a catalog, set catalog.records = false"
)


def _in_our_chains(run: Run, foreign: ForeignBackups) -> list[ExportCandidate]:
    if not foreign.available:
        return []
    volume_ids = list({candidate.volume_id for candidate in foreign.available})
    chains = run.store.exports.chain_volumes(volume_ids)
    there = [one for one in foreign.available if (one.project_id, one.volume_id) in chains]
    known = run.store.exports.known([one.backup_id for one in there], run.now())
    return [one for one in there if one.backup_id not in known]


def gone(run: Run, foreign: ForeignBackups) -> Sequence[ExportCandidate]:
    """The foreign backups that ours depend on, or that have a record here, and are gone.

    By a complete listing, whether or not export records are wanted. Not those of volumes without
    a backup of ours: there Cinder may have lost them all, and the catalog is to bring them back.
    Many at once are believed as well: others remove theirs as they like, and ours are all there.
    """
    if not foreign.ours_are_complete:
        return ()
    there = foreign.ids
    kept = dict.fromkeys(run.store.exports.foreign_bases()) | run.store.exports.foreign()
    for candidate, suspected_at in kept.items():
        if suspected_at is not None and candidate.backup_id in there:
            run.store.exports.suspect(candidate, None)
    absent = [candidate for candidate in kept if candidate.backup_id not in there]
    if not absent:
        return ()
    chains = run.store.exports.chain_volumes(list({one.volume_id for one in absent}))
    suspects = [
        Suspect(one, one.backup_id, absence.ALWAYS, kept[one])
        for one in absent
        if (one.project_id, one.volume_id) in chains
    ]
    kind = absence.Kind("foreign backup", len(kept), Confirmation(is_given=True))
    found = absence.confirm(
        run, kind, suspects, lambda one: run.cloud.backups.look(one.backup_id) is not None
    )
    for candidate in found.suspected:
        if believed(kept[candidate], run.now()) is None:
            run.store.exports.suspect(candidate, run.now())
    return found.gone


def _fetched(run: Run, candidate: ExportCandidate) -> ExportRecord | StaffelnError:
    try:
        return run.cloud.catalog.export_record(candidate.backup_id)
    except (Refused, CloudUnavailable, ProjectUnavailable, ResultUnknown) as refusal:
        return refusal


def _later(run: Run, candidate: ExportCandidate, refusal: StaffelnError) -> None:
    """A busy backup host may answer 500; the record is asked for again after a pause."""
    failures = run.store.exports.note_refusal(candidate, run.now(), _FIRST_PAUSE)
    log.info("backup %s: no export record yet: %s", candidate.backup_id, refusal)
    if failures >= _OFTEN:
        reason = f"its export record could not be fetched in {failures} attempts: {refusal}"
        run.fail("backup", candidate.backup_id, reason)
