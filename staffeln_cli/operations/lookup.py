"""What people name on the command line, as the inventory knows it."""

import re

from staffeln_cli.errors import NotFound
from staffeln_cli.model import Backup, BackupId, InventoryVolume, ProjectId, VolumeId
from staffeln_cli.runtime import Run, Runtime

AN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def volume(runtime: Runtime, wanted: str) -> InventoryVolume:
    """The one volume that was ever seen with this id or, last, with this name; else NotFound."""
    inventory = runtime.store.inventory
    found = inventory.volumes([VolumeId(wanted)]).get(VolumeId(wanted))
    if found is not None:
        return found
    named = inventory.volumes_named(wanted)
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(sorted(one.volume_id for one in named))
        raise NotFound(f"{len(named)} volumes are named {wanted!r}; say which by its id: {ids}")
    raise NotFound(
        f"no volume {wanted!r} was ever seen; has `staffeln collect` run since it exists?"
    )


def backup(run: Run, name: str) -> Backup:
    """A backup by any of its names; also one that Staffeln did not make, by Cinder's id."""
    record = run.store.records.find(name)
    if record is not None and record.backup_id is None:
        raise NotFound(f"backup {record.name} is {record.state}: Cinder has nothing to restore")
    backup_id = record.backup_id if record is not None else None
    if backup_id is None and AN_ID.fullmatch(name):
        backup_id = BackupId(name)
    found = run.cloud.backups.look(backup_id) if backup_id is not None else None
    if found is None:
        raise NotFound(
            f"Cinder has no backup {name!r}; nothing was restored;"
            " see: staffeln status backups -c name -c backup_id -c state"
        )
    return found


def project(run: Run, wanted: str) -> ProjectId:
    """The one project that was ever seen with this id or name; else NotFound."""
    names = run.store.projects.names()
    if wanted in names:
        return ProjectId(wanted)
    found = [project_id for project_id, name in names.items() if name == wanted]
    if len(found) != 1:
        raise NotFound(f"{len(found)} projects named {wanted!r} were ever seen; say which by id")
    return found[0]
