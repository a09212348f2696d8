"""backup.window: planned backups start only then, and everybody is told what waits."""

from datetime import datetime, timedelta

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, backed_up, records, some_volumes, states, volumes
from tests.conftest import Staffeln


def window(cloud: SimCloud, *, opens_in: float, hours: float = 3) -> tuple[str, datetime]:
    """A window that opens so many hours from now (or is open already), and when it opens."""
    opens_at = cloud.now().replace(second=0, microsecond=0) + timedelta(hours=opens_in)
    closes_at = opens_at + timedelta(hours=hours)
    return f"{opens_at:%H:%M}-{closes_at:%H:%M}", opens_at


def test_planned_backups_wait_for_the_window_and_the_run_says_so(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln = staffeln_on_each
    some_volumes(cloud, 2)
    text, opens_at = window(cloud, opens_in=2)
    staffeln.set(BACKUP_WINDOW=text)
    staffeln("collect")
    for command in (("backup",), ("backup", "--dry-run"), ("run",)):
        answer = staffeln(*command, "-f", "json")
        (outcome,) = [one for one in _listed(answer.json) if one["command"] == "backup"]
        assert outcome["counts"] == {"started": 0, "deferred": 2, "failed": 0}
        assert outcome["remarks"] == [
            f"2 backups wait for the window {text}, which opens at {opens_at:%Y-%m-%d %H:%M} UTC"
        ]
    answer = staffeln("backup")
    assert (answer.exit_code, answer.stdout, answer.stderr) == (0, "", "")
    assert cloud.backups() == []
    cloud.advance(hours=2)
    answer = staffeln("backup", "-f", "json")
    assert answer.counts["started"] == 2
    assert "remarks" not in answer.json


def test_after_the_window_nothing_is_started_any_more(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(BACKUP_WINDOW=window(cloud, opens_in=-1, hours=2)[0], BACKUP_MAX_IN_FLIGHT="1")
    some_volumes(cloud, 2)
    staffeln.cycle("collect", "backup")
    cloud.advance(hours=1, minutes=1)
    cloud.steering.finish_backups()
    assert staffeln("check", "-f", "json").counts["available"] == 1
    assert staffeln("backup", "-f", "json").counts["started"] == 0
    cloud.advance(hours=22)
    assert staffeln("backup", "-f", "json").counts["started"] == 1


def test_the_window_is_in_the_zone_of_the_reports(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    staffeln.set(BACKUP_WINDOW=window(cloud, opens_in=5)[0], REPORT_TIMEZONE="Etc/GMT-5")
    staffeln("collect")
    assert staffeln("backup", "-f", "json").counts["started"] == 1


def test_ad_hoc_backups_start_at_any_time(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(BACKUP_WINDOW=window(cloud, opens_in=2)[0])
    a_volume(cloud, "planned")
    staffeln("collect")
    new = a_volume(cloud, "new")
    staffeln("pause", "--all", "--reason", "a test")
    for name in ("planned", new):
        assert staffeln("backup", "--volume", name, "-f", "json").counts["started"] == 1
    assert {one["origin"] for one in records(staffeln) if one["state"] == "creating"} == {"adhoc"}


def test_what_the_schedule_had_planned_starts_when_somebody_asks_for_it(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_WINDOW=window(cloud, opens_in=2)[0], BACKUP_MAX_IN_FLIGHT="1")
    some_volumes(cloud, 2)
    staffeln("collect")
    answer = staffeln("backup", "--volume", "shop-0", "--volume", "shop-1", "-f", "json")
    assert (answer.counts["started"], answer.counts["deferred"]) == (1, 1)
    cloud.steering.finish_backups()
    staffeln("check")
    assert staffeln("backup", "-f", "json").counts["started"] == 1


def test_what_is_due_when_the_window_opens_is_planned_before(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    backed_up(staffeln, cloud)
    cloud.advance(hours=20)
    assert staffeln("collect", "-f", "json").counts["planned"] == 0
    staffeln.set(BACKUP_WINDOW=window(cloud, opens_in=3)[0])
    assert staffeln("collect", "-f", "json").counts["planned"] == 0
    staffeln.set(BACKUP_WINDOW=window(cloud, opens_in=4)[0])
    assert staffeln("collect", "-f", "json").counts["planned"] == 1
    cloud.advance(hours=4, minutes=1)
    assert staffeln("backup", "-f", "json").counts["started"] == 1


def test_what_waits_for_the_window_is_planned_anew_where_its_chain_has_changed(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln = staffeln_on_each
    a_volume(cloud)
    backed_up(staffeln, cloud)
    cloud.advance(days=1)
    staffeln.set(BACKUP_WINDOW=window(cloud, opens_in=3)[0])
    staffeln("collect")
    assert planned_kinds(staffeln) == ["incremental"]
    cloud.things.remove_backup(cloud.backups()[0]["id"])
    assert "plan full" in staffeln("collect", "--dry-run").stdout
    assert planned_kinds(staffeln) == ["incremental"]
    staffeln("collect")
    assert planned_kinds(staffeln) == ["full"]
    staffeln("collect")
    cloud.advance(hours=3, minutes=1)
    assert staffeln("backup", "-f", "json").counts["started"] == 1
    cloud.steering.finish_backups()
    staffeln("check")
    assert [one["is_incremental"] for one in cloud.backups()] == [False]


def planned_kinds(staffeln: Staffeln) -> list[str]:
    return [one["kind"] for one in records(staffeln, "--state", "planned")]


def test_what_only_waits_for_the_window_is_no_alarm_before_its_chance(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    data = a_volume(cloud)
    staffeln.set(BACKUP_MIN_INTERVAL="2h", RETENTION_TIME="1d")
    backed_up(staffeln, cloud)
    cloud.advance(hours=5)
    assert staffeln("status", "-f", "json").json["volumes"]["overdue"] == 1
    staffeln.set(BACKUP_WINDOW=window(cloud, opens_in=10)[0])
    staffeln("collect")
    assert staffeln("status", "-f", "json").json["volumes"]["overdue"] == 0
    assert staffeln("status", "--nagios").exit_code == 0
    assert volumes(staffeln)[data]["overdue"] is False
    (row,) = staffeln("status", "calendar", "-f", "json").json
    assert row["overdue"] is False
    cloud.advance(hours=13, minutes=1)
    staffeln("collect")
    assert staffeln("status", "-f", "json").json["volumes"]["overdue"] == 1
    assert staffeln("status", "--nagios").exit_code == 2


def test_explain_says_when_the_window_opens(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    staffeln("collect")
    assert "backup.window" not in staffeln("explain", "data").stdout
    text, opens_at = window(cloud, opens_in=2)
    staffeln.set(BACKUP_WINDOW=text)
    said = " ".join(staffeln("explain", "data").stdout.split())
    assert f"It starts in backup.window, from {opens_at:%Y-%m-%d %H:%M} UTC on." in said
    answer = staffeln("explain", "data", "-f", "json").json
    assert answer["next"]["window_opens_at"] == f"{opens_at:%Y-%m-%dT%H:%M:%SZ}"
    assert states(staffeln) == ["planned"]


@pytest.mark.parametrize("command", [("config", "check"), ("doctor",), ("backup",), ("status",)])
@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("BACKUP_WINDOW", "22-5", "backup.window: '22-5' is not a window such as 22:00-05:00"),
        ("REPORT_TIMEZONE", "Europe/Atlantis", "report.timezone: 'Europe/Atlantis' is not known"),
    ],
)
def test_a_window_or_a_zone_that_is_wrong_is_named(
    staffeln: Staffeln, command: tuple[str, ...], key: str, value: str, said: str
) -> None:
    staffeln.set(BACKUP_WINDOW="22:00-05:00")
    staffeln.set(**{key: value})
    answer = staffeln(*command)
    assert answer.exit_code == 78
    assert said in " ".join((answer.stdout + answer.stderr).split())


def test_doctor_warns_of_an_interval_that_one_window_a_day_cannot_serve(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_WINDOW="22:00-05:00", BACKUP_MIN_INTERVAL="6h")
    said = " ".join(staffeln("doctor").stdout.split())
    assert "backup.min_interval is 6h, and backup.window 22:00-05:00 opens once a day" in said
    staffeln.set(BACKUP_MIN_INTERVAL="16h")
    assert "opens once a day" not in staffeln("doctor").stdout


def _listed(outcomes: object) -> list[dict[str, object]]:
    return outcomes if isinstance(outcomes, list) else [outcomes]  # type: ignore[list-item]  # JSON
