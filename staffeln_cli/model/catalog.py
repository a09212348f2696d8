"""The catalog's facts: what Cinder needs to know a backup again."""

from dataclasses import dataclass
from typing import NamedTuple

from staffeln_cli.model.cloud import BackupId, ProjectId, VolumeId


class ExportCandidate(NamedTuple):
    """A backup whose export record the catalog wants."""

    backup_id: BackupId
    project_id: ProjectId
    volume_id: VolumeId
    is_foreign: bool = False


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """What `export_record` answers: Cinder's row of a backup, which `import_record` takes."""

    backup_service: str
    """The backup driver that wrote the backup."""
    backup_url: str
    """The row as JSON in base64."""
    parent_id: BackupId | None
    """The backup that it depends on, as the row has it; none: a full."""
