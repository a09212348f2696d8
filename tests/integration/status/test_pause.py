"""What is paused: named in every view with its reason, and neither overdue nor simply fine."""

from pathlib import Path
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import Origin, State
from tests.conftest import Staffeln, staffeln_on

WHY = ("--reason", "it moves")


@pytest.fixture
def staffeln(sqlite_url: str, cloud: SimCloud, tmp_path: Path) -> Staffeln:
    """SQLite alone: the store's own tests compare the databases."""
    return staffeln_on(sqlite_url, cloud, tmp_path)


@pytest.fixture
def two(past: Any) -> Any:
    """A volume of project alpha and one of lab, without a backup for five days."""
    past.projects("alpha", "lab")
    past.belongs()
    late = past.ago(days=5)
    for name, project in (("data", "alpha"), ("other", "lab")):
        past.volume(
            name,
            project=project,
            server_id=f"id-{project}-server",
            server_name=f"{project}-server",
            last_success_at=late,
            last_started_at=late,
        )
    past.run("collect")
    return past


def paused(staffeln: Staffeln) -> list[str]:
    return [one["scope"] for one in staffeln("status", "-f", "json").json["paused"]]


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    "target",
    [("--volume", "data"), ("--server", "alpha-server"), ("--project", "alpha"), ("--all",)],
)
def test_what_the_schedule_has_planned_is_cancelled_and_what_people_asked_for_is_not(
    staffeln: Staffeln, two: Any, target: tuple[str, ...]
) -> None:
    two.backup("scheduled", State.PLANNED, volume="data", backup_id=None)
    two.backup("asked for", State.PLANNED, volume="other", backup_id=None, origin=Origin.ADHOC)
    assert staffeln("pause", *target, *WHY).exit_code == 0
    rows = {one["name"]: one for one in staffeln("status", "backups", "-f", "json").json}
    assert rows["scheduled"]["state"] == "cancelled"
    assert rows["scheduled"]["reason"] == "paused: it moves"
    assert rows["asked for"]["state"] == "planned"
    assert staffeln("resume", *target).exit_code == 0
    assert paused(staffeln) == []
    assert staffeln("resume", *target).exit_code == 0, "what is not paused is no mistake"


def test_a_volume_that_is_paused_with_its_project_stays_paused(
    staffeln: Staffeln, two: Any
) -> None:
    for target in (("--volume", "data"), ("--project", "alpha")):
        staffeln("pause", *target, *WHY)
    said = flat(staffeln("resume", "--volume", "data").stdout)
    assert "volume data is not planned yet: project alpha is paused" in said
    assert paused(staffeln) == ["project"]
    assert "not planned yet" not in staffeln("resume", "--project", "alpha").stdout


def test_everything_that_is_resumed_leaves_narrower_pauses(staffeln: Staffeln, two: Any) -> None:
    staffeln("pause", "--volume", "data", *WHY)
    staffeln("pause", "--all", *WHY)
    said = flat(staffeln("resume", "--all").stdout)
    assert "everything is not planned yet: volume data is paused" in said


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
def test_wrong_usage_is_told_and_nothing_is_paused(
    staffeln: Staffeln, two: Any, options: tuple[str, ...], said: str
) -> None:
    answer = staffeln("pause", *options)
    assert (answer.exit_code, said in flat(answer.stderr)) == (2, True)
    assert paused(staffeln) == []


def test_every_view_shows_what_is_paused_why_by_whom_and_until_when(
    staffeln: Staffeln, two: Any
) -> None:
    staffeln("pause", "--project", "alpha", *WHY, "--until", "30d")
    end = staffeln("status", "-f", "json").json["paused"][0]["until"]
    rows = {one["volume_name"]: one for one in staffeln("status", "volumes", "-f", "json").json}
    shown = ("paused", "pause_reason", "paused_until", "overdue")
    assert [rows["data"][name] for name in shown] == [True, "it moves", end, False]
    assert "@" in rows["data"]["paused_by"]
    assert [rows["other"][name] for name in shown] == [False, None, None, True]
    strips = {one["volume_name"]: one for one in staffeln("status", "calendar", "-f", "json").json}
    assert (strips["data"]["paused"]["reason"], strips["other"]["paused"]) == ("it moves", None)
    assert (strips["data"]["overdue"], strips["other"]["overdue"]) == (False, True)
    until = f"{end[:10]} {end[11:16]} UTC"
    text = flat(staffeln("status", "calendar").stdout)
    assert "project alpha is paused since" in text
    assert f"until {until} by" in text
    projects = staffeln("status", "projects", "-f", "json").json
    counts = {one["project_name"]: (one["paused"], one["overdue"]) for one in projects}
    assert (counts["alpha"], counts["lab"]) == ((1, 0), (0, 1))


def test_monitoring_counts_paused_volumes_and_warns_of_those_without_a_recent_backup(
    staffeln: Staffeln, two: Any
) -> None:
    staffeln("pause", "--all", *WHY)
    metrics = staffeln("status", "--prometheus", "-").stdout
    assert "staffeln_volumes_paused 2\n" in metrics
    assert "staffeln_volumes_paused_overdue 2\n" in metrics
    assert "staffeln_volumes_overdue 0\n" in metrics
    line = staffeln("status", "--nagios").stdout
    assert "2 paused volumes without a recent backup" in line
    assert " paused=2;" in line


def test_explain_names_the_pause_instead_of_a_next_backup(staffeln: Staffeln, two: Any) -> None:
    staffeln("pause", "--volume", "data", *WHY)
    said = flat(staffeln("explain", "--offline", "data").stdout)
    assert "No backups are planned: volume data is paused since" in said
    assert "Next:" not in said
    other = staffeln("explain", "--offline", "other", "-f", "json").json
    assert (other["paused"], other["next"]["overdue"]) == (None, True)


def test_the_report_says_what_is_paused_and_does_not_call_it_unprotected(
    staffeln: Staffeln, two: Any, tmp_path: Path
) -> None:
    staffeln("pause", "--project", "alpha", *WHY)
    page = tmp_path / "page.html"
    assert staffeln("report", "--project", "alpha", "--preview", str(page)).exit_code == 0
    text = flat(page.read_text())
    assert "Paused: no backups are planned" in text
    assert "project alpha is paused since" in text
    assert "Not protected" not in text
    assert staffeln("report", "--preview", str(page)).exit_code == 0
    assert "project alpha is paused since" in flat(page.read_text())
