"""What of a lost server comes back, in what it differs, and what forbids it."""

from datetime import datetime
from typing import Any

import pytest

from staffeln_cli.model import ProjectId, ServerId, VolumeId
from staffeln_cli.model.servers import Address, Attached, ServerDefinition
from staffeln_cli.planning.recreating import (
    BootRules,
    ServerOverrides,
    lost_since,
    needed_volumes,
    network_problem,
    new_ports,
    new_server,
    quota_problem,
    time_for_all,
)
from tests.build import NOW, ago, an_inventory_volume

RULES = BootRules({"nova"}, "me", {"mine"})
ROOT, DATA = Attached(VolumeId("root"), True), Attached(VolumeId("data"), False)


def a_definition(**more: Any) -> ServerDefinition:
    """Of a server with two volumes, made by the login's user."""
    definition = ServerDefinition(
        server_id=ServerId("s1"),
        name="web",
        project_id=ProjectId("p1"),
        user_id="me",
        flavor="tiny",
        image_id="",
        description="",
        key_name="",
        config_drive=False,
        zone="nova",
        user_data="",
        metadata={"role": "web"},
        tags=(),
        security_groups=("default",),
        addresses=(),
        volumes=(ROOT, DATA),
    )
    return definition._replace(**more)


def known(**volumes: dict[str, Any]) -> dict[VolumeId, Any]:
    """The inventory of these volumes; each was backed up, and the first can be booted from."""
    usual: dict[str, Any] = {"last_success_at": NOW}
    return {
        VolumeId(name): an_inventory_volume(name, **usual | {"bootable": name == "root"} | more)
        for name, more in volumes.items()
    }


def test_the_root_volume_goes_first_whatever_nova_lists_first() -> None:
    needed = needed_volumes(a_definition(volumes=(DATA, ROOT)), known(root={}, data={}))
    assert (needed.restored, needed.has_root, needed.problem) == ((ROOT, DATA), True, None)


def test_a_server_from_an_image_gets_its_root_disk_from_there() -> None:
    needed = needed_volumes(a_definition(image_id="i1"), known(root={}, data={}))
    assert (list(needed.restored), needed.has_root) == ([ROOT, DATA], False)
    assert needed.differences == ("its root disk was no volume: it begins anew from its image",)


@pytest.mark.parametrize(
    ("volumes", "problem"),
    [
        ({"data": {}}, "none of its volumes is known to be bootable"),
        (
            {"root": {"last_success_at": None}, "data": {}},
            "its root volume root was never backed up",
        ),
    ],
)
def test_without_its_root_volume_no_server_is_made(volumes: Any, problem: str) -> None:
    assert needed_volumes(a_definition(), known(**volumes)).problem == problem


@pytest.mark.parametrize(
    ("volume", "told"),
    [
        (None, "volume data was never backed up: it is lost"),
        ({"gone_at": NOW}, "volume data was never backed up: it is lost"),
        ({}, "volume data was never backed up, and it still exists; attach it: openstack server"),
    ],
)
def test_a_volume_that_was_never_backed_up_is_left_out_and_named(volume: Any, told: str) -> None:
    volumes = known(root={})
    if volume is not None:
        volumes |= known(data=volume | {"last_success_at": None})
    needed = needed_volumes(a_definition(), volumes)
    assert needed.restored == (ROOT,)
    assert needed.differences[0].startswith(told)


def test_a_server_that_can_be_the_same_has_no_differences() -> None:
    definition = a_definition(key_name="mine", addresses=(Address("net", "10.0.0.5", "aa"),))
    server, differences = new_server(definition, RULES, ServerOverrides())
    assert differences == []
    assert (server.name, server.zone, server.key_name) == ("web", "nova", "mine")


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        ({"key_name": "hers", "user_id": "her"}, "key hers is one of user her, which nobody else"),
        ({"key_name": "old"}, "key old is one of user me, which nobody else"),
        ({"key_name": "old", "user_id": ""}, "key old is one of user unknown"),
        ({"zone": "az9"}, "zone az9 is gone: it is where Nova chooses"),
        (
            {"addresses": (Address("net", "192.0.2.1", "m", False),)},
            "floating address 192.0.2.1 is not assigned",
        ),
    ],
)
def test_what_cannot_be_the_same_is_named(definition: Any, told: str) -> None:
    _, differences = new_server(a_definition(**definition), RULES, ServerOverrides())
    assert len(differences) == 1
    assert differences[0].startswith(told)


def test_flavor_and_zone_may_be_chosen() -> None:
    rules = RULES._replace(zones={"nova", "az2"})
    server, differences = new_server(a_definition(), rules, ServerOverrides("big", "az2"))
    assert (server.flavor, server.zone) == ("big", "az2")
    assert differences == ["its flavor is big, not tiny"]


def test_a_port_has_all_fixed_addresses_of_its_mac() -> None:
    addresses = (
        Address("net", "10.0.0.5", "aa"),
        Address("net", "fd00::5", "aa"),
        Address("net", "192.0.2.1", "aa", False),
        Address("net", "10.0.0.6", ""),
    )
    first, second = new_ports(a_definition(addresses=addresses))
    assert (first.ips, first.mac) == (("10.0.0.5", "fd00::5"), "aa")
    assert (second.ips, second.mac, second.security_groups) == (("10.0.0.6",), "", ("default",))


def test_a_quota_needs_room_for_all_servers_together() -> None:
    room = {"instances": 2, "cores": 3, "ram": None}
    assert quota_problem([(1, 512), (2, 512)], room) is None
    told = "its quota of cores has room for 3, and 4 are needed"
    assert quota_problem([(2, 512), (2, 512)], room) == told


def test_a_network_must_be_the_only_one_of_its_name() -> None:
    assert network_problem("net", ["n1"]) is None
    assert network_problem("net", []) == (
        "there is no network 'net' any more that its project can use"
    )
    assert network_problem("net", ["n1", "n2"]) == "2 networks are called 'net': n1, n2"


def test_all_take_as_long_as_the_fullest_lane() -> None:
    assert time_for_all([1, 2, 3], 2) == 4
    assert time_for_all([], 2) == 0


@pytest.mark.parametrize(
    ("rows", "since"),
    [
        ([], None),
        ([{"gone_at": ago(days=2)}, {"gone_at": ago(days=1)}], ago(days=1)),
        ([{"gone_at": ago(days=2)}, {}], None),
        ([{"suspected_gone_at": ago(days=2)}], ago(days=2)),
        ([{"protection_ended_at": ago(days=3)}], ago(days=3)),
        ([{"gone_at": ago(days=2)}, {"last_success_at": None}], ago(days=2)),
    ],
)
def test_a_server_is_lost_when_its_last_volume_is(rows: Any, since: datetime | None) -> None:
    volumes = [an_inventory_volume(**{"last_success_at": NOW} | row) for row in rows]
    assert lost_since(volumes) == since
