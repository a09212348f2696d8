"""What goes wrong while a server is brought back is told, and the repeated command goes on."""

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import reasons, rounds
from tests.acceptance.lost_servers import (
    a_whole_server,
    back,
    backed_up_and_lost,
    lose,
    wired,
)
from tests.conftest import Answer, Staffeln


def recreate(staffeln: Staffeln, *options: str) -> Answer:
    return staffeln("restore", "--server", "web", "--recreate", "-f", "json", *options)


def told(answer: Answer) -> str:
    return " ".join(one["reason"] for one in answer.json["decisions"])


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
