"""`staffeln status usage`: what to charge for."""

import csv
import io
from datetime import datetime
from typing import Any

import pytest

from staffeln_cli.model import State


def at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S%z}"


@pytest.fixture
def used(past: Any) -> Any:
    """Two volumes in two projects, with backups that came and went within ten days."""
    past.projects("alpha", "beta")
    past.volume("root")
    past.volume("orders", project="beta")
    for name, volume, made, gone in (
        ("old", "root", 9, 6),
        ("kept", "root", 2, None),
        ("other", "orders", 1, None),
    ):
        start = past.ago(days=made)
        more = {"state": State.DELETED} if gone else {}
        past.backup(
            name,
            volume=volume,
            planned_at=start,
            started_at=start,
            deleted_at=past.ago(days=gone) if gone else None,
            project_id="id-beta" if volume == "orders" else "id-alpha",
            **more,
        )
    failed = past.ago(days=3)
    past.backup("failed", State.FAILED, planned_at=failed, started_at=failed, reason="quota")
    return past


def a_week(staffeln: Any, past: Any, *arguments: str) -> Any:
    period = ("--since", at(past.ago(days=7)), "--until", at(past.now))
    answer = staffeln("status", "usage", *period, *arguments)
    assert answer.exit_code == 0, answer.stderr
    return answer


def test_each_volume_has_its_backups_and_gib_hours(staffeln: Any, used: Any) -> None:
    root, orders = a_week(staffeln, used, "-f", "json").json
    assert (root["project_name"], root["volume_name"]) == ("alpha", "root")
    assert (root["made"], root["backups"], root["gib"]) == (1, 1, 10)
    assert root["gib_hours"] == pytest.approx(10 * 24 + 10 * 48, abs=0.1)
    assert (orders["project_name"], orders["gib_hours"]) == ("beta", pytest.approx(240, abs=0.1))


def test_csv_has_a_line_for_each_volume(staffeln: Any, used: Any) -> None:
    text = a_week(staffeln, used, "-f", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["volume_name"] for row in rows] == ["root", "orders"]
    assert rows[0]["since"] == f"{used.ago(days=7):%Y-%m-%dT%H:%M:%SZ}"


def test_a_project_can_be_chosen_and_the_columns(staffeln: Any, used: Any) -> None:
    answer = a_week(staffeln, used, "--project", "beta", "-c", "gib", "-f", "value")
    assert answer.stdout == "10\n"


def test_without_a_period_it_is_the_present_month(staffeln: Any, used: Any) -> None:
    (row, *_) = staffeln("status", "usage", "-f", "json").json
    assert row["since"] == f"{used.now:%Y-%m-01T00:00:00Z}"


def test_a_period_that_ends_before_it_begins_is_refused(staffeln: Any, used: Any) -> None:
    wrong = staffeln("status", "usage", "--since", "2026-02-01", "--until", "2026-01-01")
    assert (wrong.exit_code, "--since must be before --until" in wrong.stderr) == (2, True)
    assert staffeln("status", "usage", "--since", "yesterday").exit_code == 2


def test_it_says_when_the_records_of_removed_backups_are_incomplete(
    staffeln: Any, used: Any
) -> None:
    staffeln.set(RETENTION_HISTORY="5d")
    assert "retention.history" in a_week(staffeln, used).stderr
    staffeln.set(RETENTION_HISTORY="90d")
    assert a_week(staffeln, used).stderr == ""
