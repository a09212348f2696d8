"""The catalog's facts: what Cinder needs to know a backup again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
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


CATALOG_PREFIX = "staffeln-catalog-"
CATALOG_SUFFIX = ".jsonl.gz"


def catalog_name(moment: datetime, token: str) -> str:
    """The name of a catalog file in a folder; such names sort by time."""
    return f"{CATALOG_PREFIX}{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}-{token}{CATALOG_SUFFIX}"


def newest_catalog(names: Iterable[str]) -> tuple[str, datetime] | None:
    """Of these files the newest catalog, and when it was written."""
    written: list[tuple[datetime, str]] = []
    for name in names:
        if name.startswith(CATALOG_PREFIX) and name.endswith(CATALOG_SUFFIX):
            stamp = name[len(CATALOG_PREFIX) : len(CATALOG_PREFIX) + len("20261127T200000Z")]
            try:
                moment = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            except ValueError:
                continue
            written.append((moment, name))
    if not written:
        return None
    moment, name = max(written)
    return name, moment
