"""What check does: one listing for all, claims of dead hosts, backups that are gone."""

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import (
    a_volume,
    reasons,
    records,
    rounds,
    sent,
    some_volumes,
    states,
    twice,
    volumes,
)
from tests.conftest import Staffeln


def test_a_backup_deleted_behind_our_back_is_missing_once(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln = staffeln_on_each
    a_volume(cloud)
    rounds(staffeln, cloud, 2)
    gone = cloud.backups()[1]["id"]
    cloud.things.remove_backup(gone)
    first = twice(staffeln, cloud, "check")
    second = staffeln("check", "-f", "json")
    assert (first.exit_code, first.counts["missing"]) == (3, 1)
    assert first.json["failures"][0]["id"] == gone
    assert (second.exit_code, second.counts["missing"]) == (0, 0)
    assert states(staffeln) == ["available", "missing"]


def test_a_volume_counts_as_backed_up_by_what_is_left_of_its_backups(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln = staffeln_on_each
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 4)
    made = records(staffeln)
    for backup, left in ((made[3], made[2]), (made[2], made[1]), (made[1], made[0])):
        cloud.things.remove_backup(backup["backup_id"])
        cloud.advance(hours=2)  # not every pass of check looks for what vanished
        twice(staffeln, cloud, "check")
        row = volumes(staffeln)[volume]
        assert row["last_success_at"] == left["started_at"]
    assert row["overdue"] is True
    assert staffeln("status", "--nagios").exit_code == 2


def test_while_the_backup_service_is_down_nothing_is_taken_for_gone(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    cloud.steering.fail_next_backup("disk full")
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    cloud.backup_service_up = False
    check = staffeln("check", "-f", "json")
    assert check.exit_code == 3
    assert any("Service cinder-backup could not be found" in one for one in reasons(check))
    assert states(staffeln) == ["deleting"]
    assert len(cloud.backups()) == 1
    cloud.backup_service_up = True
    cloud.advance(hours=1)
    staffeln.cycle("check", "check")
    assert (states(staffeln), cloud.backups()) == (["deleted"], [])


def test_many_running_backups_cost_the_requests_of_one_listing(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_MAX_IN_FLIGHT="100", BACKUP_MAX_IN_FLIGHT_PER_PROJECT="100")
    some_volumes(cloud, 30)
    staffeln.cycle("collect", "backup")
    cloud.requests.clear()
    check = staffeln("check", "-f", "json")
    assert check.counts["running"] == 30
    assert len(sent(cloud, "GET", "/backups")) == 1
    assert check.json["api_requests"] == len(cloud.requests) <= 3


def test_what_a_dead_host_left_is_taken_over_after_its_claim(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln("collect")
    cloud.faults.lose_reply_next("POST", "/backups", acting=True)
    staffeln("backup")  # as good as dead: it knows no more than a killed one
    cloud.steering.finish_backups()
    cloud.advance(seconds=16)
    check = staffeln("check", "-f", "json")
    assert (check.exit_code, check.counts["adopted"], check.counts["available"]) == (0, 1, 1)
