"""What stops a pass that would believe or remove suspiciously much, or has a wrong clock."""

from datetime import timedelta

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import BrakeApplied, ClockWrong
from tests.acceptance.builders import (
    a_volume,
    backed_up,
    rounds,
    sent,
    some_volumes,
)
from tests.conftest import Staffeln


@pytest.mark.parametrize("minutes", [6, -6])
def test_a_clock_that_is_off_stops_the_pass_before_anything_goes(
    cloud: SimCloud, staffeln: Staffeln, minutes: int
) -> None:
    staffeln.set(RETENTION_KEEP_LAST="0")
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.advance(days=17)
    staffeln.clock = lambda: cloud.now() + timedelta(minutes=minutes)
    answer = staffeln("retain")
    assert answer.exit_code == ClockWrong.exit_code
    assert "clock" in answer.stderr
    assert sent(cloud, "DELETE") == []


@pytest.mark.parametrize("minutes", [4, -4])
def test_a_clock_that_is_nearly_right_will_do(
    cloud: SimCloud, staffeln: Staffeln, minutes: int
) -> None:
    staffeln.set(RETENTION_KEEP_LAST="0")
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.advance(days=18)
    staffeln.clock = lambda: cloud.now() + timedelta(minutes=minutes)
    assert staffeln("retain", "-f", "json").counts["deleted"] == 1


def fifty_one(cloud: SimCloud, staffeln: Staffeln, number: int = 51) -> None:
    """So many volumes with an expired full each."""
    staffeln.set(
        RETENTION_KEEP_LAST="0",
        BACKUP_MAX_IN_FLIGHT="200",
        BACKUP_MAX_IN_FLIGHT_PER_PROJECT="200",
        CLOUD_WORKERS="16",
    )
    some_volumes(cloud, number)
    backed_up(staffeln, cloud)
    cloud.advance(days=18)


def test_removing_more_than_the_share_and_more_than_fifty_wants_a_word(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    fifty_one(cloud, staffeln)
    answer = staffeln("retain")
    assert answer.exit_code == BrakeApplied.exit_code
    assert "would remove 51 of 51" in answer.stderr
    assert "--confirm" in answer.stderr
    assert sent(cloud, "DELETE") == []
    dry = staffeln("retain", "--dry-run", "-f", "json")
    assert (dry.exit_code, dry.counts["expired"]) == (3, 51)
    confirmed = staffeln("retain", "--confirm", "-f", "json")
    assert (confirmed.exit_code, confirmed.counts["deleted"]) == (0, 51)


def test_fifty_may_always_go(cloud: SimCloud, staffeln: Staffeln) -> None:
    fifty_one(cloud, staffeln, 50)
    assert staffeln("retain", "-f", "json").counts["deleted"] == 50


def test_the_brake_can_be_taken_off(cloud: SimCloud, staffeln: Staffeln) -> None:
    fifty_one(cloud, staffeln)
    staffeln.set(RETENTION_BRAKE="1")
    assert staffeln("retain", "-f", "json").counts["deleted"] == 51


def test_the_word_for_many_missing_backups_holds_until_the_second_look(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    """Somebody confirms what no pass has suspected so far, while time goes on."""
    staffeln.set(BACKUP_MAX_IN_FLIGHT_PER_PROJECT="50")
    some_volumes(cloud, 25)
    backed_up(staffeln, cloud)
    cloud.things.lose_backups()
    cloud.advance(hours=2)

    def a_second_passes(_: object) -> None:
        cloud.advance(seconds=1)

    cloud.on_request = a_second_passes
    first = staffeln("check", "--confirm", "-f", "json")
    assert (first.exit_code, first.counts["missing"]) == (0, 0)
    cloud.advance(minutes=11)
    assert staffeln("check", "-f", "json").counts["missing"] == 25


def test_very_many_backups_of_others_may_go_without_a_word(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    """As where another tool removes what it made of the same volumes."""
    staffeln.set(BACKUP_MAX_IN_FLIGHT_PER_PROJECT="50")
    volumes = some_volumes(cloud, 25)
    backed_up(staffeln, cloud)
    cloud.advance(hours=1)
    theirs = [cloud.things.add_backup(one, incremental=True) for one in volumes]
    cloud.advance(hours=2)
    staffeln("check")
    cloud.things.lose_backups(*theirs)
    for looks_by_id in (25, 25, 0):
        cloud.advance(hours=2)
        cloud.requests.clear()
        assert staffeln("check").exit_code == 0
        asked = [one for one in theirs if sent(cloud, "GET", f"/backups/{one}")]
        assert len(asked) == looks_by_id
