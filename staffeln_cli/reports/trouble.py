"""What a report says of failed, lost, broken and stuck backups."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from staffeln_cli.model import BackupRecord, ProjectId, State
from staffeln_cli.reports.items import grouped, item_of, reason_of
from staffeln_cli.reports.model import Item, Trouble


def trouble(
    *,
    failed: Sequence[BackupRecord],
    lost: Iterable[BackupRecord],
    broken: Iterable[BackupRecord],
    stuck: Iterable[BackupRecord],
    project_names: Mapping[ProjectId, str] | None = None,
) -> Trouble:
    """One item for each volume that failed, however often; the most frequent reason first."""
    last = {record.volume_id: record for record in failed}
    tries = Counter(record.volume_id for record in failed)

    def item(record: BackupRecord, note: str | None, at: datetime | None) -> Item:
        project = (project_names or {}).get(record.project_id, "")
        return item_of(record, note, at, project)

    return Trouble(
        failures=grouped(
            (reason_of(record), item(record, _tried(tries[volume_id]), record.finished_at))
            for volume_id, record in last.items()
        ),
        failed=len(last),
        lost=[item(record, "", record.deleted_at) for record in lost],
        broken=[item(record, record.reason, record.broken_at) for record in broken],
        stuck=[
            item(record, record.delete_refusal or record.delete_reason, None) for record in stuck
        ],
    )


def is_stuck(record: BackupRecord) -> bool:
    """Whether Cinder has refused to delete it so far."""
    return record.delete_attempts > 0 and record.state in (State.FAILED, State.DELETING)


def _tried(times: int) -> str:
    return f"tried {times} times" if times > 1 else ""
