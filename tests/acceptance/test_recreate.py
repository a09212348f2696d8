"""restore --server --recreate: a lost server is back as it was, and what differs is told."""

import shlex
from datetime import timedelta
from typing import Any

import pytest

from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.runtime import Runtime
from tests.acceptance.builders import a_volume, changes, reasons, rounds, sent
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


def spoil_flavor(cloud: SimCloud) -> None:
    cloud.world.flavors.clear()


def spoil_network(cloud: SimCloud) -> None:
    cloud.world.networking.networks.clear()


def spoil_root(cloud: SimCloud) -> None:
    for backup in cloud.backups(size=1):
        cloud.things.remove_backup(backup["id"])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_flavor, "there is no flavor 'tiny' any more; choose another with --flavor"),
        (spoil_network, "there is no network 'inner' any more"),
        (spoil_root, "has no backup that can surely be restored"),
        (
            lambda cloud: cloud.people.set_compute_quota("shop", cores=0),
            "quota of cores has room for 0",
        ),
        (
            lambda cloud: cloud.people.set_quota("shop", gigabytes=2),
            "quota of gigabytes has room for 2",
        ),
    ],
)
def test_what_forbids_it_is_told_before_anything_is_made(
    cloud: SimCloud, staffeln: Staffeln, spoil: Any, said: str
) -> None:
    server = a_whole_server(cloud)
    wired(cloud, server)
    backed_up_and_lost(cloud, staffeln, server)
    spoil(cloud)
    answer = recreate(staffeln)
    assert answer.exit_code == 3
    assert any(said in one for one in reasons(answer)), reasons(answer)
    assert changes(cloud) == []


def test_a_server_that_exists_has_to_be_deleted_first(cloud: SimCloud, staffeln: Staffeln) -> None:
    server = a_whole_server(cloud)
    rounds(staffeln, cloud, 1)
    cloud.requests.clear()
    answer = recreate(staffeln)
    assert answer.exit_code == 3
    assert reasons(answer)[0].startswith("it still exists, with status ACTIVE: delete it first")
    assert changes(cloud) == []
    printed = staffeln("restore", "--server", server, "--recreate=print")
    assert "server create" in printed.stdout


def test_another_flavor_may_be_chosen(cloud: SimCloud, staffeln: Staffeln) -> None:
    backed_up_and_lost(cloud, staffeln, a_whole_server(cloud))
    cloud.world.flavors.clear()
    cloud.networks.add_flavor("small")
    answer = recreate(staffeln, "--flavor", "small")
    assert answer.exit_code == 0, answer.stderr
    assert back(cloud)["flavor"] == "small"
    assert "differs: its flavor is small, not tiny" in told(answer)


def test_what_is_back_is_not_made_again(cloud: SimCloud, staffeln: Staffeln) -> None:
    backed_up_and_lost(cloud, staffeln, a_whole_server(cloud))
    recreate(staffeln)
    staffeln("collect")
    cloud.requests.clear()
    answer = recreate(staffeln)
    assert (answer.exit_code, answer.counts["recreated"]) == (0, 0)
    assert f"is back already, as {back(cloud)['id']}" in told(answer)
    assert changes(cloud) == []


def test_what_was_begun_for_another_moment_is_given_up_and_what_it_made_is_named(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    server = a_whole_server(cloud)
    rounds(staffeln, cloud, 1)
    backed_up_and_lost(cloud, staffeln, server)
    cloud.faults.fail_next("POST", "/servers", status=400)
    assert recreate(staffeln).exit_code == 3
    earlier = [one["id"] for one in cloud.volumes()]
    answer = recreate(staffeln, "--at", (cloud.now() - timedelta(days=1.5)).isoformat())
    assert answer.exit_code == 0, answer.stderr
    assert all(f"openstack volume delete {one}" in told(answer) for one in earlier)
    assert set(cloud.world.attached[back(cloud)["id"]]).isdisjoint(earlier)


def test_while_another_run_brings_servers_back_nothing_is_done(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    backed_up_and_lost(cloud, staffeln, a_whole_server(cloud))
    other = Runtime(load(None, staffeln.environ).settings)
    with other.lock("restore"):
        answer = recreate(staffeln)
    other.close()
    assert answer.exit_code == 3
    assert "another run brings servers back now" in reasons(answer)[0]
    assert changes(cloud) == []


def test_a_dry_run_says_what_would_be_made_and_what_differs(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    server = a_whole_server(cloud, key_name="ann", user_id="somebody")
    backed_up_and_lost(cloud, staffeln, server)
    answer = recreate(staffeln, "--dry-run")
    assert (answer.exit_code, answer.counts["restoring"]) == (0, 2)
    assert "of web-root (1 GiB, backup of" in told(answer)
    assert "differs: key ann" in told(answer)
    assert changes(cloud) == []


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
