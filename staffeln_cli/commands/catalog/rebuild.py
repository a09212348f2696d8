"""Make a catalog from the backup store alone, where no catalog was saved.

For the drivers that write to a file system: posix, NFS, GlusterFS. Beside the chunks of a backup
they keep a file `*_metadata`, which has nearly all that Cinder's row had.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from staffeln_cli.cloud import encoded_row
from staffeln_cli.commands.catalog.file import FORMAT, Header, Writer
from staffeln_cli.commands.catalog.key import key_of
from staffeln_cli.commands.catalog.save import replaced_file
from staffeln_cli.errors import Unavailable
from staffeln_cli.model import Outcome
from staffeln_cli.runtime import Run, Runtime, run_offline

COUNTS = ("backups", "failed")
DRIVER = "cinder.backup.drivers.posix.PosixBackupDriver"
_METADATA = "_metadata"
_SHA256 = "_sha256file"


@dataclass(frozen=True, slots=True)
class Store:
    """Where the backups are, and what their files do not say."""

    folder: Path
    driver: str = DRIVER
    zone: str | None = None
    """The zone of the backup host; none: that of each volume."""


class _Volume(msgspec.Struct):
    project_id: str
    user_id: str
    size: int
    availability_zone: str | None = None
    encryption_key_id: str | None = None


class _VolumeMetadata(msgspec.Struct):
    volume: _Volume = msgspec.field(name="volume-base-metadata")


class _Backup(msgspec.Struct):
    """What is needed of a `*_metadata` file; cinder:cinder/backup/chunkeddriver.py writes it."""

    backup_id: str
    volume_id: str
    created_at: str
    volume_meta: str
    backup_name: str | None = None
    backup_description: str | None = None
    parent_id: str | None = None
    objects: list[Any] = []


def run(runtime: Runtime, store: Store, target: Path) -> Outcome:
    """Write a catalog of every backup in the store; it reads the store and asks nobody."""
    return run_offline(
        runtime, "catalog rebuild", lambda run: _rebuild(run, store, target), counts=COUNTS
    )


def _rebuild(run: Run, store: Store, target: Path) -> None:
    header = Header(
        staffeln_catalog=FORMAT, written_at=f"{run.now():%Y-%m-%dT%H:%M:%SZ}", schema=""
    )
    key = key_of(run.settings.catalog)
    rows = sorted(_rows(run, store), key=lambda row: (row["volume_id"], row["id"]))
    children = Counter(row["parent_id"] for row in rows)
    try:
        with replaced_file(target) as file:
            writer = Writer(file, header)
            for row in rows:
                row["num_dependent_backups"] = children[row["id"]]
                writer.add("export_records", _export_record(row))
            writer.finish(key)
    except OSError as error:
        raise Unavailable(f"{target}: cannot be written: {error.strerror}") from error
    run.counts["backups"] = len(rows)


def _rows(run: Run, store: Store) -> Iterator[dict[str, Any]]:
    if not store.folder.is_dir():
        raise Unavailable(f"{store.folder}: is not a folder that can be read")
    for path in sorted(store.folder.rglob(f"*{_METADATA}")):
        run.runtime.stop.check()
        try:
            yield _row(store, path)
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            run.count("failed")
            run.fail("file", str(path), f"is not understood: {error}")


def _row(store: Store, path: Path) -> dict[str, Any]:
    """Cinder's row of a backup, but for how many depend on it."""
    prefix = path.name.removesuffix(_METADATA)
    if not path.with_name(prefix + _SHA256).exists():
        raise ValueError(f"{prefix + _SHA256} is missing: the backup was not finished")
    backup = msgspec.json.decode(path.read_bytes(), type=_Backup)
    volume = msgspec.json.decode(backup.volume_meta, type=_VolumeMetadata).volume
    created_at = datetime.fromisoformat(backup.created_at)
    if created_at.tzinfo is None:
        created_at = created_at.replace(tzinfo=UTC)
    return _cinder_row(store, backup, volume, created_at) | {
        "container": str(path.parent.relative_to(store.folder)),
        "service_metadata": prefix,
    }


def _export_record(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "backup_id": row["id"],
        "volume_id": row["volume_id"],
        "project_id": row["project_id"],
        "parent_id": row["parent_id"],
        "is_foreign": False,
        "backup_service": row["service"],
        "backup_url": encoded_row(row),
    }


def _cinder_row(
    store: Store, backup: _Backup, volume: _Volume, created_at: datetime
) -> dict[str, Any]:
    moment = f"{created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "driver_info": {},
        "id": backup.backup_id,
        "user_id": volume.user_id,
        "project_id": volume.project_id,
        "volume_id": backup.volume_id,
        "host": None,
        "availability_zone": store.zone or volume.availability_zone,
        "parent_id": backup.parent_id,
        "status": "available",
        "fail_reason": None,
        "size": volume.size,
        "display_name": backup.backup_name,
        "display_description": backup.backup_description,
        "service": store.driver,
        "object_count": len(backup.objects),
        "temp_volume_id": None,
        "temp_snapshot_id": None,
        "snapshot_id": None,
        "data_timestamp": moment,
        "restore_volume_id": None,
        "metadata": {},
        "encryption_key_id": volume.encryption_key_id,
        "created_at": moment,
        "updated_at": None,
        "deleted_at": None,
        "deleted": False,
    }
