"""A server without networks that boots a volume: found by its name, read, and deleted."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.conformance.conftest import Cloud

NO_NETWORKS = "2.37"


def nova(cloud: Cloud, method: str, path: str, version: str = "2.3", **more: Any) -> Any:
    reply: requests.Response = cloud.connection.compute.request(
        path, method, microversion=version, raise_exc=False, **more
    )
    return reply


@pytest.fixture
def server(cloud: Cloud) -> Iterator[dict[str, Any]]:
    """A server that is ACTIVE; its volume and itself are removed."""
    volume = cloud.a_volume("-bootable")
    bootable = {"os-set_bootable": {"bootable": True}}
    assert cloud.volume_api("POST", f"/volumes/{volume}/action", json=bootable).ok
    device = {"boot_index": 0, "uuid": volume, "source_type": "volume"}
    device |= {"destination_type": "volume", "delete_on_termination": False}
    wanted = {
        "name": f"{cloud.tag}.boots",
        "flavorRef": cloud.compute_api("/flavors").json()["flavors"][0]["id"],
        "networks": "none",
        "block_device_mapping_v2": [device],
        "metadata": {"staffeln:drill": "1"},
    }
    reply = nova(cloud, "POST", "/servers", NO_NETWORKS, json={"server": wanted})
    assert reply.status_code == 202, reply.text
    path = f"/servers/{reply.json()['server']['id']}"
    cloud.until(lambda: cloud.compute_api(path).json()["server"]["status"] == "ACTIVE")
    yield cloud.compute_api(path).json()["server"] | {"volume": volume}
    nova(cloud, "DELETE", path)
    cloud.until(lambda: cloud.volume(volume)["status"] == "available")


def test_a_server_is_found_by_a_regular_expression_for_its_name(
    cloud: Cloud, server: dict[str, Any]
) -> None:
    name = server["name"].replace(".", r"\.")
    (row,) = cloud.compute_api("/servers/detail", params={"name": f"^{name}$"}).json()["servers"]
    assert (row["id"], row["status"]) == (server["id"], "ACTIVE")
    assert row["metadata"] == {"staffeln:drill": "1"}
    assert row["created"].endswith("Z")
    assert cloud.compute_api("/servers/detail", params={"name": "^boots"}).json()["servers"] == []


def test_its_volume_is_in_use_and_its_console_can_be_read(
    cloud: Cloud, server: dict[str, Any]
) -> None:
    assert cloud.volume(server["volume"])["status"] == "in-use"
    body = {"os-getConsoleOutput": {"length": 2}}
    reply = nova(cloud, "POST", f"/servers/{server['id']}/action", json=body)
    assert reply.status_code == 200
    assert isinstance(reply.json()["output"], str)
    assert reply.json()["output"]


def test_a_deleted_server_is_absent_by_novas_own_word_and_gives_its_volume_back(
    cloud: Cloud, server: dict[str, Any]
) -> None:
    path = f"/servers/{server['id']}"
    assert nova(cloud, "DELETE", path).status_code == 204
    cloud.until(lambda: cloud.compute_api(path).status_code == 404)
    assert server["id"] in cloud.compute_api(path).json()["itemNotFound"]["message"]
    assert nova(cloud, "DELETE", path).status_code == 404
    cloud.until(lambda: cloud.volume(server["volume"])["status"] == "available")
