"""What goes wrong while a server is brought back is told, and the repeated command goes on."""

from datetime import timedelta
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import reasons, rounds
from tests.acceptance.lost_servers import (
    a_whole_server,
    back,
    backed_up_and_lost,
    lose,
    volumes_on,
    wired,
)
from tests.conftest import Answer, Staffeln


def recreate(staffeln: Staffeln, *options: str) -> Answer:
    return staffeln("restore", "--server", "web", "--recreate", "-f", "json", *options)


def told(answer: Answer) -> str:
    return " ".join(one["reason"] for one in answer.json["decisions"])


def at_first_look(cloud: SimCloud, path: str, happens: Any) -> None:
    """Have something happen when a new thing is looked at for the first time."""

    def hook(request: Any) -> None:
        place, _, item = request.path.rpartition("/")
        if request.method == "GET" and place.endswith(path) and item != "detail":
            cloud.on_request = None
            happens(item)

    cloud.on_request = hook


@pytest.mark.parametrize("end", ["fails", "vanishes"])
def test_a_volume_that_comes_to_nothing_is_told_and_made_again(
    cloud: SimCloud, staffeln: Staffeln, end: str
) -> None:
    backed_up_and_lost(cloud, staffeln, a_whole_server(cloud))
    known = {backup["volume_id"] for backup in cloud.backups()}
    cloud.settings.finish_after = None

    def spoil(volume_id: str) -> None:
        if volume_id in known:  # the source is looked up before
            at_first_look(cloud, "/volumes", spoil)
        elif end == "fails":
            cloud.steering.fail_restores()
        else:
            cloud.things.remove_volume(volume_id)

    at_first_look(cloud, "/volumes", spoil)
    answer = recreate(staffeln)
    said = "is in status error_restoring" if end == "fails" else "is gone; repeat the command"
    assert (answer.exit_code, said in reasons(answer)[0]) == (3, True), reasons(answer)
    cloud.on_request = None
    cloud.settings.finish_after = timedelta(0)
    again = recreate(staffeln)
    assert again.exit_code == 0, again.stderr
    assert volumes_on(cloud, back(cloud)["id"]) == ["web-root", "web-data"]


def test_restores_and_the_boot_are_waited_for(cloud: SimCloud, staffeln: Staffeln) -> None:
    backed_up_and_lost(cloud, staffeln, a_whole_server(cloud))
    cloud.settings.finish_after = timedelta(seconds=1)

    def build(server_id: str) -> None:
        if cloud.servers(id=server_id):
            cloud.things.set_server(server_id, status="BUILD")
            finish = lambda one: cloud.things.set_server(one, status="ACTIVE")  # noqa: E731 - it is short
            at_first_look(cloud, "/servers", finish)

    at_first_look(cloud, "/servers", build)
    answer = recreate(staffeln)
    assert (answer.exit_code, answer.counts["recreated"]) == (0, 1)


def test_a_root_volume_that_may_not_be_made_bootable_is_told_with_the_command(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    backed_up_and_lost(cloud, staffeln, a_whole_server(cloud))
    cloud.faults.fail_next("POST", "/action", status=403)
    answer = recreate(staffeln)
    assert answer.exit_code == 3
    assert "repeat the command: openstack volume set --bootable" in reasons(answer)[0]
    assert recreate(staffeln).exit_code == 0
    assert len(cloud.volumes()) == 2


def test_a_security_group_that_is_gone_is_named(cloud: SimCloud, staffeln: Staffeln) -> None:
    server = a_whole_server(cloud)
    wired(cloud, server)
    backed_up_and_lost(cloud, staffeln, server)
    cloud.world.networking.security_groups.clear()
    answer = recreate(staffeln)
    assert (answer.exit_code, back(cloud)["security_groups"]) == (0, ())
    assert "differs: security group web is gone" in told(answer)


def test_of_two_servers_of_a_name_the_lost_one_is_meant(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    lost = a_whole_server(cloud)
    kept = a_whole_server(cloud)
    backed_up_and_lost(cloud, staffeln, lost)
    assert recreate(staffeln).counts["recreated"] == 1
    assert len(cloud.servers(name="web")) == 2
    lose(cloud, kept)
    answer = recreate(staffeln)
    assert answer.exit_code == 2
    assert lost in answer.stderr
    assert kept in answer.stderr


def test_a_project_without_access_fails_alone(cloud: SimCloud, staffeln: Staffeln) -> None:
    server = a_whole_server(cloud)
    wired(cloud, server)
    backed_up_and_lost(cloud, staffeln, server)
    cloud.people.revoke("backup", "shop", "member")
    answer = recreate(staffeln)
    assert answer.exit_code == 3
    assert "no access to project" in reasons(answer)[0]


def test_the_commands_for_a_project_restore_its_loose_volumes_too(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_whole_server(cloud)
    loose = cloud.things.add_volume(
        "loose", project="shop", metadata={"__staffeln_backup": "true"}
    )
    rounds(staffeln, cloud, 1)
    cloud.things.remove_volume(loose)
    answer = staffeln("restore", "--project", "shop", "--recreate=print")
    head, command = answer.stdout.splitlines()
    assert head == "# volume loose, with a role in project shop:"
    assert command.startswith("openstack --os-volume-api-version 3.47 volume create --backup")
