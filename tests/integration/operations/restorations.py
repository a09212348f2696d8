"""A restoration that is begun: what is wanted of it, and what became of it."""

from collections.abc import Sequence
from typing import Any

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import ProjectId
from staffeln_cli.model.restorations import (
    Part,
    PartKind,
    Restoration,
    RestorationId,
)
from staffeln_cli.runtime import Run

SERVER: dict[str, Any] = {
    "name": "web",
    "flavor": "tiny",
    "zone": None,
    "image_id": "",
    "description": "",
    "key_name": "",
    "config_drive": False,
    "user_data": "",
    "metadata": {"role": "web"},
    "tags": ["gold"],
}
PORT: dict[str, Any] = {
    "network": "inner",
    "ips": ["10.0.0.9"],
    "mac": "fa:16:3e:00:00:09",
    "security_groups": ["web"],
}


def a_backup(cloud: SimCloud, name: str = "root", **more: Any) -> str:
    """The backup of a volume of project shop that is lost since."""
    volume = cloud.things.add_volume(name, project="shop", **more)
    backup = cloud.things.add_backup(volume)
    cloud.things.remove_volume(volume)
    return backup


def of_volume(backup: str, name: str = "root", **more: Any) -> dict[str, Any]:
    """What is asked for to have a volume back."""
    usual: dict[str, Any] = {
        "backup_id": backup,
        "size_gib": 1,
        "volume_type": None,
        "availability_zone": None,
        "metadata": {"user": "ann"},
        "bootable": False,
        "source_name": name,
        "is_root": True,
        "deleted_with_server": False,
    }
    return usual | more


def begun(
    run: Run,
    cloud: SimCloud,
    *,
    volumes: Sequence[dict[str, Any]] = (),
    ports: Sequence[dict[str, Any]] = (),
    server: dict[str, Any] | None = None,
) -> Restoration:
    """The intention, written as `restore --recreate` writes it."""
    kind = PartKind.VOLUME if server is None else PartKind.SERVER
    restoration = Restoration(
        id=RestorationId("r1"),
        kind=kind,
        item_id="lost",
        item_name="web",
        project_id=ProjectId(cloud.world.project("shop").id),
        at=None,
        begun_at=run.now(),
    )
    wanted = [
        *((PartKind.VOLUME, f"restored-{one['source_name']}", one) for one in volumes),
        *((PartKind.PORT, f"port-{number}", one) for number, one in enumerate(ports)),
        *((PartKind.SERVER, "web", one) for one in ([server] if server is not None else [])),
    ]
    parts = [
        Part(restoration.id, number, kind, "source", name, request)
        for number, (kind, name, request) in enumerate(wanted)
    ]
    run.store.restorations.begin(restoration, parts)
    return restoration


def parts_of(run: Run, restoration: Restoration) -> list[Part]:
    """The parts as they are by now."""
    return run.store.restorations.parts(restoration.id)
