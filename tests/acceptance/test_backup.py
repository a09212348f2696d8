"""Which planned backups are started: the order, the caps, the token."""

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import (
    a_volume,
    backed_up,
    records,
    rounds,
    sent,
    some_volumes,
)
from tests.conftest import Staffeln


def test_a_backup_is_made_with_a_token_of_the_volumes_project_once_per_project(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 3, project="one")
    some_volumes(cloud, 3, project="two")
    staffeln("collect")
    cloud.requests.clear()
    staffeln("backup")
    creates = sent(cloud, "POST", "/backups")
    assert len(creates) == 6
    assert len(sent(cloud, "POST", "/auth/tokens")) == 3
    for create in creates:
        volume = cloud.world.volume(create.body["backup"]["volume_id"])
        assert create.project_id == volume.project_id
        assert create.body["backup"]["force"] is True


def test_a_backup_says_who_made_it_of_what_and_why(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud, "disk")
    staffeln.cycle("collect", "backup")
    (backup,) = cloud.backups()
    (record,) = records(staffeln)
    assert backup["name"] == record["name"]
    assert backup["name"].startswith("disk-server_disk_")
    assert backup["metadata"]["staffeln:kind"] == "full"
    assert backup["metadata"]["staffeln:server"] == record["server_id"]
    assert backup["metadata"]["staffeln:record"]


def test_the_volume_longest_without_a_backup_goes_first(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    for name in ("first", "second", "third"):
        a_volume(cloud, name)
        backed_up(staffeln, cloud)
        cloud.advance(hours=1)
    cloud.advance(days=2)
    a_volume(cloud, "newcomer")
    staffeln.set(BACKUP_MAX_IN_FLIGHT="1")
    staffeln("collect")
    started = []
    for _ in range(4):
        staffeln("backup")
        started.append(records(staffeln, "--state", "creating")[0]["volume_name"])
        cloud.steering.finish_backups()
        staffeln("check")
    assert started == ["newcomer", "first", "second", "third"]


def test_no_more_are_in_flight_than_the_caps_allow_and_the_rest_is_counted(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln = staffeln_on_each
    some_volumes(cloud, 4, project="big")
    some_volumes(cloud, 1, project="small")
    staffeln.set(BACKUP_MAX_IN_FLIGHT="3", BACKUP_MAX_IN_FLIGHT_PER_PROJECT="2")
    staffeln("collect")
    counts = staffeln("backup", "-f", "json").counts
    assert (counts["started"], counts["deferred"]) == (3, 2)
    big = cloud.world.project("big").id
    assert len(cloud.backups(project_id=big)) == 2
    assert staffeln("backup", "-f", "json").counts["started"] == 0
    cloud.steering.finish_backups()
    staffeln("check")
    assert staffeln("backup", "-f", "json").counts["started"] == 2


def test_projects_that_add_volumes_every_day_keep_no_other_waiting(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_MAX_IN_FLIGHT="8", BACKUP_MAX_IN_FLIGHT_PER_PROJECT="2")
    old = a_volume(cloud, "old", project="patient")
    for day in range(3):
        for project in ("one", "two", "three", "four"):
            for number in range(4):
                a_volume(cloud, f"{project}-{day}-{number}", project=project)
        backed_up(staffeln, cloud)
        cloud.advance(days=1)
    assert len(cloud.backups(volume_id=old)) == 3


def test_chains_go_on_while_one_project_is_out_of_reach(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "a", project="one")
    a_volume(cloud, "b", project="two")
    rounds(staffeln, cloud, 1)
    cloud.people.disable_project("two")
    rounds(staffeln, cloud, 2)
    one = cloud.world.project("one").id
    assert [row["is_incremental"] for row in cloud.backups(project_id=one)] == [False, True, True]
