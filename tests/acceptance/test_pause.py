"""Paused: nothing is planned, everything else goes on, and everybody is told."""

import pytest
from sqlalchemy import create_engine, update

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import State
from staffeln_cli.tables import backup_table
from tests.acceptance.builders import a_volume, rounds, states
from tests.conftest import Staffeln

TARGETS = {
    "volume": ("--volume", "data"),
    "server": ("--server", "data-server"),
    "project": ("--project", "shop"),
    "all": ("--all",),
}
WHY = ("--reason", "it moves")


@pytest.mark.parametrize("scope", TARGETS)
def test_nothing_is_planned_for_what_is_paused_until_it_is_resumed(
    cloud: SimCloud, staffeln_on_each: Staffeln, scope: str
) -> None:
    staffeln = staffeln_on_each
    a_volume(cloud, "data", project="shop")
    a_volume(cloud, "other", project="lab")
    staffeln("collect")
    assert staffeln("pause", *TARGETS[scope], *WHY).exit_code == 0
    assert states(staffeln).count("cancelled") == (2 if scope == "all" else 1)
    cloud.advance(days=1)
    assert staffeln("collect", "-f", "json").counts["planned"] == 0
    assert states(staffeln).count("planned") == (0 if scope == "all" else 1)
    assert staffeln("resume", *TARGETS[scope]).exit_code == 0
    assert staffeln("collect", "-f", "json").counts["planned"] == (2 if scope == "all" else 1)


def test_what_collect_planned_meanwhile_is_cancelled_by_the_next_one(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "data")
    staffeln("collect")
    staffeln("pause", "--volume", "data", *WHY)
    staffeln("resume", "--volume", "data")
    staffeln("collect")
    assert states(staffeln).count("planned") == 1
    staffeln("pause", "--project", "shop", *WHY)
    assert states(staffeln).count("planned") == 0


def test_ad_hoc_backups_and_retention_go_on(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(RETENTION_TIME="1d", BACKUP_FULL_BACKUP_DEPTH="0")
    a_volume(cloud, "data")
    rounds(staffeln, cloud, 3)
    staffeln("pause", "--all", *WHY)
    assert staffeln("backup", "--volume", "data", "-f", "json").counts["started"] == 1
    cloud.steering.finish_backups()
    staffeln("check")
    cloud.advance(days=2)
    counts = staffeln("retain", "-f", "json").counts
    assert counts["deleting"] + counts["deleted"] > 0


def test_an_end_that_has_passed_resumes_by_itself(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud, "data")
    staffeln("collect")
    staffeln("pause", "--volume", "data", *WHY, "--until", "2d")
    cloud.advance(days=1)
    assert staffeln("collect", "-f", "json").counts["planned"] == 0
    cloud.advance(days=1, minutes=1)
    assert staffeln("status", "-f", "json").json["paused"] == []
    assert staffeln("collect", "-f", "json").counts["planned"] == 1


def test_a_paused_volume_is_not_overdue_and_not_ok(cloud: SimCloud, staffeln: Staffeln) -> None:
    data = a_volume(cloud, "data")
    rounds(staffeln, cloud, 1)
    staffeln("pause", "--volume", "data", *WHY)
    cloud.advance(days=5)
    staffeln.cycle("collect", "check", "retain", "report")
    state = staffeln("status", "-f", "json").json
    assert state["volumes"]["overdue"] == 0
    (pause,) = state["paused"]
    assert (pause["scope"], pause["id"], pause["name"]) == ("volume", data, "data")
    assert (pause["reason"], pause["until"]) == ("it moves", None)
    assert "1 paused volume without a recent backup" in staffeln("status").stdout
    assert "volume data is paused since" in " ".join(staffeln("status").stdout.split())
    answer = staffeln("status", "--nagios")
    assert (answer.exit_code, answer.stdout.split()[1]) == (1, "WARNING")
    staffeln("resume", "--volume", "data")
    assert staffeln("status", "-f", "json").json["volumes"]["overdue"] == 1


@pytest.mark.parametrize("scope", TARGETS)
def test_what_was_planned_while_the_pause_began_is_not_started(
    cloud: SimCloud, staffeln_on_each: Staffeln, scope: str
) -> None:
    staffeln = staffeln_on_each
    a_volume(cloud, "data", project="shop")
    staffeln("collect")
    staffeln("pause", *TARGETS[scope], *WHY, "--until", "2h")
    a_race(staffeln)
    assert staffeln("backup", "-f", "json").counts["started"] == 0
    cloud.advance(hours=2, minutes=1)
    assert staffeln("backup", "-f", "json").counts["started"] == 1


def a_race(staffeln: Staffeln) -> None:
    """What `pause` has cancelled is planned again, as by a `collect` that ran at the same time."""
    engine = create_engine(staffeln.environ["STAFFELN_DATABASE_URL"])
    with engine.begin() as connection:
        cancelled = backup_table.c.state == State.CANCELLED
        connection.execute(
            update(backup_table).where(cancelled).values(state=State.PLANNED, finished_at=None)
        )
    engine.dispose()
