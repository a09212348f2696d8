"""Backups of chosen volumes, now, whatever the schedule says."""

from datetime import timedelta

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import (
    a_volume,
    records,
    rounds,
    states,
)
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


def test_options_say_which_kind_it_is_to_be_and_that_it_is_waited_for(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.settings.finish_after = timedelta(0)
    volume = a_volume(cloud)
    for kind in ("--full", "--full", "--incremental"):
        assert staffeln("backup", "--volume", volume, kind, "--wait").exit_code == 0
    assert [one["is_incremental"] for one in cloud.backups()] == [False, False, True]
    assert states(staffeln) == ["available"] * 3


@pytest.mark.parametrize("option", ["--full", "--incremental", "--wait"])
def test_options_of_chosen_volumes_need_chosen_volumes(staffeln: Staffeln, option: str) -> None:
    answer = staffeln("backup", option)
    assert answer.exit_code == 2
    assert "--volume" in answer.stderr


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
