"""What retain removes, and what it never touches."""

import sqlite3
from contextlib import closing

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import (
    a_volume,
    ids,
    reasons,
    records,
    rounds,
    twice,
)
from tests.build import MARKED
from tests.conftest import Staffeln


@pytest.fixture(autouse=True)
def _small(staffeln: Staffeln) -> None:
    """Chains of three, nothing kept for its own sake, and no grace for shorter retention."""
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="2", RETENTION_KEEP_LAST="0", RETENTION_GRACE="0s")


def test_a_full_stays_while_an_incremental_on_it_is_young(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 3, days=10)
    retain = staffeln("retain", "-f", "json")
    assert (retain.counts["kept"], retain.counts["expired"]) == (3, 0)


def test_somebody_elses_backup_and_what_it_stands_on_are_never_deleted(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    theirs = cloud.things.add_backup(volume, incremental=True, name="by hand")
    cloud.advance(days=1)
    rounds(staffeln, cloud, 1)
    full, _, newest = ids(cloud)
    cloud.advance(days=60)
    assert staffeln("retain", "-f", "json").counts["deleted"] == 1
    assert ids(cloud) == [full, theirs]
    assert newest not in ids(cloud)


def test_a_backup_in_another_project_holds_nothing(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    foreign = cloud.things.add_backup(volume, project="backup")
    cloud.advance(days=17)
    assert staffeln("retain", "-f", "json").counts["deleted"] == 1
    assert ids(cloud) == [foreign]


def test_the_newest_backup_of_a_volume_that_exists_is_kept(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_KEEP_LAST="1", BACKUP_FULL_BACKUP_DEPTH="0")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 3)
    cloud.advance(days=60)
    staffeln("retain")
    assert len(ids(cloud)) == 1
    cloud.things.remove_volume(volume)
    twice(staffeln, cloud, "collect")
    staffeln("retain")
    assert ids(cloud) == []


def test_an_explicit_retention_is_honoured_at_the_next_pass(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, metadata={**MARKED, "__staffeln_retention": "90d"})
    rounds(staffeln, cloud, 1)
    cloud.advance(days=30)
    staffeln.set(SELECT_METADATA_KEY="nobody")
    assert staffeln.cycle("collect", "retain")[1].counts["kept"] == 1
    cloud.things.set_metadata("data-server", {**MARKED, "__staffeln_retention": "7d"})
    assert staffeln.cycle("collect", "retain")[1].counts["deleted"] == 1


def test_what_was_promised_to_a_server_outlives_it(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud, metadata={**MARKED, "__staffeln_retention": "90d"})
    rounds(staffeln, cloud, 1)
    cloud.things.remove_server("data-server")
    cloud.things.remove_volume(volume)
    cloud.advance(days=80)
    assert staffeln.cycle("collect", "retain")[1].counts["kept"] == 1
    cloud.advance(days=10)
    assert staffeln.cycle("collect", "retain")[1].counts["deleted"] == 1


def test_a_typo_never_shortens_a_promise(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud, metadata={**MARKED, "__staffeln_retention": "90d"})
    rounds(staffeln, cloud, 1)
    cloud.things.set_metadata("data-server", {"__staffeln_retention": "9 days"})
    cloud.advance(days=80)
    assert staffeln.cycle("collect", "retain")[1].counts["kept"] == 1


@pytest.mark.parametrize("change", ["state = 'missing'", "pinned = 1"])
def test_what_somebody_took_or_pinned_while_a_pass_runs_is_left_alone(
    cloud: SimCloud, staffeln: Staffeln, change: str
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 3)
    cloud.advance(days=17)
    full, middle, newest = ids(cloud)
    file = staffeln.environ["STAFFELN_DATABASE_URL"].removeprefix("sqlite:///")

    def meddle(request: object) -> None:
        if getattr(request, "method", "") == "DELETE":
            with closing(sqlite3.connect(file)) as database, database:
                law = "WHERE backup_id = ?"
                database.execute(f"UPDATE backups SET {change} {law}", [middle])

    cloud.on_request = meddle
    retain = staffeln("retain", "-f", "json")
    assert (retain.exit_code, retain.counts["deleted"], retain.counts["blocked"]) == (0, 1, 1)
    assert ids(cloud) == [full, middle]
    assert newest not in ids(cloud)


def test_a_project_out_of_reach_is_named_and_the_others_go_on(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "a", project="closed")
    a_volume(cloud, "b", project="open")
    rounds(staffeln, cloud, 1)
    cloud.advance(days=17)
    cloud.people.disable_project("closed")
    retain = staffeln("retain", "-f", "json")
    assert (retain.exit_code, retain.counts["deleted"]) == (3, 1)
    assert "no access to project" in reasons(retain)[0]
    cloud.people.disable_project("closed", enabled=True)
    cloud.advance(minutes=10)
    staffeln.cycle("check", "check")
    assert ids(cloud) == []


def test_old_rows_are_forgotten_when_their_history_is_over(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.advance(days=17)
    staffeln("retain")
    cloud.advance(days=89)
    staffeln("retain")
    assert len(records(staffeln)) == 1
    cloud.advance(days=2)
    staffeln("retain")
    assert records(staffeln) == []


def test_what_stands_on_something_gone_is_not_counted_among_the_last_that_are_kept(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_KEEP_LAST="2", BACKUP_FULL_BACKUP_DEPTH="2")
    a_volume(cloud)
    rounds(staffeln, cloud, 6)
    made = [one["backup_id"] for one in records(staffeln)]
    cloud.things.remove_backup(
        made[4], force=True
    )  # from under made[5], which nothing can restore now
    cloud.advance(hours=2)
    twice(staffeln, cloud, "check")
    cloud.advance(days=30)
    retain = staffeln("retain", "-f", "json")
    assert (retain.counts["kept"], retain.counts["expired"]) == (5, 0)
    assert ids(cloud) == [*made[:4], made[5]]


def test_nothing_is_removed_of_a_volume_whose_listing_lacks_a_backup(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 3)
    cloud.advance(days=60)
    cloud.faults.omit_next("/backups/detail", [cloud.backups()[0]["id"]])
    assert staffeln("retain", "-f", "json").counts["deleted"] == 0
    assert len(cloud.backups()) == 3
