"""What was believed wrongly is taken back: a backup that is seen again is a backup again."""

import shutil
from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model.naming import INSTALLATION_KEY
from staffeln_cli.runtime.run import PARTLY_FAILED
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


@pytest.fixture
def twelve(cloud: SimCloud, staffeln: Staffeln) -> list[str]:
    """The ids of the backups of twelve volumes."""
    staffeln.set(BACKUP_MAX_IN_FLIGHT="99", BACKUP_MAX_IN_FLIGHT_PER_PROJECT="99")
    some_volumes(cloud, 12)
    rounds(staffeln, cloud, 1, days=0)
    staffeln("check")
    cloud.advance(hours=2)
    return [one["id"] for one in cloud.backups()]


def test_backups_that_a_node_hides_once_are_not_missing(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    before = records(staffeln)
    cloud.settings.lagging_rows = frozenset(twelve)
    hidden = staffeln("check", "-f", "json")
    assert (hidden.exit_code, hidden.counts["missing"]) == (0, 0)
    cloud.settings.lagging_rows = frozenset()
    cloud.advance(hours=2)
    seen = staffeln("check", "-f", "json")
    assert (seen.exit_code, seen.counts["missing"]) == (0, 0)
    cloud.settings.lagging_rows = frozenset(twelve)
    cloud.advance(hours=2)
    assert staffeln("check", "-f", "json").counts["missing"] == 0
    assert records(staffeln) == before


def test_missing_backups_that_are_seen_again_are_available_again(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    cloud.settings.lagging_rows = frozenset(twelve)
    lost = twice(staffeln, cloud, "check")
    assert (lost.exit_code, lost.counts["missing"]) == (PARTLY_FAILED, 12)
    cloud.settings.lagging_rows = frozenset()
    cloud.advance(hours=2)
    found = staffeln("check", "-f", "json")
    assert (found.exit_code, found.counts["available"]) == (0, 12)
    assert states(staffeln) == ["available"] * 12
    assert all(one["last_success_at"] for one in volumes(staffeln).values())


def test_a_backup_that_a_lagging_node_does_not_show_yet_goes_on(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    cloud.settings.lagging_rows = frozenset(one["id"] for one in cloud.backups())
    check = staffeln("check", "-f", "json")
    assert (check.exit_code, check.counts["running"]) == (0, 1)
    assert states(staffeln) == ["creating"]
    cloud.settings.lagging_rows = frozenset()
    cloud.steering.finish_backups()
    assert staffeln("check", "-f", "json").counts["available"] == 1


def test_many_missing_backups_are_believed_when_somebody_confirms_it(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_MAX_IN_FLIGHT="99", BACKUP_MAX_IN_FLIGHT_PER_PROJECT="99")
    some_volumes(cloud, 25)
    rounds(staffeln, cloud, 1, days=0)
    cloud.advance(hours=2)
    for one in cloud.backups():
        cloud.things.remove_backup(one["id"])
    check = twice(staffeln, cloud, "check")
    assert (check.exit_code, check.counts["missing"]) == (PARTLY_FAILED, 0)
    assert "25 of 25 backups do not exist any more" in reasons(check)[0]
    confirmed = staffeln("check", "--confirm", "-f", "json")
    assert confirmed.counts["missing"] == 25


def test_a_deletion_that_a_proxy_answered_goes_on(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(RETENTION_TIME="1s", RETENTION_KEEP_LAST="0")
    a_volume(cloud)
    rounds(staffeln, cloud, 1, days=1)
    cloud.faults.proxy_404_next("DELETE", "/backups/")
    staffeln("retain")
    assert states(staffeln) == ["deleting"]
    cloud.advance(hours=1)
    staffeln.cycle("check", "check")
    assert (cloud.backups(), states(staffeln)) == ([], ["deleted"])


def test_each_backup_bears_the_mark_of_its_installation(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    (mark,) = {one["metadata"][INSTALLATION_KEY] for one in cloud.backups()}
    assert len(mark) == 16


def test_a_suspicion_costs_one_request(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    staffeln("check")
    cloud.advance(hours=2)
    cloud.requests.clear()
    staffeln("check")
    usual = len(cloud.requests)
    cloud.settings.lagging_rows = frozenset(twelve[:3])
    cloud.advance(hours=2)
    cloud.requests.clear()
    staffeln("check")
    assert len(cloud.requests) == usual + 3
    assert len(sent(cloud, "GET", "/backups/")) == 4


def test_a_database_from_an_old_dump_counts_what_it_does_not_know(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    database = Path(staffeln.environ["STAFFELN_DATABASE_URL"].removeprefix("sqlite:///"))
    rounds(staffeln, cloud, 1)
    shutil.copy(database, database.with_name("dump.db"))
    rounds(staffeln, cloud, 3)
    shutil.copy(database.with_name("dump.db"), database)
    cloud.advance(hours=2)
    assert staffeln("check").exit_code == 0
    assert staffeln("status", "-f", "json").json["untracked"] == 3
    nagios = staffeln("status", "--nagios")
    assert "3 backups of Staffeln's without a record" in nagios.stdout
