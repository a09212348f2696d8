"""What Nova says before it boots a server, and what it refuses: both clouds alike."""

import uuid
from typing import Any

import pytest
import requests

from tests.conformance.conftest import Cloud

BOOT = "2.52"


@pytest.fixture(scope="module")
def flavor(cloud: Cloud) -> str:
    """The id of some flavor."""
    return str(cloud.compute_api("/flavors").json()["flavors"][0]["id"])


def boot(cloud: Cloud, **wanted: Any) -> requests.Response:
    """Ask for a server that cannot be had."""
    devices = [device(str(uuid.uuid4()))]
    body = {"name": cloud.tag, "networks": "none", "block_device_mapping_v2": devices} | wanted
    reply: requests.Response = cloud.connection.compute.request(
        "/servers", "POST", json={"server": body}, microversion=BOOT, raise_exc=False
    )
    return reply


def refusal(reply: requests.Response) -> tuple[int, str]:
    (said,) = reply.json().values()
    return reply.status_code, said["message"]


def device(volume_id: str) -> dict[str, Any]:
    kinds = {"source_type": "volume", "destination_type": "volume"}
    return {"uuid": volume_id, "boot_index": 0, "delete_on_termination": False} | kinds


def test_a_flavor_says_what_it_takes_of_the_quota(cloud: Cloud, flavor: str) -> None:
    shown = cloud.compute_api(f"/flavors/{flavor}", "2.26").json()["flavor"]
    assert {"id", "name", "vcpus", "ram"} <= set(shown)
    quotas = cloud.compute_api(f"/os-quota-sets/{cloud.project_id}/detail", "2.26").json()
    for name in ("instances", "cores", "ram"):
        assert set(quotas["quota_set"][name]) == {"limit", "in_use", "reserved"}


def test_a_flavor_that_is_gone_is_named(cloud: Cloud) -> None:
    status, said = refusal(cloud.compute_api("/flavors/no-such-flavor", "2.26"))
    assert (status, said) == (404, "Flavor no-such-flavor could not be found.")


def test_the_zones_and_the_own_keys_are_shown(cloud: Cloud) -> None:
    zones = cloud.compute_api("/os-availability-zone", "2.26").json()["availabilityZoneInfo"]
    assert [one["zoneName"] for one in zones if one["zoneState"]["available"]] == ["nova"]
    assert cloud.compute_api("/os-keypairs", "2.26").json()["keypairs"] == []


def test_no_server_is_booted_from_nothing(cloud: Cloud, flavor: str) -> None:
    reply = boot(cloud, flavorRef=flavor, block_device_mapping_v2=[])
    assert refusal(reply) == (400, "Missing imageRef attribute")


def test_no_server_is_booted_without_a_word_about_networks(cloud: Cloud, flavor: str) -> None:
    status, said = refusal(boot(cloud, flavorRef=flavor, networks=None))
    assert status == 400
    assert "networks" in said


def test_no_server_is_booted_with_a_flavor_that_is_gone(cloud: Cloud) -> None:
    status, said = refusal(boot(cloud, flavorRef="no-such-flavor"))
    assert (status, said) == (400, "Flavor no-such-flavor could not be found.")


def test_no_server_is_booted_with_a_key_of_another_user(cloud: Cloud, flavor: str) -> None:
    volume_id = cloud.a_volume("-bootable")
    action = {"os-set_bootable": {"bootable": True}}
    assert cloud.volume_api("POST", f"/volumes/{volume_id}/action", json=action).ok
    devices = [device(volume_id)]
    reply = boot(cloud, flavorRef=flavor, key_name="hers", block_device_mapping_v2=devices)
    assert refusal(reply) == (400, "Invalid key_name provided.")


def test_no_server_is_booted_from_a_volume_without_the_flag(cloud: Cloud, flavor: str) -> None:
    volume_id = cloud.a_volume("-unbootable")
    wanted = {"flavorRef": flavor, "block_device_mapping_v2": [device(volume_id)]}
    status, said = refusal(boot(cloud, **wanted))
    assert (status, said) == (400, f"Block Device {volume_id} is not bootable.")
