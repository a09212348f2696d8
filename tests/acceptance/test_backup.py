"""How backup starts what is planned: the order, the caps, and what Cinder may answer."""

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import (
    a_volume,
    backed_up,
    reasons,
    records,
    rounds,
    sent,
    some_volumes,
    states,
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
        cloud.finish_backups()
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
    cloud.finish_backups()
    staffeln("check")
    assert staffeln("backup", "-f", "json").counts["started"] == 2


def test_over_quota_fails_with_the_reason_and_the_projects_others_wait(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 5, project="poor")
    some_volumes(cloud, 2, project="rich")
    cloud.set_quota("poor", backups=1)
    staffeln("collect")
    answer = staffeln("backup", "-f", "json")
    assert answer.exit_code == 3
    assert (answer.counts["started"], answer.counts["failed"]) == (3, 1)
    assert answer.counts["deferred"] == 3
    assert "Maximum number of backups allowed (1) exceeded" in reasons(answer)[0]
    assert sorted(states(staffeln)) == ["creating"] * 3 + ["failed"] + ["planned"] * 3


def test_over_the_quota_of_gigabytes_names_the_figures(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, size_gib=8)
    cloud.set_quota("shop", backup_gigabytes=7)
    staffeln("collect")
    assert "quota is 7G" in reasons(staffeln("backup", "-f", "json"))[0]


def test_a_volume_deleted_since_collect_is_cancelled_without_a_fuss(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume, _ = some_volumes(cloud, 2)
    staffeln("collect")
    cloud.remove_volume(volume)
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (0, 1)
    assert sorted(states(staffeln)) == ["cancelled", "creating"]


def test_a_busy_volume_is_planned_again_and_left_alone_for_a_while(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln("collect")
    cloud.set_volume(volume, status="extending")
    assert staffeln("backup", "-f", "json").exit_code == 0
    assert states(staffeln) == ["planned"]
    cloud.set_volume(volume, status="in-use")
    assert staffeln("backup", "-f", "json").counts["deferred"] == 1
    cloud.advance(minutes=5)
    assert staffeln("backup", "-f", "json").counts["started"] == 1


def test_a_volume_that_broke_since_collect_fails_with_its_status(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln("collect")
    cloud.set_volume(volume, status="error")
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["failed"]) == (3, 1)
    assert '"error"' in reasons(answer)[0]


def test_no_role_in_a_project_fails_its_volumes_and_no_others(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.add_project("closed", operated=False)
    some_volumes(cloud, 2, project="closed")
    some_volumes(cloud, 2, project="open")
    staffeln("collect")
    answer = staffeln("backup", "-f", "json")
    assert (answer.counts["started"], answer.counts["failed"]) == (2, 2)
    assert all("role member" in reason for reason in reasons(answer))


def test_a_reader_cannot_back_up_and_is_told_so(cloud: SimCloud, staffeln: Staffeln) -> None:
    cloud.add_project("shop", operated=False)
    cloud.grant("backup", "shop", "reader")
    a_volume(cloud)
    staffeln("collect")
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["failed"]) == (3, 1)
    assert "403" in reasons(answer)[0]


def test_a_request_to_slow_down_leaves_the_backup_planned(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln("collect")
    cloud.fail_next("POST", "/backups", status=429, headers={"Retry-After": "1"})
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["deferred"]) == (0, 1)
    assert states(staffeln) == ["planned"]


@pytest.mark.parametrize("acting", [False, True])
def test_a_create_whose_answer_is_lost_is_never_sent_twice_on_a_guess(
    cloud: SimCloud, staffeln: Staffeln, acting: bool
) -> None:
    a_volume(cloud)
    staffeln("collect")
    cloud.lose_reply_next("POST", "/backups", acting=acting)
    answer = staffeln("backup", "-f", "json")
    assert answer.exit_code == 3
    assert states(staffeln) == ["starting"]
    staffeln.cycle("check", "backup")  # the claim still stands: nothing is touched
    assert states(staffeln) == ["starting"]
    cloud.advance(minutes=1)
    check = staffeln("check", "-f", "json")
    assert check.counts["adopted"] == int(acting)
    staffeln("backup")
    assert len(cloud.backups()) == 1
    cloud.finish_backups()
    assert staffeln("check", "-f", "json").counts["available"] == 1
    assert states(staffeln) == ["available"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_leaves_doubt_that_check_resolves(
    cloud: SimCloud, staffeln: Staffeln, status: int
) -> None:
    a_volume(cloud)
    staffeln("collect")
    cloud.fail_next("POST", "/backups", status=status)
    staffeln("backup")
    assert len(sent(cloud, "POST", "/backups")) == 1
    assert states(staffeln) == ["starting"]
    cloud.advance(minutes=1)
    staffeln.cycle("check", "backup")
    assert states(staffeln) == ["creating"]


def test_a_backup_that_cinder_made_twice_by_accident_is_reduced_to_one(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln("collect")
    cloud.lose_reply_next("POST", "/backups", acting=True)
    staffeln("backup")
    cloud.finish_backups()
    (made,) = cloud.backups()
    cloud.advance(seconds=2)
    cloud.add_backup(volume, name=made["name"])
    cloud.advance(minutes=1)
    answer = staffeln("check", "-f", "json")
    assert (answer.exit_code, answer.counts["adopted"]) == (3, 1)
    staffeln.cycle("check", "check")
    assert [one["id"] for one in cloud.backups()] == [made["id"]]
    cloud.advance(hours=12)
    assert staffeln("collect", "-f", "json").counts["planned"] == 0


def test_somebody_elses_backup_of_the_same_name_on_another_volume_is_not_adopted(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    one, other = some_volumes(cloud, 2)
    cloud.set_metadata("shop-1-server", {})
    staffeln("collect")
    cloud.lose_reply_next("POST", "/backups", acting=False)
    staffeln("backup")
    cloud.add_backup(other, name=records(staffeln)[0]["name"])
    cloud.advance(minutes=1)
    assert staffeln("check", "-f", "json").counts["adopted"] == 0
    assert [(row["state"], row["volume_id"]) for row in records(staffeln)] == [("planned", one)]


def test_chains_go_on_while_one_project_is_out_of_reach(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "a", project="one")
    a_volume(cloud, "b", project="two")
    rounds(staffeln, cloud, 1)
    cloud.disable_project("two")
    rounds(staffeln, cloud, 2)
    one = cloud.world.project("one").id
    assert [row["is_incremental"] for row in cloud.backups(project_id=one)] == [False, True, True]
