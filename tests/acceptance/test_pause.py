"""Paused: nothing is planned, everything else goes on, and everybody is told."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, update

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import State
from staffeln_cli.tables import backup_table
from tests.acceptance.builders import a_volume, backed_up, rounds, states, volumes
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


def test_a_volume_that_is_paused_with_its_project_stays_paused(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "data")
    staffeln("collect")
    for target in (("--volume", "data"), ("--project", "shop")):
        staffeln("pause", *target, *WHY)
    answer = staffeln("resume", "--volume", "data")
    assert answer.exit_code == 0
    assert "volume data is not planned yet: project shop is paused" in " ".join(
        answer.stdout.split()
    )


def test_report_and_summary_say_what_is_paused_and_why(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud, "data")
    backed_up(staffeln, cloud)
    staffeln("pause", "--project", "shop", *WHY)
    cloud.advance(days=5)
    staffeln("collect")
    page = tmp_path / "shop.html"
    assert staffeln("report", "--project", "shop", "--preview", str(page)).exit_code == 0
    text = " ".join(page.read_text().split())
    assert "Paused: no backups are planned" in text
    assert "project shop is paused since" in text
    assert "it moves" in text
    assert "Not protected" not in text
    assert staffeln("report", "--preview", str(page)).exit_code == 0
    assert "project shop is paused since" in " ".join(page.read_text().split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--all",), "Missing option '--reason'"),
        (WHY, "Say what"),
        (("--volume", "none", *WHY), "no volume 'none'"),
        (("--server", "none", *WHY), "no volume was ever seen on a server 'none'"),
        (("--project", "none", *WHY), "no project 'none'"),
        (("--all", *WHY, "--until", "soon"), "'soon' is not a time"),
        (("--all", *WHY, "--until", "2001-01-01"), "is not in the future"),
    ],
)
def test_wrong_usage_is_told(
    cloud: SimCloud, staffeln: Staffeln, options: tuple[str, ...], said: str
) -> None:
    a_volume(cloud)
    staffeln("collect")
    answer = staffeln("pause", *options)
    assert (answer.exit_code, said in " ".join(answer.stderr.split())) == (2, True)
    assert volumes(staffeln)
    assert staffeln("status", "-f", "json").json["paused"] == []


def test_every_view_shows_what_is_paused_why_by_whom_and_until_when(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    data = a_volume(cloud, "data", project="shop")
    other = a_volume(cloud, "other", project="lab")
    backed_up(staffeln, cloud)
    staffeln("pause", "--project", "shop", *WHY, "--until", "30d")
    cloud.advance(days=5)
    staffeln("collect")
    end = staffeln("status", "-f", "json").json["paused"][0]["until"]
    rows = volumes(staffeln)
    shown = ("paused", "pause_reason", "paused_until", "overdue")
    assert [rows[data][name] for name in shown] == [True, "it moves", end, False]
    assert "@" in rows[data]["paused_by"]
    assert [rows[other][name] for name in shown] == [False, None, None, True]
    strips = {one["volume_id"]: one for one in staffeln("status", "calendar", "-f", "json").json}
    assert (strips[data]["paused"]["reason"], strips[other]["paused"]) == ("it moves", None)
    assert (strips[data]["overdue"], strips[other]["overdue"]) == (False, True)
    text = " ".join(staffeln("status", "calendar").stdout.split())
    until = f"{end[:10]} {end[11:16]} UTC"
    assert text.count(" paused ") == 2
    assert "project shop is paused since" in text
    assert f"until {until} by" in text
    said = " ".join(staffeln("explain", "data").stdout.split())
    assert "No backups are planned: project shop is paused since" in said
    assert f"until {until} by" in said
    assert "it moves." in said
    assert "Next:" not in said
    assert staffeln("explain", "data", "-f", "json").json["paused"]["reason"] == "it moves"
    assert staffeln("explain", "other", "-f", "json").json["paused"] is None
    projects = staffeln("status", "projects", "-f", "json").json
    counts = {one["project_name"]: (one["paused"], one["overdue"]) for one in projects}
    assert (counts["shop"], counts["lab"]) == ((1, 0), (0, 1))


def test_monitoring_counts_paused_volumes(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud, "data")
    a_volume(cloud, "other")
    backed_up(staffeln, cloud)
    staffeln("pause", "--volume", "data", *WHY)
    cloud.advance(days=5)
    backed_up(staffeln, cloud)
    metrics = staffeln("status", "--prometheus", "-").stdout
    assert "staffeln_volumes_paused 1\n" in metrics
    assert "staffeln_volumes_paused_overdue 1\n" in metrics
    assert "staffeln_volumes_overdue 0\n" in metrics
    line = staffeln("status", "--nagios").stdout
    assert "1 paused volume without a recent backup" in line
    assert " paused=1;" in line


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
