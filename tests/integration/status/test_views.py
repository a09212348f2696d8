"""`staffeln status volumes`, `backups`, `projects` and `runs`."""

import csv
import io
from typing import Any

import pytest

from staffeln_cli.model import ProjectId, ProjectQuota, State

VOLUME = (
    *("volume_id", "volume_name", "server_id", "server_name", "project_id", "project_name"),
    *("protected", "skip_reason", "retention", "last_success_at", "next_due_at", "overdue"),
)
BACKUP = (
    *("name", "backup_id", "volume_id", "volume_name", "server_id", "server_name", "project_id"),
    *("project_name", "kind", "state", "reason", "attempt", "planned_at", "started_at"),
    *("finished_at", "size_gib", "origin", "chain_id", "pinned"),
)


def rows(staffeln: Any, *arguments: str) -> Any:
    answer = staffeln("status", *arguments, "-f", "json")
    assert answer.exit_code == 0, answer.stderr
    return answer.json


def names(staffeln: Any, *arguments: str, column: str = "volume_name") -> list[str]:
    return [one[column] for one in rows(staffeln, *arguments)]


@pytest.fixture
def cloudy(past: Any) -> Any:
    """Two projects with volumes in all conditions."""
    past.projects("alpha", "beta")
    past.volume("root", retention="4w")
    past.volume("late", last_success_at=past.ago(days=3), last_started_at=past.ago(days=3))
    past.volume(
        "plain", project="beta", server_id="id-db", server_name="db", size_gib=30, protected=False
    )
    past.volume("gone", protected=False, gone_at=past.now)
    past.volume("forgotten", protected=False, gone_at=past.now)
    past.backup("b1", planned_at=past.ago(days=2), started_at=past.ago(days=2))
    past.backup("b2", State.FAILED, reason="quota", planned_at=past.ago(days=1))
    past.backup("b3", volume="gone", pinned=True, pin_note="audit")
    past.run("collect")
    past.run("check", "partial", at=past.ago(hours=1))
    return past


def test_volumes_have_the_promised_columns(staffeln: Any, cloudy: Any) -> None:
    found = {one["volume_name"]: one for one in rows(staffeln, "volumes")}
    assert set(VOLUME) <= set(found["root"])
    root, late, plain = found["root"], found["late"], found["plain"]
    assert (root["protected"], root["overdue"], root["retention"]) == (True, False, "4w")
    assert root["next_due_at"].endswith("Z")
    assert (late["overdue"], late["retention"], late["project_name"]) == (True, "2w3d", "alpha")
    assert (plain["protected"], plain["overdue"], plain["next_due_at"]) == (False, False, None)


def test_the_default_retention_is_the_configured_one(staffeln: Any, cloudy: Any) -> None:
    staffeln.set(RETENTION_TIME="1y")
    assert rows(staffeln, "volumes", "--volume", "late")[0]["retention"] == "1y"


def test_a_volume_never_backed_up_is_overdue_by_when_it_was_first_protected(
    staffeln: Any, past: Any
) -> None:
    never = {"last_success_at": None, "last_started_at": None}
    past.volume("new", protected_since=past.ago(hours=1), **never)
    past.volume("old", protected_since=None, **never)
    found = {one["volume_name"]: one["overdue"] for one in rows(staffeln, "volumes")}
    assert found == {"new": False, "old": True}


def test_a_volume_that_is_gone_is_shown_while_backups_of_it_are_left(
    staffeln: Any, cloudy: Any
) -> None:
    assert names(staffeln, "volumes") == ["gone", "late", "root", "plain"]
    assert "forgotten" in names(staffeln, "volumes", "--gone")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--project", "beta"), ["plain"]),
        (("--project", "id-beta"), ["plain"]),
        (("--server", "db"), ["plain"]),
        (("--volume", "id-root"), ["root"]),
        (("--overdue",), ["late"]),
        (("--protected",), ["late", "root"]),
        (("--unprotected",), ["gone", "plain"]),
        (("--overdue", "--limit", "1"), ["late"]),
        (("--limit", "2"), ["gone", "late"]),
    ],
)
def test_volumes_can_be_picked(
    staffeln: Any, cloudy: Any, arguments: tuple[str, ...], expected: list[str]
) -> None:
    assert names(staffeln, "volumes", *arguments) == expected


def test_backups_have_the_promised_columns_the_newest_plan_first(
    staffeln: Any, cloudy: Any
) -> None:
    found = rows(staffeln, "backups")
    assert [one["name"] for one in found] == ["b3", "b2", "b1"]
    assert set(BACKUP) <= set(found[0])
    assert (found[0]["pinned"], found[0]["pin_note"]) == (True, "audit")
    assert (found[1]["state"], found[1]["reason"]) == ("failed", "quota")
    assert (found[2]["kind"], found[2]["project_name"]) == ("full", "alpha")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--state", "failed"), ["b2"]),
        (("--state", "failed", "--state", "available"), ["b3", "b2", "b1"]),
        (("--pinned",), ["b3"]),
        (("--unpinned",), ["b2", "b1"]),
        (("--volume", "root"), ["b2", "b1"]),
        (("--project", "beta"), []),
    ],
)
def test_backups_can_be_picked(
    staffeln: Any, cloudy: Any, arguments: tuple[str, ...], expected: list[str]
) -> None:
    assert names(staffeln, "backups", *arguments, column="name") == expected


