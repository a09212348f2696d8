"""Backups of chosen volumes, now, whatever the schedule says."""

from datetime import timedelta

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import (
    a_volume,
    reasons,
    records,
    rounds,
    some_volumes,
    states,
    twice,
)
from tests.build import MARKED
from tests.conftest import Staffeln


def test_a_chosen_volume_is_backed_up_though_it_is_not_due(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    answer = staffeln("backup", "--volume", volume, "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (0, 1)
    assert {one["origin"] for one in records(staffeln)} == {"scheduled", "adhoc"}
    assert cloud.backups()[-1]["is_incremental"] is True


def test_a_volume_that_no_pass_has_seen_can_be_backed_up(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud, metadata={})
    assert staffeln("backup", "--volume", volume, "-f", "json").counts["started"] == 1
    cloud.steering.finish_backups()
    staffeln("check")
    assert states(staffeln) == ["available"]


def test_all_volumes_of_a_server_are_backed_up_in_their_own_project(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.people.add_project("shop")
    server = cloud.things.add_server("web", project="shop", metadata=MARKED)
    for name in ("a", "b", "c"):
        cloud.things.add_volume(name, project="shop", server=server)
    assert staffeln("backup", "--server", server, "-f", "json").counts["started"] == 3
    assert {one["project_id"] for one in cloud.backups()} == {cloud.world.project("shop").id}


def test_full_starts_a_new_chain(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    staffeln("backup", "--volume", volume, "--full")
    assert cloud.backups()[-1]["is_incremental"] is False


def test_full_is_honoured_for_what_the_schedule_had_planned_as_incremental(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    staffeln("collect")
    staffeln("backup", "--volume", volume, "--full")
    assert [one["is_incremental"] for one in cloud.backups()] == [False, False]
    cloud.steering.finish_backups()
    staffeln("check")
    newest = records(staffeln)[-1]
    assert (newest["kind"], newest["chain_id"]) == ("full", newest["backup_id"])


def test_incremental_without_a_parent_is_a_clear_error(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    answer = staffeln("backup", "--volume", volume, "--incremental", "-f", "json")
    assert answer.exit_code == 3
    assert reasons(answer) == ["no incremental is possible: there is no full backup to build on"]
    assert (cloud.backups(), records(staffeln)) == ([], [])


def test_incremental_goes_on_past_the_configured_depth(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="1")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 2, days=1)
    staffeln("backup", "--volume", volume, "--incremental")
    assert cloud.backups()[-1]["is_incremental"] is True


def test_an_unknown_volume_stops_everything_before_anything(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    nowhere = "00000000-0000-4000-8000-000000000000"
    answer = staffeln("backup", "--volume", volume, "--volume", nowhere)
    assert answer.exit_code == 2
    assert nowhere in answer.stderr
    assert cloud.backups() == []


@pytest.mark.parametrize("option", ["--full", "--incremental", "--wait"])
def test_options_of_chosen_volumes_need_chosen_volumes(staffeln: Staffeln, option: str) -> None:
    answer = staffeln("backup", option)
    assert answer.exit_code == 2
    assert "--volume" in answer.stderr


def test_wait_waits_until_the_backups_have_ended(cloud: SimCloud, staffeln: Staffeln) -> None:
    cloud.settings.finish_after = timedelta(seconds=1)
    volumes = some_volumes(cloud, 2)
    options = [word for volume in volumes for word in ("--volume", volume)]
    answer = staffeln("backup", *options, "--wait", "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (0, 2)
    assert states(staffeln) == ["available"] * 2
    assert set(answer.counts) == {"started", "deferred", "failed"}


def test_wait_tells_of_a_backup_that_failed(cloud: SimCloud, staffeln: Staffeln) -> None:
    cloud.settings.finish_after = timedelta()
    cloud.steering.fail_next_backup("disk full")
    answer = staffeln("backup", "--volume", a_volume(cloud), "--wait", "-f", "json")
    assert (answer.exit_code, reasons(answer)) == (3, ["disk full"])


def test_wait_leaves_alone_what_cannot_be_looked_up(cloud: SimCloud, staffeln: Staffeln) -> None:
    cloud.settings.finish_after = timedelta(seconds=1)
    odd, other = some_volumes(cloud, 2)
    staffeln("backup", "--volume", odd)
    (backup,) = cloud.backups()
    cloud.faults.spoil_next("/backups/", {backup["id"]: {"status": None}}, 1000)
    answer = staffeln("backup", "--volume", odd, "--volume", other, "--wait", "-f", "json")
    assert answer.exit_code == 3
    assert {one["id"] for one in answer.json["failures"]} == {backup["id"]}
    assert sorted(states(staffeln)) == ["available", "creating"]


def test_the_caps_hold_for_chosen_volumes_too(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(BACKUP_MAX_IN_FLIGHT_PER_PROJECT="1")
    options = [word for volume in some_volumes(cloud, 3) for word in ("--volume", volume)]
    counts = staffeln("backup", *options, "-f", "json").counts
    assert (counts["started"], counts["deferred"]) == (1, 2)


def test_a_retained_ad_hoc_backup_follows_the_servers_retention(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_KEEP_LAST="0")
    staffeln("backup", "--volume", a_volume(cloud))
    cloud.steering.finish_backups()
    staffeln.cycle("check", "collect")
    cloud.advance(days=18)
    assert staffeln("retain", "-f", "json").counts["deleted"] == 1


def test_servers_and_volumes_may_be_named(cloud: SimCloud, staffeln: Staffeln) -> None:
    ids = [a_volume(cloud, name) for name in ("web-1", "web-2", "orders", "other")]
    staffeln("collect")
    named = ("--server", "web-1-server", "--server", "web-2-server", "--volume", "orders")
    answer = staffeln("backup", *named, "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (0, 3)
    assert {one["volume_id"] for one in cloud.backups()} == set(ids[:3])


def test_several_things_of_one_name_are_listed_and_nothing_is_started(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    ids = [a_volume(cloud, "twin") for _ in range(2)]
    staffeln("collect")
    answer = staffeln("backup", "--volume", "twin")
    assert answer.exit_code == 2
    assert all(one in answer.stderr for one in ids)
    assert cloud.backups() == []
    cloud.things.remove_volume(ids[0])
    twice(staffeln, cloud, "collect")
    assert staffeln("backup", "--volume", "twin").exit_code == 0
    assert [one["volume_id"] for one in cloud.backups()] == [ids[1]]
