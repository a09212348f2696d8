"""Upgrade or inspect the schema; say which cloud a database belongs to."""

from dataclasses import dataclass

from staffeln_cli.runtime import Runtime, caller


def upgrade(runtime: Runtime) -> tuple[str | None, str]:
    """Bring the schema to this version, one process at a time; the revisions before and after."""
    from staffeln_cli import migrations

    with runtime.unchecked_store.database.write() as connection:
        return migrations.upgrade(connection)


def current(runtime: Runtime) -> str | None:
    """The revision the schema is at."""
    return runtime.unchecked_store.database.revision()


@dataclass(frozen=True, slots=True)
class Rebinding:
    """How much of what a database knows is found in the cloud that is configured now."""

    cloud: str
    differences: tuple[str, ...]
    volumes: int
    volumes_found: int
    backups: int
    backups_found: int
    rebound: bool


def rebind(runtime: Runtime, *, confirmed: bool) -> Rebinding:
    """Compare a database with the cloud; `confirmed`, say that it belongs to that cloud."""
    store, cloud = runtime.store, runtime.cloud.login().cloud
    with runtime.lock("db-rebind"):
        volumes = {
            volume.volume_id for volume in store.inventory.all_volumes() if volume.gone_at is None
        }
        backups = store.records.available_ids()
        odd: set[str] = set()  # what is not understood is there, too
        runtime.cloud.name_unreadable(lambda row: odd.add(row.id))
        there = {one.id for page in runtime.cloud.listings.volumes() for one in page}
        backups_there = {one.id for page in runtime.cloud.listings.backups() for one in page}
        runtime.stop.check()
        differences = store.cloud.differences(cloud)
        if confirmed:
            store.cloud.rebind(cloud)
            store.observations.note_confirmed("db rebind", runtime.now(), who=caller())
    return Rebinding(
        cloud=f"{cloud.name}: Cinder at {cloud.block_storage_url} (region {cloud.region or '-'})",
        differences=tuple(differences),
        volumes=len(volumes),
        volumes_found=len(volumes & (there | odd)),
        backups=len(backups),
        backups_found=len(backups & (backups_there | odd)),
        rebound=confirmed,
    )
