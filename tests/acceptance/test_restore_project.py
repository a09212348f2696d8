"""restore --project: all that a project has lost is back, the quickest first."""

from datetime import timedelta

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, changes, rounds
from tests.acceptance.lost_servers import a_whole_server, back, backed_up_and_lost, lose
from tests.build import MARKED
from tests.conftest import Answer, Staffeln


def bring_back(staffeln: Staffeln, *options: str) -> Answer:
    return staffeln("restore", "--project", "shop", *options, "-f", "json")


def told(answer: Answer) -> list[str]:
    return [f"{one['name']} {one['reason']}" for one in answer.json["decisions"]]


def test_servers_and_volumes_without_one_are_back_and_others_are_left_alone(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    servers = [a_whole_server(cloud, name) for name in ("web", "db")]
    a_whole_server(cloud, "kept")
    loose = cloud.things.add_volume("loose", project="shop", metadata=MARKED)
    a_volume(cloud, "elsewhere", project="bank")
    backed_up_and_lost(cloud, staffeln, *servers)
    cloud.things.remove_volume(loose)
    answer = bring_back(staffeln)
    assert answer.exit_code == 0, answer.stderr
    assert answer.counts == {"restoring": 0, "restored": 5, "failed": 0, "recreated": 2}
    assert {one["name"] for one in cloud.servers()} == {"web", "db", "kept", "elsewhere-server"}
    cloud.requests.clear()
    again = bring_back(staffeln)
    assert (again.exit_code, again.counts["recreated"], again.counts["restored"]) == (0, 0, 0)
    assert changes(cloud) == []


def test_a_volume_of_a_server_that_is_still_there_is_restored_for_it(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    server = a_whole_server(cloud)
    rounds(staffeln, cloud, 1)
    cloud.things.remove_volume("web-data")
    cloud.settings.finish_after = timedelta(0)
    answer = bring_back(staffeln)
    assert (answer.exit_code, answer.counts["restored"], answer.counts["recreated"]) == (0, 1, 0)
    (new,) = [one["id"] for one in cloud.volumes() if one["name"].startswith("web-data_")]
    assert told(answer)[-1].endswith(f": openstack server add volume {server} {new}")


def test_the_smallest_goes_first_where_no_drill_has_measured_anything(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    large, small = a_whole_server(cloud, "large"), a_whole_server(cloud, "small")
    cloud.things.add_volume("more", server=large, size_gib=9)
    backed_up_and_lost(cloud, staffeln, large, small)
    answer = bring_back(staffeln, "--dry-run")
    names = [one["name"] for one in answer.json["decisions"] if one["action"] == "recreate"]
    assert names == ["small", "large"]
    assert "2 no restore drill has measured how long that takes; the smallest goes first" in told(
        answer
    )


def test_drills_tell_how_long_it_should_take(cloud: SimCloud, staffeln: Staffeln) -> None:
    servers = [a_whole_server(cloud, name) for name in ("web", "db")]
    rounds(staffeln, cloud, 1)
    cloud.settings.finish_after = timedelta(seconds=1)
    assert staffeln("verify", "--count", "1", "-f", "json").counts["passed"] == 1
    cloud.settings.finish_after = None
    backed_up_and_lost(cloud, staffeln, *servers)
    lines = told(bring_back(staffeln, "--dry-run"))
    assert any(line.startswith("2 should take about ") for line in lines), lines


def test_what_was_deleted_long_ago_is_left_and_the_command_for_it_named(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    old, new = a_whole_server(cloud, "old"), a_whole_server(cloud, "new")
    rounds(staffeln, cloud, 1)
    lose(cloud, old)
    rounds(staffeln, cloud, 2, days=9)  # at the second one it is known to be gone
    lose(cloud, new)
    cloud.settings.finish_after = timedelta(0)
    answer = bring_back(staffeln)
    assert answer.exit_code == 0, answer.stderr
    assert {one["name"] for one in cloud.servers()} == {"new"}
    (left,) = [line for line in told(answer) if line.startswith("old is left")]
    assert left.endswith(f"staffeln restore --server {old} --recreate")


def test_one_that_fails_does_not_stop_the_others(cloud: SimCloud, staffeln: Staffeln) -> None:
    servers = [a_whole_server(cloud, name) for name in ("web", "db")]
    backed_up_and_lost(cloud, staffeln, *servers)
    cloud.faults.fail_next("POST", "/servers", status=400)
    answer = bring_back(staffeln)
    assert (answer.exit_code, answer.counts["recreated"], answer.counts["failed"]) == (3, 1, 1)
    again = bring_back(staffeln)
    assert (again.exit_code, again.counts["recreated"]) == (0, 1)
    assert {back(cloud, name)["status"] for name in ("web", "db")} == {"ACTIVE"}
    assert len(cloud.volumes()) == 4
