"""Take over the backups of Staffeln 2: what it made, and Cinder still has, gets a record here.

From then on retention judges them as its own. What Staffeln 2 says of a backup is only believed as
far as Cinder cannot tell: that it made it, and of which server.
"""

from dataclasses import dataclass, field

from staffeln_cli.model import (
    Backup,
    BackupId,
    BackupRecord,
    InventoryVolume,
    Kind,
    Origin,
    RecordId,
    State,
)
from staffeln_cli.runtime import Runtime
from staffeln_cli.store.upstream import Made, backups_of


@dataclass(slots=True)
class TakenOver:
    """What became of the backups that Staffeln 2 knew."""

    imported: int = 0
    known: int = 0
    """Those that have a record already, as after an earlier import."""
    left_out: dict[BackupId, str] = field(default_factory=dict)
    """Why others were left to themselves."""


def run(runtime: Runtime, url: str, *, dry_run: bool = False) -> TakenOver:
    """Import from the database at this URL; again is no harm.

    ConfigError where there is no database of Staffeln 2, and nothing is imported; CloudUnavailable
    where Cinder's listing broke off: what was imported before stays so.
    """
    made = backups_of(url)
    done = TakenOver(left_out=dict.fromkeys(made, "Cinder does not have it"))
    with runtime.lock("db-import"):
        cloud = runtime.cloud.login().cloud
        runtime.store.cloud.belongs_to(cloud, remember=not dry_run)
        for page in runtime.cloud.listings.backups():
            _take_in(runtime, [one for one in page if one.id in made], made, done, dry_run=dry_run)
            runtime.progress("backups imported", done.imported, None)
    return done


def _take_in(
    runtime: Runtime,
    page: list[Backup],
    made: dict[BackupId, Made],
    done: TakenOver,
    *,
    dry_run: bool,
) -> None:
    known = {one.backup_id for one in runtime.store.backups.by_ids(one.id for one in page)}
    volumes = runtime.store.inventory.volumes(list({one.volume_id for one in page}))
    for backup in page:
        if backup.id not in known and backup.status != "available":
            done.left_out[backup.id] = f"it is {backup.status}"
            continue
        del done.left_out[backup.id]
        if backup.id in known:
            done.known += 1
            continue
        done.imported += 1
        if not dry_run:
            volume = volumes.get(backup.volume_id)
            runtime.store.backups.adopt(_record(runtime, backup, made[backup.id], volume))


def _record(
    runtime: Runtime, backup: Backup, made: Made, volume: InventoryVolume | None
) -> BackupRecord:
    return BackupRecord(
        id=RecordId(backup.id),
        name=f"{backup.name}#{backup.id}",
        volume_id=backup.volume_id,
        volume_name=volume.volume_name if volume else "",
        project_id=backup.project_id,
        server_id=made.server_id,
        server_name=made.server_name or (volume.server_name if volume else ""),
        kind=Kind.INCREMENTAL if backup.is_incremental else Kind.FULL,
        state=State.AVAILABLE,
        origin=Origin.IMPORTED,
        planned_at=backup.created_at,
        started_at=backup.created_at,
        finished_at=runtime.now(),
        backup_id=backup.id,
        size_gib=backup.size_gib,
    )
