"""A server of a real OpenStack is deleted with its volumes, and brought back by one command.

STAFFELN_TEST_CLOUD names the clouds.yaml entry of the operator. The server is booted without a
network, in the operator's own project; all that is made is removed at the end.
"""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openstack
import pytest

from staffeln_cli.model.restorations import RESTORATION_KEY
from tests.conftest import Staffeln

PATIENCE = 180.0
LIKE = ("name", "tenant_id", "flavor", "tags", "description", "config_drive", "status", "key_name")


@pytest.mark.soak
@pytest.mark.skipif(
    not os.environ.get("STAFFELN_TEST_CLOUD"), reason="STAFFELN_TEST_CLOUD names no cloud"
)
def test_a_real_server_is_back_as_it_was(sqlite_url: str, tmp_path: Path) -> None:
    name = f"lost-{secrets.token_hex(4)}"
    environ = {
        "STAFFELN_DATABASE_URL": sqlite_url,
        "STAFFELN_LOCK_URL": f"file://{tmp_path / 'locks'}",
        "STAFFELN_CLOUD_NAME": os.environ["STAFFELN_TEST_CLOUD"],
        "STAFFELN_SELECT_METADATA_KEY": name,
        "STAFFELN_CLOUD_SETTLE_TIME": "5s",
    }
    staffeln = Staffeln(environ, None)
    with a_server(name) as (connection, server_id):
        before = shown(connection, server_id)
        back_up(staffeln)
        lose(connection, server_id)
        answer = staffeln("restore", "--server", name, "--recreate", "-f", "json")
        assert answer.exit_code == 0, answer.stderr
        assert answer.counts == {"restoring": 0, "restored": 2, "failed": 0, "recreated": 1}
        (new_id,) = [one["id"] for one in servers(connection, name)]
        after = shown(connection, new_id)
        assert {key: after[key] for key in LIKE} == {key: before[key] for key in LIKE}
        del after["metadata"][RESTORATION_KEY]
        assert after["metadata"] == before["metadata"]
        assert after["volumes"] == before["volumes"]
        again = staffeln("restore", "--server", server_id, "--recreate", "-f", "json")
        assert (again.exit_code, again.counts["recreated"]) == (0, 0)


@contextmanager
def a_server(name: str) -> Iterator[tuple[openstack.connection.Connection, str]]:
    """A marked server with two volumes, which are deleted with it."""
    connection = openstack.connect(cloud=os.environ["STAFFELN_TEST_CLOUD"])
    try:
        volumes = [a_volume(connection, f"{name}-{kind}") for kind in ("root", "data")]
        connection.block_storage.set_volume_bootable_status(volumes[0], True)
        flavor = next(iter(connection.compute.flavors()))
        server = {
            "name": name,
            "flavorRef": flavor.id,
            "networks": "none",
            "tags": ["lost", "found"],
            "metadata": {name: "true", "role": "test"},
            "description": "to be lost",
            "config_drive": True,
            "block_device_mapping_v2": [
                {
                    "uuid": volume,
                    "boot_index": -place,
                    "source_type": "volume",
                    "destination_type": "volume",
                    "delete_on_termination": True,
                }
                for place, volume in enumerate(volumes)
            ],
        }
        body = {"server": server}
        reply = connection.compute.post("/servers", json=body, microversion="2.52")
        server_id = str(reply.json()["server"]["id"])
        until(lambda: shown(connection, server_id)["status"] == "ACTIVE")
        yield connection, server_id
    finally:
        clean_up(connection, name)
        connection.close()


def a_volume(connection: openstack.connection.Connection, name: str) -> str:
    volume = connection.block_storage.create_volume(name=name, size=1)
    until(lambda: connection.block_storage.get_volume(volume.id).status == "available")
    return str(volume.id)


def servers(connection: openstack.connection.Connection, name: str) -> list[dict[str, Any]]:
    found = connection.compute.get("/servers/detail", microversion="2.52").json()["servers"]
    return [server for server in found if server["name"] == name]


def shown(connection: openstack.connection.Connection, server_id: str) -> dict[str, Any]:
    """A server, with what its volumes are like, in their order."""
    reply = connection.compute.get(f"/servers/{server_id}", microversion="2.52")
    server: dict[str, Any] = reply.json()["server"]
    attached = server["os-extended-volumes:volumes_attached"]
    volumes = [connection.block_storage.get_volume(one["id"]) for one in attached]
    server["volumes"] = [
        (volume.name.split("_")[0], volume.is_bootable, volume.size, one["delete_on_termination"])
        for volume, one in zip(volumes, attached, strict=True)
    ]
    return server


def back_up(staffeln: Staffeln) -> None:
    staffeln.cycle("collect", "backup")
    until(lambda: staffeln("check", "-f", "json").counts["running"] == 0)


def lose(connection: openstack.connection.Connection, server_id: str) -> None:
    """Delete a server, and wait until its volumes are gone with it."""
    attached = shown(connection, server_id)["os-extended-volumes:volumes_attached"]
    connection.compute.delete_server(server_id)
    ids = {one["id"] for one in attached}
    until(lambda: ids.isdisjoint({one.id for one in connection.block_storage.volumes()}))


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "the cloud did not finish in time"
        time.sleep(1)


def clean_up(connection: openstack.connection.Connection, name: str) -> None:
    for server in servers(connection, name):
        connection.compute.delete_server(server["id"])
    until(lambda: not servers(connection, name))
    for backup in connection.block_storage.backups():
        if f"_{name}-" in backup.name:
            connection.block_storage.delete_backup(backup.id)
    for volume in connection.block_storage.volumes():
        if volume.name.startswith(f"{name}-") and volume.status == "available":
            connection.block_storage.delete_volume(volume.id)
