"""One deletion: refused, failed, stuck, or already done by somebody else."""

from itertools import pairwise

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import (
    a_volume,
    backed_up,
    changes,
    ids,
    reasons,
    rounds,
    sent,
    states,
)
from tests.conftest import Staffeln


def test_remains_that_another_backup_depends_on_are_left(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln.cycle("collect", "backup")
    (mine,) = cloud.backups()
    cloud.steering.finish_backups()
    cloud.things.add_backup(volume, incremental=True)
    cloud.things.set_backup(mine["id"], status="error")
    check = staffeln("check", "-f", "json")
    assert check.exit_code == 3
    assert any("Incremental backups exist" in reason for reason in reasons(check))
    assert len(cloud.backups()) == 2


def test_a_deletion_that_fails_is_tried_again_with_growing_pauses(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    cloud.settings.delete_after = None
    cloud.steering.fail_next_backup("disk full")
    backed_up(staffeln, cloud)
    (backup,) = cloud.backups()
    tries = []
    cloud.requests.clear()
    for minute in range(0, 80, 5):
        cloud.steering.fail_deletions("broken", status="error_deleting")
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
    cloud.settings.delete_after = None
    cloud.steering.fail_next_backup("disk full")
    backed_up(staffeln, cloud)
    cloud.steering.fail_deletions("broken", status="error_deleting")
    cloud.advance(minutes=10)
    check = staffeln("check", "-f", "json")
    assert check.exit_code == 3
    assert "error_deleting" in reasons(check)[0]
    assert "(data of data-server): was not deleted" in check.stderr
    cloud.settings.delete_after = None
    for _ in range(3):
        cloud.advance(hours=1)
        staffeln("check")
    cloud.steering.finish_deletions()
    assert staffeln("check", "-f", "json").counts["deleted"] == 1


def test_a_stuck_deletion_is_followed_until_it_ends(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    cloud.settings.delete_after = None
    cloud.steering.fail_next_backup("disk full")
    backed_up(staffeln, cloud)
    cloud.advance(days=3)
    assert staffeln("check", "-f", "json").counts["deleted"] == 0
    assert states(staffeln) == ["deleting"]
    cloud.steering.finish_deletions()
    assert staffeln("check", "-f", "json").counts["deleted"] == 1


def test_what_somebody_deleted_meanwhile_counts_once(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="2", RETENTION_KEEP_LAST="0")
    a_volume(cloud)
    rounds(staffeln, cloud, 2)
    cloud.advance(days=17)
    newest = ids(cloud)[-1]

    def sweep(request: object) -> None:
        if getattr(request, "method", "") == "DELETE" and newest in ids(cloud):
            cloud.things.remove_backup(newest)

    cloud.on_request = sweep
    retain = staffeln("retain", "-f", "json")
    assert (retain.exit_code, retain.counts["deleted"]) == (0, 2)
    assert ids(cloud) == []


def test_what_somebody_restores_is_not_deleted_before_the_end_of_that(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    """Retention's request was lost; then its owner began to restore the backup."""
    staffeln.set(RETENTION_KEEP_LAST="0", RETENTION_TIME="1d", CLOUD_RETRY_TIMEOUT="0s")
    a_volume(cloud)
    rounds(staffeln, cloud, 1, days=3)
    cloud.faults.fail_next("DELETE", "/backups/", status=503, times=9)
    staffeln("retain")
    cloud.faults.clear()
    (backup,) = ids(cloud)
    cloud.things.set_backup(backup, status="restoring")
    cloud.advance(hours=2)
    cloud.requests.clear()
    assert staffeln("check").exit_code == 0
    assert (states(staffeln), changes(cloud)) == (["deleting"], [])
    cloud.things.set_backup(backup, status="available")
    cloud.advance(hours=2)
    staffeln.cycle("check", "check")
    assert (states(staffeln), ids(cloud)) == (["deleted"], [])


def test_a_double_that_somebody_restores_is_not_deleted_before_the_end_of_that(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln("collect")
    cloud.faults.lose_reply_next("POST", "/backups", acting=True)
    staffeln("backup")
    cloud.steering.finish_backups()
    (made,) = cloud.backups()
    cloud.advance(minutes=1)
    double = cloud.things.add_backup("data", name=made["name"], status="restoring")
    staffeln("check")
    cloud.advance(hours=2)
    cloud.requests.clear()
    staffeln("check")
    assert (sent(cloud, "POST", "/action"), sent(cloud, "DELETE")) == ([], [])
    cloud.things.set_backup(double, status="available")
    for _ in range(3):
        cloud.advance(hours=2)
        staffeln("check")
    assert ids(cloud) == [made["id"]]
