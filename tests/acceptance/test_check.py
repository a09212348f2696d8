"""How check follows backups to their end: good, bad, late, or vanished."""

from itertools import pairwise

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
    volumes,
)
from tests.conftest import Staffeln


def test_a_finished_backup_is_recorded_with_size_times_and_kind(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    a_volume(cloud, size_gib=5)
    check = backed_up(staffeln_on_each, cloud)
    assert (check.exit_code, check.counts["available"]) == (0, 1)
    (record,) = records(staffeln_on_each)
    assert (record["state"], record["kind"], record["size_gib"]) == ("available", "full", 5)
    assert record["chain_id"] == record["backup_id"] == cloud.backups()[0]["id"]
    assert record["started_at"] <= record["finished_at"]


def test_an_unfinished_backup_is_running_and_no_trouble(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    check = staffeln("check", "-f", "json")
    assert (check.exit_code, check.counts["running"]) == (0, 1)


def test_a_failed_backup_is_told_with_cinders_reason_and_its_remains_go(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    cloud.fail_next_backup("No space left on device")
    check = backed_up(staffeln, cloud)
    assert (check.exit_code, check.counts["failed"]) == (3, 1)
    assert reasons(check) == ["No space left on device"]
    assert staffeln("check", "-f", "json").counts["deleted"] == 1
    assert cloud.backups() == []
    assert [(one["state"], one["reason"]) for one in records(staffeln)] == [
        ("deleted", "No space left on device")
    ]


@pytest.mark.parametrize("force", [True, False])
def test_a_backup_that_never_ends_fails_after_its_time_and_its_remains_go(
    cloud: SimCloud, staffeln: Staffeln, force: bool
) -> None:
    cloud.supports_force_delete = force
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    cloud.stuck(cloud.backups()[0]["id"])
    cloud.advance(hours=11, minutes=59)
    assert staffeln("check", "-f", "json").counts["running"] == 1
    cloud.advance(minutes=2)
    check = staffeln("check", "-f", "json")
    assert (check.exit_code, check.counts["timed_out"], check.counts["failed"]) == (3, 1, 1)
    for _ in range(3):
        cloud.advance(minutes=10)
        staffeln("check")
    assert cloud.backups() == []
    assert states(staffeln) == ["deleted"]


def test_a_big_volume_has_more_time(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(BACKUP_TIMEOUT="1h", BACKUP_TIMEOUT_PER_GIB="1h")
    a_volume(cloud, size_gib=3)
    staffeln.cycle("collect", "backup")
    cloud.advance(hours=3, minutes=59)
    assert staffeln("check", "-f", "json").counts["running"] == 1
    cloud.advance(minutes=2)
    assert staffeln("check", "-f", "json").counts["timed_out"] == 1


def test_remains_that_another_backup_stands_on_are_left(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln.cycle("collect", "backup")
    (mine,) = cloud.backups()
    cloud.finish_backups()
    cloud.add_backup(volume, incremental=True)
    cloud.set_backup(mine["id"], status="error")
    check = staffeln("check", "-f", "json")
    assert check.exit_code == 3
    assert any("Incremental backups exist" in reason for reason in reasons(check))
    assert len(cloud.backups()) == 2


def test_a_deletion_that_fails_is_tried_again_with_growing_pauses(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    cloud.delete_after = None
    cloud.fail_next_backup("disk full")
    backed_up(staffeln, cloud)
    (backup,) = cloud.backups()
    tries = []
    cloud.requests.clear()
    for minute in range(0, 80, 5):
        cloud.fail_deletions("broken", status="error_deleting")
        staffeln("check")
        if sent(cloud, "DELETE"):
            tries.append(minute)
            cloud.requests.clear()
        cloud.advance(minutes=5)
    assert cloud.backups()[0]["id"] == backup["id"]
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert len(tries) in {3, 4}


def test_a_deletion_that_failed_is_named(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    cloud.delete_after = None
    cloud.fail_next_backup("disk full")
    backed_up(staffeln, cloud)
    cloud.fail_deletions("broken", status="error_deleting")
    cloud.advance(minutes=10)
    check = staffeln("check", "-f", "json")
    assert check.exit_code == 3
    assert "error_deleting" in reasons(check)[0]
    cloud.delete_after = None
    for _ in range(3):
        cloud.advance(hours=1)
        staffeln("check")
    cloud.finish_deletions()
    assert staffeln("check", "-f", "json").counts["deleted"] == 1


def test_a_stuck_deletion_is_followed_until_it_ends(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    cloud.delete_after = None
    cloud.fail_next_backup("disk full")
    backed_up(staffeln, cloud)
    cloud.advance(days=3)
    assert staffeln("check", "-f", "json").counts["deleted"] == 0
    assert states(staffeln) == ["deleting"]
    cloud.finish_deletions()
    assert staffeln("check", "-f", "json").counts["deleted"] == 1


def test_a_backup_deleted_behind_our_back_is_missing_once(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln = staffeln_on_each
    a_volume(cloud)
    rounds(staffeln, cloud, 2)
    gone = cloud.backups()[1]["id"]
    cloud.remove_backup(gone)
    first, second = staffeln.cycle("check", "check")
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
        cloud.remove_backup(backup["backup_id"])
        cloud.advance(hours=2)  # not every pass of check looks for what vanished
        staffeln("check")
        row = volumes(staffeln)[volume]
        assert row["last_success_at"] == left["started_at"]
    assert row["overdue"] is True
    assert staffeln("status", "--nagios").exit_code == 2


def test_a_backup_that_vanishes_while_being_created_has_failed(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    cloud.remove_backup(cloud.backups()[0]["id"])
    check = staffeln("check", "-f", "json")
    assert (check.exit_code, check.counts["failed"]) == (3, 1)
    assert "vanished" in reasons(check)[0]


def test_while_the_backup_service_is_down_nothing_is_taken_for_gone(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    cloud.fail_next_backup("disk full")
    staffeln.cycle("collect", "backup")
    cloud.finish_backups()
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


def test_a_backup_being_restored_is_still_available(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    cloud.finish_backups()
    cloud.set_backup(cloud.backups()[0]["id"], status="restoring")
    assert staffeln("check", "-f", "json").counts["available"] == 1


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
    cloud.lose_reply_next("POST", "/backups", acting=True)
    staffeln("backup")  # as good as dead: it knows no more than a killed one
    cloud.finish_backups()
    cloud.advance(seconds=16)
    check = staffeln("check", "-f", "json")
    assert (check.exit_code, check.counts["adopted"], check.counts["available"]) == (0, 1, 1)
