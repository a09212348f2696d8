"""A log line for each move of a backup record, once it is committed."""

import logging
from collections.abc import Collection, Iterable, Mapping

from staffeln_cli.model import BackupRecord, RecordId, State
from staffeln_cli.model.text import many

log = logging.getLogger(__name__)


def planned(records: Iterable[BackupRecord], inserted: Collection[RecordId]) -> None:
    """Log the records that were inserted. Where nobody reads that, a plan of thousands is free."""
    if not log.isEnabledFor(logging.INFO):
        return
    for record in records:
        if record.id in inserted:
            backup = _named(record, record.backup_id)
            log.info("%s: new -> %s%s", backup, record.state, _why(record.reason))


def moved(record: BackupRecord, new: State, values: Mapping[str, object]) -> None:
    """Log a move from the state that `record` has to a new one, with the reason among `values`."""
    reason = values.get("delete_reason") or values.get("reason")
    backup = _named(record, values.get("backup_id") or record.backup_id)
    log.info("%s: %s -> %s%s", backup, record.state, new, _why(reason))


def cancelled(number: int, reason: str) -> None:
    """Log how many plans were cancelled at once."""
    if number:
        log.info("%s: planned -> cancelled%s", many(number, "backup"), _why(reason))


def _named(record: BackupRecord, backup_id: object) -> str:
    where = f"volume {record.volume_id}, project {record.project_id}"
    return f"backup {record.name} ({backup_id or 'no id yet'}, {where})"


def _why(reason: object) -> str:
    return f": {reason}" if reason else ""
