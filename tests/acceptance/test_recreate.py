"""restore --server --recreate: a lost server is back as it was, and what differs is told."""

import shlex

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, changes, rounds, sent
from tests.acceptance.lost_servers import (
    LIKE,
    a_whole_server,
    back,
    backed_up_and_lost,
    volumes_on,
    wired,
    without_mark,
)
from tests.conftest import Answer, Staffeln


def recreate(staffeln: Staffeln, *options: str, server: str = "web") -> Answer:
    return staffeln("restore", "--server", server, "--recreate", *options, "-f", "json")


def told(answer: Answer) -> str:
    return " ".join(one["reason"] for one in answer.json["decisions"])


@pytest.mark.usefixtures("database_url")
def test_a_server_is_back_as_it_was(cloud: SimCloud, staffeln_on_each: Staffeln) -> None:
    server = a_whole_server(cloud)
    before = backed_up_and_lost(cloud, staffeln_on_each, server)
    answer = recreate(staffeln_on_each)
    assert answer.exit_code == 0, answer.stderr
    assert answer.counts == {"restoring": 0, "restored": 2, "failed": 0, "recreated": 1}
    after = back(cloud)
    assert {key: after[key] for key in LIKE} == {key: before[key] for key in LIKE}
    assert without_mark(after["metadata"]) == before["metadata"]
    assert volumes_on(cloud, after["id"]) == ["web-root", "web-data"]
    assert {one["project_id"] for one in cloud.volumes()} == {before["project_id"]}
    assert f"is back as {after['id']}, ACTIVE" in told(answer)


def test_it_is_protected_again_from_the_next_pass_on(cloud: SimCloud, staffeln: Staffeln) -> None:
    backed_up_and_lost(cloud, staffeln, a_whole_server(cloud))
    recreate(staffeln)
    assert staffeln("collect", "-f", "json").counts["planned"] == 2


def test_its_port_has_the_old_address_and_group(cloud: SimCloud, staffeln: Staffeln) -> None:
    server = a_whole_server(cloud)
    wired(cloud, server)
    backed_up_and_lost(cloud, staffeln, server)
    answer = recreate(staffeln)
    assert answer.exit_code == 0, answer.stderr
    (port,) = cloud.world.networking.ports_of(back(cloud)["id"])
    assert (port.ip, port.mac) == ("10.0.0.9", "fa:16:3e:00:00:09")
    assert back(cloud)["security_groups"] == ("web",)
    assert "differs" not in told(answer)


def test_in_a_network_of_others_the_addresses_are_new_ones(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    server = a_whole_server(cloud)
    cloud.people.add_project("owner")
    network = cloud.networks.add_network("shared", project="owner", shared=True)
    cloud.networks.add_port(network, "10.0.0.9", "fa:16:3e:00:00:09", server=server)
    backed_up_and_lost(cloud, staffeln, server)
    answer = recreate(staffeln)
    assert answer.exit_code == 0, answer.stderr
    assert "address 10.0.0.9 in network shared could not be had again: HTTP 403" in told(answer)
    assert len(cloud.world.networking.ports_of(back(cloud)["id"])) == 1


def test_the_key_of_another_user_is_left_out_and_named(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    server = a_whole_server(cloud, key_name="ann", user_id="somebody")
    backed_up_and_lost(cloud, staffeln, server)
    answer = recreate(staffeln)
    assert back(cloud)["key_name"] is None
    assert "differs: key ann is one of user somebody, which nobody else can use" in told(answer)


def test_a_volume_that_was_never_backed_up_is_named(cloud: SimCloud, staffeln: Staffeln) -> None:
    server = a_whole_server(cloud)
    cloud.things.add_volume("cache", server=server, metadata={"skip-volume-backup": "true"})
    backed_up_and_lost(cloud, staffeln, server)
    answer = recreate(staffeln)
    assert answer.exit_code == 0
    assert "differs: volume cache was never backed up" in told(answer)


def test_print_shows_the_commands_and_makes_nothing(cloud: SimCloud, staffeln: Staffeln) -> None:
    server = a_whole_server(cloud, key_name="ann", user_id="somebody")
    wired(cloud, server)
    backed_up_and_lost(cloud, staffeln, server)
    answer = staffeln("restore", "--server", "web", "--recreate=print")
    assert answer.exit_code == 0, answer.stderr
    assert changes(cloud) == []
    lines = answer.stdout.splitlines()
    assert lines[0] == "# server web, with a role in project shop:"
    words = shlex.split(lines[-1])
    assert words[:5] == ["openstack", "--os-compute-api-version", "2.52", "server", "create"]
    assert words[words.index("--key-name") + 1] == "ann"
    assert words[words.index("--user-data") + 1] == "user-data"
    root = words[words.index("--block-device") + 1]
    assert root.startswith("uuid=$volume0,")
    assert "boot_index=0" in root
    (port,) = [shlex.split(line) for line in lines if line.startswith("port0=")]
    assert "ip-address=10.0.0.9" in port


def test_a_server_without_a_definition_is_told_to_be_booted_by_hand(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "data", metadata={})
    rounds(staffeln, cloud, 1)
    answer = recreate(staffeln, server="data-server")
    assert answer.exit_code == 2
    assert "is not known: collect keeps that of protected servers" in answer.stderr


def test_wrong_usage_is_told(staffeln: Staffeln) -> None:
    for options in (("--volume", "v", "--recreate"), ("b", "--project", "p"), ("b", "--recreate")):
        assert staffeln("restore", *options).exit_code == 2


def test_it_asks_nova_for_the_server_once(cloud: SimCloud, staffeln: Staffeln) -> None:
    backed_up_and_lost(cloud, staffeln, a_whole_server(cloud))
    recreate(staffeln)
    assert len(sent(cloud, "POST", "/servers")) == 1
    assert len(sent(cloud, "GET", "/network")) == 0
