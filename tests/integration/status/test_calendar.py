"""`staffeln status calendar`: which days have a backup?"""

from typing import Any

import pytest

from staffeln_cli.model import Kind, ServerId, State


@pytest.fixture
def month(past: Any) -> Any:
    """Three volumes: one that is overdue, one that has failed, one that is well."""
    past.projects("alpha", "beta")
    past.volume("root")
    past.volume("logs", failures=1)
    past.volume(
        "orders",
        project="beta",
        server_id=ServerId("id-db"),
        server_name="db",
        last_success_at=past.ago(days=4),
    )
    for days, kind, state in (
        (3, Kind.FULL, State.DELETED),
        (2, Kind.FULL, State.AVAILABLE),
        (1, Kind.INCREMENTAL, State.AVAILABLE),
        (0, Kind.INCREMENTAL, State.CREATING),
    ):
        at = past.ago(days=days)
        past.backup(f"root{days}", state, kind=kind, planned_at=at, started_at=at)
    failed = past.ago(days=1)
    past.backup("logs1", State.FAILED, volume="logs", planned_at=failed, reason="quota")
    gone = past.ago(days=4)
    past.backup(
        "orders4",
        State.MISSING,
        volume="orders",
        planned_at=gone,
        started_at=gone,
        project_id="id-beta",
    )
    return past


def rows(staffeln: Any, *arguments: str) -> dict[str, str]:
    """What stands behind the name of each volume."""
    lines = staffeln("status", "calendar", "--days", "5", *arguments).stdout.splitlines()
    return {name: line for line in lines for name in ("root", "logs", "orders") if name in line}


def test_each_day_has_a_sign_that_needs_no_colour(staffeln: Any, month: Any) -> None:
    found = rows(staffeln)
    assert found["root"].endswith("root    -·█▄~")
    assert found["logs"].endswith("logs    ---x-")
    assert found["orders"].split()[-6:] == ["orders", "?----", "4", "d", "without", "one"]


def test_the_legend_explains_the_signs_that_are_used(staffeln: Any, month: Any) -> None:
    text = staffeln("status", "calendar", "--days", "5").stdout
    legend = "█ full   ▄ incremental   ~ in progress   ? lost   x failed   · removed   - none"
    assert legend in text
    assert "made by hand" not in text


def test_the_worst_project_comes_first_and_names_are_not_repeated(
    staffeln: Any, month: Any
) -> None:
    lines = staffeln("status", "calendar", "--days", "5").stdout.splitlines()
    named = [line.split()[:-1] for line in lines if "root" in line or "logs" in line]
    assert named == [["alpha", "web", "logs"], ["root"]]
    assert lines.index(rows(staffeln)["orders"]) < lines.index(rows(staffeln)["logs"])


def test_json_has_a_word_for_each_day(staffeln: Any, month: Any) -> None:
    answer = staffeln("status", "calendar", "--days", "5", "-f", "json")
    assert answer.exit_code == 0
    found = {one["volume_name"]: one for one in answer.json}
    words = [day["backup"] for day in found["root"]["days"]]
    assert words == ["none", "removed", "full", "incremental", "running"]
    assert [day["date"] for day in found["root"]["days"]][-1] == f"{month.now:%Y-%m-%d}"
    assert (found["orders"]["overdue"], found["root"]["overdue"]) == (True, False)
    assert found["orders"]["project_name"] == "beta"


def test_a_volume_is_blank_before_it_was_protected(staffeln: Any, past: Any) -> None:
    past.volume("new", protected_since=past.ago(days=1), last_success_at=None)
    answer = staffeln("status", "calendar", "--days", "4", "-f", "json").json
    assert [day["backup"] for day in answer[0]["days"]] == ["before", "before", "none", "none"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--project", "beta"), ["orders"]),
        (("--server", "web"), ["logs", "root"]),
        (("--volume", "id-root"), ["root"]),
        (("--limit", "1"), ["orders"]),
    ],
)
def test_a_part_can_be_chosen(
    staffeln: Any, month: Any, arguments: tuple[str, ...], expected: list[str]
) -> None:
    answer = staffeln("status", "calendar", *arguments, "-f", "json").json
    assert [one["volume_name"] for one in answer] == expected


def test_people_see_the_worst_forty_and_how_many_more_there_are(staffeln: Any, past: Any) -> None:
    for number in range(42):
        past.volume(f"disk-{number:02}")
    text = staffeln("status", "calendar").stdout
    assert (text.count("disk-"), "and 2 more volumes" in text) == (40, True)
    assert len(staffeln("status", "calendar", "-f", "json").json) == 42


def test_without_a_protected_volume_it_says_so(staffeln: Any, past: Any) -> None:
    past.volume("root", protected=False)
    assert "0 protected volumes" in staffeln("status", "calendar").stdout
    assert staffeln("status", "calendar", "-f", "json").json == []


def test_days_are_those_of_the_zone_of_reports(staffeln: Any, past: Any) -> None:
    """The same backup is on the day after at UTC+14."""
    past.volume("root")
    evening = past.ago(days=2).replace(hour=12)
    past.backup("b1", planned_at=evening, started_at=evening)
    dates = []
    for zone in ("UTC", "Pacific/Kiritimati"):
        staffeln.set(REPORT_TIMEZONE=zone)
        answer = staffeln("status", "calendar", "--days", "6", "-f", "json").json
        dates += [day["date"] for day in answer[0]["days"] if day["backup"] == "full"]
    assert dates == [f"{evening:%Y-%m-%d}", f"{past.ago(days=1):%Y-%m-%d}"]
