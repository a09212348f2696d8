"""Servers that are lost with their volumes, and how they are looked at when they are back."""

from datetime import timedelta
from typing import Any

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model.restorations import RESTORATION_KEY
from tests.acceptance.builders import rounds
from tests.build import MARKED
from tests.conftest import Staffeln

LIKE = ("name", "project_id", "flavor", "zone", "tags", "config_drive", "user_data", "description")
"""In what a server that is back is as it was."""


def a_whole_server(cloud: SimCloud, name: str = "web", **more: Any) -> str:
    """A marked server with a root volume and another one, in project shop."""
    if "shop" not in {one.name for one in cloud.world.identity.projects.values()}:
        cloud.people.add_project("shop")
    usual = {"user_data": "IyEvYmluL3NoCg==", "config_drive": True, "description": "the shop"}
    columns: dict[str, Any] = usual
    server = cloud.things.add_server(
        name, project="shop", metadata=MARKED | {"role": name}, tags=("gold",), **columns | more
    )
    cloud.things.add_volume(f"{name}-root", server=server, bootable=True)
    cloud.things.add_volume(f"{name}-data", server=server, size_gib=2)
    return server


def wired(cloud: SimCloud, server: str, ip: str = "10.0.0.9") -> str:
    """Give a server a port in a network of its project, and a security group."""
    networks = cloud.world.networking.networks.values()
    found = [one.id for one in networks if one.name == "inner"]
    network = found[0] if found else cloud.networks.add_network("inner", project="shop")
    cloud.networks.add_security_group("web", project="shop")
    cloud.networks.add_port(
        network, ip, f"fa:16:3e:00:00:{int(ip.rpartition('.')[2]):02x}", server=server
    )
    cloud.things.set_server(server, security_groups=("web",))
    return network


def backed_up_and_lost(cloud: SimCloud, staffeln: Staffeln, *servers: str) -> dict[str, Any]:
    """What the (first) server was, after it is gone with its volumes."""
    rounds(staffeln, cloud, 1)
    before = cloud.servers(id=servers[0])[0]
    for server in servers:
        lose(cloud, server)
    cloud.settings.finish_after = timedelta(0)
    cloud.requests.clear()
    return before


def lose(cloud: SimCloud, server: str) -> None:
    """Delete a server with its volumes."""
    volumes = cloud.world.attached[server][:]
    cloud.things.remove_server(server)
    for volume in volumes:
        if volume in cloud.world.volumes:
            cloud.things.remove_volume(volume)


def back(cloud: SimCloud, name: str = "web") -> dict[str, Any]:
    """The one server of this name."""
    (server,) = cloud.servers(name=name)
    return server


def without_mark(metadata: dict[str, str]) -> dict[str, str]:
    """Its metadata but for the one key that a restoration adds."""
    return {key: value for key, value in metadata.items() if key != RESTORATION_KEY}


def volumes_on(cloud: SimCloud, server: str) -> list[str]:
    """The names of a server's volumes before the restore, in the order of the devices."""
    ids = cloud.world.attached[server]
    return [str(cloud.world.volumes[one].name).split("_")[0] for one in ids]