def test_projects_have_the_days_until_their_quota_is_full(staffeln: Any, cloudy: Any) -> None:
    quota = ProjectQuota(1000, 900, 50, 12, cloudy.ago(days=1), cloudy.ago(days=-9))
    cloudy.store.projects.note_quota(ProjectId("id-alpha"), quota)
    alpha, beta = rows(staffeln, "projects")
    assert (alpha["quota_gib"], alpha["quota_gib_used"], alpha["quota_days_left"]) == (
        1000,
        900,
        8,
    )
    assert alpha["quota_seen_at"].endswith("Z")
    assert (beta["quota_gib"], beta["quota_days_left"]) == (None, None)
    text = staffeln("status", "--prometheus", "-").stdout
    assert 'staffeln_project_quota_days_left{project_id="id-alpha"} 8\n' in text
    assert 'staffeln_project_quota_gib_used{project_id="id-alpha"} 900\n' in text


def test_a_project_without_a_limit_has_no_days(staffeln: Any, cloudy: Any) -> None:
    quota = ProjectQuota(-1, 900, -1, 12, cloudy.now, None)
    cloudy.store.projects.note_quota(ProjectId("id-alpha"), quota)
    assert rows(staffeln, "projects")[0]["quota_days_left"] is None
    assert "staffeln_project_quota" not in staffeln("status", "--prometheus", "-").stdout


def test_projects_say_how_each_is_protected(staffeln: Any, cloudy: Any) -> None:
    alpha, beta = rows(staffeln, "projects")
    assert (alpha["project_name"], alpha["protected"], alpha["overdue"]) == ("alpha", 2, 1)
    assert (alpha["available"], alpha["failed"], alpha["size_gib"]) == (2, 1, 20)
    assert (beta["project_name"], beta["protected"], beta["oldest_success"]) == ("beta", 0, None)
    assert len(rows(staffeln, "projects", "--project", "beta")) == 1


def test_a_project_that_is_gone_is_shown_while_it_has_backups(staffeln: Any, past: Any) -> None:
    past.projects("alpha", "beta")
    past.backup("b1")
    past.store.projects.note_gone(["id-alpha", "id-beta"], past.now)
    assert names(staffeln, "projects", column="project_name") == ["alpha"]


def test_runs_are_shown_the_newest_first(staffeln: Any, cloudy: Any) -> None:
    collect, check = rows(staffeln, "runs")
    assert (collect["command"], collect["duration_s"], collect["outcome"]) == ("collect", 90, "ok")
    assert (check["failures"], check["api_requests"], check["counts"]) == (1, 3, {})
    assert names(staffeln, "runs", "--command", "check", column="command") == ["check"]
    assert names(staffeln, "runs", "--outcome", "ok", column="command") == ["collect"]


def test_a_run_without_an_end_has_none(staffeln: Any, past: Any) -> None:
    past.store.runs.begin("r1", "collect", "host1", past.now)
    (run,) = rows(staffeln, "runs")
    assert (run["ended_at"], run["duration_s"], run["outcome"]) == (None, None, None)


def test_chosen_columns_come_in_the_order_of_the_view_as_with_the_openstack_client(
    staffeln: Any, cloudy: Any
) -> None:
    arguments = ("status", "volumes", "-c", "Size GiB", "-c", "volume_name", "-f", "value")
    assert staffeln(*arguments).stdout == "gone 10\nlate 10\nroot 10\nplain 30\n"


def test_rows_are_sorted_by_columns_and_what_has_no_value_comes_last(
    staffeln: Any, cloudy: Any
) -> None:
    by_size = ("volumes", "--sort-column", "size_gib", "--sort-column", "volume_name")
    assert names(staffeln, *by_size) == ["gone", "late", "root", "plain"]
    assert names(staffeln, *by_size, "--sort-descending") == ["plain", "root", "late", "gone"]
    due = names(staffeln, "volumes", "--sort-column", "next_due_at", "--sort-descending")
    assert due[:2] == ["root", "late"]


@pytest.mark.parametrize("option", ["-c", "--sort-column"])
@pytest.mark.parametrize("view", ["volumes", "backups", "projects", "runs"])
def test_an_unknown_column_is_wrong_usage_and_the_known_ones_are_told(
    staffeln: Any, view: str, option: str
) -> None:
    answer = staffeln("status", view, option, "colour")
    assert answer.exit_code == 2
    assert f"{option}: no column 'colour'; there are " in answer.stderr


def test_csv_has_a_header_and_quotes(staffeln: Any, cloudy: Any) -> None:
    text = staffeln("status", "backups", "-f", "csv", "-c", "name", "-c", "size_gib").stdout
    assert text == '"name","size_gib"\n"b3",10\n"b2",10\n"b1",10\n'
    whole = csv.reader(io.StringIO(staffeln("status", "backups", "-f", "csv").stdout))
    assert set(BACKUP) <= set(next(whole))


def test_a_table_is_plain_where_no_terminal_is(staffeln: Any, cloudy: Any) -> None:
    text = staffeln("status", "volumes").stdout
    assert text.splitlines()[0].startswith("volume id  volume name")
    assert len(text.splitlines()) == 5
    assert "\x1b" not in text


def test_an_empty_view_prints_nothing_but_json_an_empty_list(staffeln: Any) -> None:
    assert staffeln("status", "backups").stdout == ""
    assert rows(staffeln, "backups") == []
