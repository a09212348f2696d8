"""The ports of a restored server: the old addresses, or others that are told."""

from typing import Any

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import RestorationFailed
from staffeln_cli.operations.restoration import carry_on
from staffeln_cli.runtime import Run
from tests.acceptance.builders import sent
from tests.integration.operations.restorations import PORT, SERVER, a_backup, begun, of_volume

pytestmark = pytest.mark.usefixtures("restores_take_no_time")


def made(cloud: SimCloud, run: Run, **more: Any) -> tuple[Any, list[str]]:
    """The port that a server is booted with, and in what it differs."""
    root = of_volume(a_backup(cloud, bootable=True), bootable=True)
    restoration = begun(run, cloud, volumes=[root], ports=[PORT | more], server=SERVER)
    back = carry_on(run, restoration)
    (port,) = cloud.world.networking.ports_of(back.id)
    return port, list(back.differences)


def test_ports_have_the_old_addresses_and_groups(cloud: SimCloud, run: Run, network: str) -> None:
    port, differences = made(cloud, run)
    assert (port.ip, port.mac, differences) == ("10.0.0.9", "fa:16:3e:00:00:09", [])
    assert cloud.servers()[0]["security_groups"] == ("web",)


def test_ports_lack_a_group_that_is_gone(cloud: SimCloud, run: Run, network: str) -> None:
    made(cloud, run, security_groups=["gone"])
    assert "gone" not in cloud.servers()[0]["security_groups"]


def test_ports_that_outlived_the_server_are_used_again(
    cloud: SimCloud, run: Run, network: str
) -> None:
    kept = cloud.networks.add_port(network, "10.0.0.9", PORT["mac"], project="shop")
    port, differences = made(cloud, run)
    assert (port.id, differences) == (kept, [])
    assert sent(cloud, "POST", "/ports") == []


def test_ports_have_another_address_where_the_old_one_is_taken(
    cloud: SimCloud, run: Run, network: str
) -> None:
    cloud.people.add_project("other")
    cloud.networks.add_port(network, "10.0.0.9", "fa:16:3e:aa:aa:aa", project="other")
    port, (difference,) = made(cloud, run)
    assert port.ip != "10.0.0.9"
    said = "address 10.0.0.9 in network inner could not be had again: HTTP 409"
    assert difference.startswith(said)


def test_ports_keep_the_address_where_only_the_mac_is_refused(
    cloud: SimCloud, run: Run, network: str
) -> None:
    cloud.faults.fail_next("POST", "/ports$", status=403)
    port, (difference,) = made(cloud, run)
    assert (port.ip, port.mac != PORT["mac"]) == ("10.0.0.9", True)
    said = "the MAC address fa:16:3e:00:00:09 of 10.0.0.9 could not be had again: HTTP 403"
    assert difference.startswith(said)


def test_ports_without_an_address_are_made_in_their_network(
    cloud: SimCloud, run: Run, network: str
) -> None:
    port, differences = made(cloud, run, ips=[], mac="")
    assert (port.network_id, differences) == (network, [])


def test_ports_that_are_refused_altogether_end_it_with_the_reason(
    cloud: SimCloud, run: Run, network: str
) -> None:
    cloud.faults.fail_next("POST", "/ports$", status=403, times=3)
    with pytest.raises(RestorationFailed, match="port port-0: HTTP 403"):
        made(cloud, run)
    assert cloud.servers() == []


@pytest.mark.parametrize(
    ("number", "said"), [(0, "there is no network 'inner' any more"), (2, "2 networks are")]
)
def test_ports_need_one_network_of_that_name(
    cloud: SimCloud, run: Run, number: int, said: str
) -> None:
    for _ in range(number):
        cloud.networks.add_network("inner", project="shop")
    with pytest.raises(RestorationFailed, match=said):
        made(cloud, run)
