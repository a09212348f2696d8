"""When a volume is due, and whether a full or an incremental is made."""

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, backed_up, records, rounds, states, twice
from tests.conftest import Staffeln


def next_kind(staffeln: Staffeln) -> str:
    """The kind of what the next collect plans."""
    assert staffeln("collect", "-f", "json").counts["planned"] == 1
    kind: str = records(staffeln, "--state", "planned")[0]["kind"]
    return kind


def test_a_volume_is_due_a_day_after_its_last_start_less_a_grace(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    backed_up(staffeln, cloud)
    cloud.advance(hours=23, minutes=40)
    assert staffeln("collect", "-f", "json").counts["planned"] == 0
    cloud.advance(minutes=10)
    assert staffeln("collect", "-f", "json").counts["planned"] == 1


def test_with_no_interval_every_collect_plans_what_is_not_under_way(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_MIN_INTERVAL="0s")
    a_volume(cloud)
    for expected in (1, 0):
        assert staffeln("collect", "-f", "json").counts["planned"] == expected
    backed_up(staffeln, cloud)
    assert staffeln("collect", "-f", "json").counts["planned"] == 1


def test_a_failed_backup_is_tried_again_after_a_growing_pause(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    for minutes in (15, 30, 60):
        cloud.steering.fail_next_backup("disk full")
        assert backed_up(staffeln, cloud).counts["failed"] == 1
        cloud.advance(minutes=minutes - 1)
        assert staffeln("collect", "-f", "json").counts["planned"] == 0
        cloud.advance(minutes=1)


def test_the_pause_after_many_failures_is_no_longer_than_the_interval(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_MIN_INTERVAL="1h")
    a_volume(cloud)
    for _ in range(4):
        cloud.steering.fail_next_backup("disk full")
        assert backed_up(staffeln, cloud).counts["failed"] == 1
        cloud.advance(hours=1)


def test_a_success_ends_the_pauses(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    cloud.steering.fail_next_backup("disk full")
    backed_up(staffeln, cloud)
    cloud.advance(minutes=15)
    assert backed_up(staffeln, cloud).counts["available"] == 1
    cloud.advance(hours=23)
    assert staffeln("collect", "-f", "json").counts["planned"] == 0


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_a_full_is_followed_by_as_many_incrementals_as_configured(
    cloud: SimCloud, staffeln: Staffeln, depth: int
) -> None:
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH=str(depth))
    a_volume(cloud)
    rounds(staffeln, cloud, 2 * depth + 3)
    chain = [False] + [True] * depth
    assert [one["is_incremental"] for one in cloud.backups()] == (chain * 3)[: 2 * depth + 3]


@pytest.mark.parametrize("size_gib", [1, 3])
def test_a_volume_that_shrank_or_has_grown_gets_a_full(
    cloud: SimCloud, staffeln: Staffeln, size_gib: int
) -> None:
    volume = a_volume(cloud, size_gib=2)
    rounds(staffeln, cloud, 1)
    cloud.things.set_volume(volume, size_gib=size_gib)
    assert next_kind(staffeln) == "full"


def test_after_an_error_in_the_chain_a_full_follows(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 2)
    cloud.things.set_backup(cloud.backups()[-1]["id"], status="error")
    assert next_kind(staffeln) == "full"


def test_after_a_member_vanished_from_the_chain_a_full_follows(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 3)
    cloud.things.remove_backup(cloud.backups()[-1]["id"])
    assert twice(staffeln, cloud, "check").counts["missing"] == 1
    assert next_kind(staffeln) == "full"


def test_somebody_elses_incremental_counts_for_the_depth(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="2")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 2)
    cloud.things.add_backup(volume, incremental=True)
    assert next_kind(staffeln) == "full"


def test_somebody_elses_full_begins_the_chain(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud)
    cloud.things.add_backup(volume)
    assert next_kind(staffeln) == "incremental"


def test_a_backup_in_another_project_is_no_parent(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud)
    cloud.things.add_backup(volume, project="backup")
    assert next_kind(staffeln) == "full"


def test_a_scheduled_incremental_without_a_parent_becomes_a_full_at_once(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    staffeln("collect")
    cloud.things.remove_backup(cloud.backups()[0]["id"])
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (0, 1)
    assert [one["is_incremental"] for one in cloud.backups()] == [False]
    cloud.steering.finish_backups()
    staffeln("check")
    assert records(staffeln)[-1]["kind"] == "full"
    assert records(staffeln)[-1]["chain_id"] == cloud.backups()[0]["id"]


def test_an_incremental_that_the_driver_made_full_is_recorded_as_full(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.settings.flip_incrementals = True
    backed_up(staffeln, cloud)
    assert [one["kind"] for one in records(staffeln)] == ["full", "full"]
    assert records(staffeln)[-1]["chain_id"] == cloud.backups()[-1]["id"]


def test_a_volume_is_never_planned_twice(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    staffeln.cycle("collect", "collect", "backup")
    cloud.advance(days=2)
    staffeln.cycle("collect", "backup")
    assert states(staffeln) == ["creating"]
    assert len(cloud.backups()) == 1


def test_a_backup_in_another_zone_makes_the_next_one_a_full(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 2)
    assert [one["kind"] for one in records(staffeln)] == ["full", "incremental"]
    by_hand = cloud.things.add_backup(volume, incremental=True)
    cloud.things.set_backup(by_hand, availability_zone="elsewhere")
    cloud.advance(hours=1)
    rounds(staffeln, cloud, 2)
    kinds = [one["kind"] for one in records(staffeln)]
    assert kinds == ["full", "incremental", "full", "incremental"]
