"""restore --project: all that a project has lost is back, the quickest first."""

from datetime import timedelta

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, changes, rounds
from tests.acceptance.lost_servers import a_whole_server, backed_up_and_lost
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


def test_drills_tell_how_long_it_should_take(cloud: SimCloud, staffeln: Staffeln) -> None:
    servers = [a_whole_server(cloud, name) for name in ("web", "db")]
    rounds(staffeln, cloud, 1)
    cloud.settings.finish_after = timedelta(seconds=0.1)
    assert staffeln("verify", "--count", "1", "-f", "json").counts["passed"] == 1
    cloud.settings.finish_after = None
    backed_up_and_lost(cloud, staffeln, *servers)
    lines = told(bring_back(staffeln, "--dry-run"))
    assert any(line.startswith("2 should take about ") for line in lines), lines
