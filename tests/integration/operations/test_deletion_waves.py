"""Deletions go in waves: dependants first, and nothing before they are gone."""

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import (
    a_volume,
    ids,
    reasons,
    rounds,
    sent,
    some_volumes,
    states,
)
from tests.conftest import Staffeln


@pytest.fixture(autouse=True)
def _small(staffeln: Staffeln) -> None:
    """Chains of three, and nothing kept for its own sake."""
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="2", RETENTION_KEEP_LAST="0")


def test_an_expired_chain_goes_newest_first_with_its_own_projects_token(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 3)
    chain = ids(cloud)
    cloud.advance(days=17)
    cloud.requests.clear()
    retain = staffeln("retain", "-f", "json")
    assert (retain.exit_code, retain.counts["deleted"], retain.counts["kept"]) == (0, 3, 0)
    deletes = sent(cloud, "DELETE")
    assert [one.path.rpartition("/")[2] for one in deletes] == chain[::-1]
    assert {one.project_id for one in deletes} == {cloud.world.project("shop").id}
    assert cloud.refused_deletes() == []
    assert states(staffeln) == ["deleted"] * 3


def test_the_next_wave_waits_until_the_last_one_is_really_gone(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_TIME_BUDGET="0s")
    a_volume(cloud)
    rounds(staffeln, cloud, 3)
    cloud.advance(days=17)
    cloud.settings.delete_after = None
    for left in (3, 2, 1):
        first, second = staffeln.cycle("retain", "retain")
        assert (first.counts["deleting"], first.counts["blocked"]) == (1, 0)
        assert (second.exit_code, second.counts["deleting"]) == (0, 0)
        assert len(cloud.backups(status="available")) == left - 1
        cloud.steering.finish_deletions()
        assert staffeln("check", "-f", "json").counts["deleted"] == 1
    assert cloud.refused_deletes() == []
    assert cloud.backups() == []


def test_what_the_time_does_not_suffice_for_is_left_for_the_next_pass(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_TIME_BUDGET="0s")
    a_volume(cloud)
    rounds(staffeln, cloud, 3)
    cloud.advance(days=17)
    cloud.settings.delete_after = None
    first = staffeln("retain", "-f", "json")
    assert (first.counts["expired"], first.counts["deleting"]) == (3, 1)
    assert sorted(states(staffeln)) == ["available", "available", "deleting"]


def test_chains_of_different_volumes_go_side_by_side(cloud: SimCloud, staffeln: Staffeln) -> None:
    some_volumes(cloud, 4)
    rounds(staffeln, cloud, 2)
    cloud.advance(days=17)
    cloud.settings.delete_after = None
    staffeln.set(RETENTION_TIME_BUDGET="0s")
    assert staffeln("retain", "-f", "json").counts["deleting"] == 4


def test_a_deletion_that_fails_blocks_what_it_depends_on_and_is_named(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 2)
    cloud.advance(days=17)
    cloud.faults.fail_next("DELETE", "/backups/", status=503)
    retain = staffeln("retain", "-f", "json")
    assert (retain.exit_code, retain.counts["blocked"], retain.counts["deleted"]) == (3, 1, 0)
    assert len(reasons(retain)) == 1
    cloud.advance(minutes=10)
    staffeln.cycle("check", "check")
    assert staffeln("retain", "-f", "json").counts["deleted"] == 1
    assert ids(cloud) == []


def test_what_depends_on_one_backup_may_be_unknown_and_the_others_go(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(CATALOG_RECORDS="false", BACKUP_FULL_BACKUP_DEPTH="2", RETENTION_TIME="2d")
    odd, other = some_volumes(cloud, 2)
    rounds(staffeln, cloud, 7)
    for one in cloud.backups():  # as if each had been restored when its incrementals were made
        cloud.things.set_backup(one["id"], updated_at=cloud.now())
    asked = [one["id"] for one in cloud.backups(volume_id=odd)]
    cloud.faults.fail_next("GET", f"parent_id=({'|'.join(asked)})", status=400, times=99)
    retain = staffeln("retain", "-f", "json")
    assert (retain.exit_code, retain.counts["blocked"]) == (3, 1)
    assert "could not be looked up" in reasons(retain)[0]
    left = {one: len(cloud.backups(volume_id=one)) for one in (odd, other)}
    assert left[other] < left[odd] < len(asked)
