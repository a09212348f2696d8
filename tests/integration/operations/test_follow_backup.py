"""What becomes of a backup that was started."""

from contextlib import closing

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import BackupId, State
from staffeln_cli.store import Store
from staffeln_cli.store.queries import insert
from tests.acceptance.builders import (
    a_volume,
    backed_up,
    reasons,
    records,
    sent,
    some_volumes,
    states,
    twice,
)
from tests.build import NOW, a_record
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
    cloud.steering.fail_next_backup("No space left on device")
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
    cloud.settings.supports_force_delete = force
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    cloud.steering.stuck(cloud.backups()[0]["id"])
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


def test_a_volume_whose_backups_usually_take_long_has_four_times_that(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_TIMEOUT="2h", BACKUP_FULL_BACKUP_DEPTH="0")
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    cloud.advance(hours=1)
    cloud.steering.finish_backups()
    staffeln("check")
    cloud.advance(days=1)
    staffeln.cycle("collect", "backup")
    cloud.advance(hours=3, minutes=59)
    assert staffeln("check", "-f", "json").counts["running"] == 1
    cloud.advance(minutes=2)
    assert staffeln("check", "-f", "json").counts["timed_out"] == 1


def test_a_volume_whose_backups_are_quick_keeps_the_configured_time(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_TIMEOUT="2h", BACKUP_FULL_BACKUP_DEPTH="0")
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    cloud.advance(minutes=1)
    cloud.steering.finish_backups()
    staffeln("check")
    cloud.advance(days=1)
    staffeln.cycle("collect", "backup")
    cloud.advance(hours=1, minutes=59)
    assert staffeln("check", "-f", "json").counts["running"] == 1


def test_a_backup_that_vanishes_while_being_created_has_failed(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    cloud.things.remove_backup(cloud.backups()[0]["id"])
    check = twice(staffeln, cloud, "check")
    assert (check.exit_code, check.counts["failed"]) == (3, 1)
    assert "vanished" in reasons(check)[0]


def test_a_backup_being_restored_is_still_available(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    cloud.things.set_backup(cloud.backups()[0]["id"], status="restoring")
    assert staffeln("check", "-f", "json").counts["available"] == 1


def test_one_odd_row_does_not_keep_the_others_from_being_followed(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    """Each backup is looked up by itself where that takes fewer requests than a listing."""
    staffeln("check")
    many_available(staffeln, 2000)
    some_volumes(cloud, 2)
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    odd, other = cloud.backups()
    cloud.faults.spoil_next("/backups/", {odd["id"]: {"created_at": "yesterday"}}, 1000)
    cloud.requests.clear()
    check = staffeln("check", "-f", "json")
    assert sent(cloud, "GET", "/backups/detail") == []
    assert (check.exit_code, check.counts["available"]) == (3, 1)
    assert [one["id"] for one in check.json["failures"]] == [odd["id"]]
    followed = {one["backup_id"]: one["state"] for one in records(staffeln)}
    assert (followed[odd["id"]], followed[other["id"]]) == ("creating", "available")


def test_a_cloud_that_answers_nothing_about_any_backup_ends_the_pass(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln("check")
    many_available(staffeln, 2000)
    some_volumes(cloud, 2)
    staffeln.cycle("collect", "backup")
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    cloud.faults.fail_next("GET", "/backups", status=503, times=1000)
    assert staffeln("check").exit_code == CloudUnavailable.exit_code


def many_available(staffeln: Staffeln, number: int) -> None:
    """Records of as many backups, which no complete listing of this hour has to show."""
    with (
        closing(Store(staffeln.environ["STAFFELN_DATABASE_URL"])) as store,
        store.database.write() as connection,
    ):
        made = (BackupId(f"known-{one}") for one in range(number))
        insert(
            connection,
            [a_record(one, backup_id=one, state=State.AVAILABLE, started_at=NOW) for one in made],
        )
