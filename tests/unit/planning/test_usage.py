"""Backup storage is charged for the hours that a backup existed in the period."""

from datetime import datetime
from typing import Any

import pytest

from staffeln_cli.model import ProjectId, VolumeId
from staffeln_cli.planning.usage import ChargedBackup, Period, VolumeUsage, usage
from tests.build import NOW, ago

A_WEEK = Period(ago(days=7), NOW)


def a_charged_backup(start: datetime, end: datetime | None = None, **more: Any) -> ChargedBackup:
    backup = ChargedBackup(
        project_id=ProjectId("p1"),
        project_name="alpha",
        volume_id=VolumeId("v1"),
        volume_name="data",
        size_gib=10,
        started_at=start,
        deleted_at=end,
    )
    return backup._replace(**more)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (ago(days=2), None, 48),
        (ago(days=9), None, 168),
        (ago(days=9), ago(days=6), 24),
        (ago(days=3), ago(days=2), 24),
        (ago(days=9), ago(days=8), 0),
        (ago(hours=1), ago(hours=-5), 1),
    ],
)
def test_a_backup_counts_for_its_hours_in_the_period(
    start: datetime, end: datetime | None, hours: float
) -> None:
    assert A_WEEK.hours_of(start, end) == hours
    (row,) = usage([a_charged_backup(start, end)], A_WEEK)
    assert row.gib_hours == 10 * hours


def test_the_backups_of_a_volume_are_summed_up() -> None:
    (row,) = usage(
        [
            a_charged_backup(ago(days=9), ago(days=6)),
            a_charged_backup(ago(days=8)),
            a_charged_backup(ago(days=1), size_gib=20, volume_name="renamed"),
        ],
        A_WEEK,
    )
    assert row == VolumeUsage(
        project_id=ProjectId("p1"),
        project_name="alpha",
        volume_id=VolumeId("v1"),
        volume_name="renamed",
        made=1,
        backups=2,
        gib=30,
        gib_hours=24 * 10 + 168 * 10 + 24 * 20,
    )


def test_a_volume_that_changed_its_project_is_charged_to_each() -> None:
    rows = usage(
        [a_charged_backup(ago(days=2)), a_charged_backup(ago(days=1), project_id=ProjectId("p2"))],
        A_WEEK,
    )
    assert [(one.project_id, one.gib_hours) for one in rows] == [("p1", 480), ("p2", 240)]


def test_a_backup_that_goes_at_the_very_end_was_there_at_the_end() -> None:
    (row,) = usage([a_charged_backup(ago(days=2), NOW)], A_WEEK)
    assert (row.backups, row.gib) == (1, 10)
