"""Import the backups of Staffeln 2: those that Cinder still has get a record.

From then on retention treats them like its own. Only what Cinder does not know is taken from the
database of Staffeln 2: that it made a backup, and of which server.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from staffeln_cli.model import (
    Backup,
    BackupId,
    BackupRecord,
    Origin,
    RecordId,
    ServerId,
    VolumeId,
)
from staffeln_cli.planning.chains.lineage import full_of
from staffeln_cli.planning.chains.members import several_volumes
from staffeln_cli.runtime import Runtime
from staffeln_cli.store.staffeln2 import Made, backups_of

_VOLUMES_AT_ONCE = 100
"""About a page of backups."""


@dataclass(slots=True)
class TakenOver:
    """The result of an import."""

    imported: int = 0
    known: int = 0
    """Those that have a record already, as after an earlier import."""
    left_out: dict[BackupId, str] = field(default_factory=dict)
    """Backups that were not imported, with the reason."""


def run(runtime: Runtime, url: str, *, dry_run: bool = False) -> TakenOver:
    """Import from the database at this URL; may be repeated.

    Raises ConfigError if it is not a database of Staffeln 2; then nothing is imported. Raises
    CloudUnavailable if Cinder's listing is incomplete; what was imported before is kept.
    """
    made = backups_of(url)
    done = TakenOver(left_out=dict.fromkeys(made, "Cinder does not have it"))
    with runtime.lock("db-import"):
        cloud, listings = runtime.cloud.login().cloud, runtime.cloud.listings
        runtime.cloud.check_clock()
        runtime.store.cloud.belongs_to(cloud, remember=not dry_run)
        names = _Names(
            {one.id: one.name for page in listings.volumes() for one in page},
            {one.id: one.name for page in listings.servers() for one in page},
        )
        for group in several_volumes(listings.backups_by_volume(), _VOLUMES_AT_ONCE):
            listed = [one for some in group.values() for one in some if one.id in made]
            for backup in _wanted(runtime, listed, done):
                if not dry_run:
                    chain_id = full_of(backup, group[backup.project_id, backup.volume_id])
                    record = BackupRecord.found(
                        backup,
                        Origin.IMPORTED,
                        runtime.now(),
                        record_id=RecordId(backup.id),
                        chain_id=chain_id,
                    )
                    runtime.store.lifecycle.adopt(_named(record, made[backup.id], names))
            runtime.progress("backups imported", done.imported, None)
    return done


class _Names(NamedTuple):
    """Names of the volumes and servers that the cloud still has."""

    volumes: Mapping[VolumeId, str]
    servers: Mapping[ServerId, str]


def _wanted(runtime: Runtime, page: list[Backup], done: TakenOver) -> Iterator[Backup]:
    """Yield the backups to import, and note in `done` what happens to the others."""
    known = {one.backup_id for one in runtime.store.records.by_backup_ids(one.id for one in page)}
    for backup in page:
        if backup.id in known:
            done.known += 1
        elif backup.status != "available":
            done.left_out[backup.id] = f"it is {backup.status}"
            continue
        else:
            done.imported += 1
            yield backup
        del done.left_out[backup.id]


def _named(record: BackupRecord, made: Made, names: _Names) -> BackupRecord:
    server_name = names.servers.get(made.server_id, "") if made.server_id else ""
    return replace(
        record,
        server_id=made.server_id,
        server_name=server_name or made.server_name,
        volume_name=names.volumes.get(record.volume_id, ""),
    )
