"""What people name on the command line, as the inventory knows it."""

from staffeln_cli.errors import NotFound
from staffeln_cli.model import InventoryVolume, VolumeId
from staffeln_cli.runtime import Runtime


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
