"""No clock is believed alone: not this host's, nor the one that wrote a moment."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import ClockWrong
from tests.acceptance.builders import (
    a_volume,
    backed_up,
    changes,
    everything,
    reasons,
    rounds,
    sent,
    some_volumes,
    states,
    twice,
    volumes,
)
from tests.conftest import Staffeln

PASSES = ("collect", "backup", "check", "retain", "report")


def off_by(cloud: SimCloud, **length: float) -> Callable[[], object]:
    """A clock that differs from the cloud's by so much."""
    return lambda: cloud.now() + timedelta(**length)


@pytest.fixture
def busy(cloud: SimCloud, staffeln: Staffeln) -> None:
    """Something to do for every pass: to plan, to start, to follow, to remove and to report."""
    staffeln.set(RETENTION_KEEP_LAST="0", RETENTION_TIME="1d")
    some_volumes(cloud, 2)
    rounds(staffeln, cloud, 1, days=3)
    staffeln.cycle("collect", "backup")
    a_volume(cloud, "new")
    staffeln("collect")
    some_volumes(cloud, 1, project="lab")
    cloud.requests.clear()


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("length", [{"minutes": 6}, {"minutes": -6}, {"days": 1}])
@pytest.mark.parametrize("command", PASSES)
def test_a_host_whose_clock_is_off_writes_and_deletes_nothing(
    cloud: SimCloud, staffeln: Staffeln, command: str, length: dict[str, float]
) -> None:
    before = everything(staffeln.environ["STAFFELN_DATABASE_URL"])
    staffeln.clock = off_by(cloud, **length)  # type: ignore[assignment]
    answer = staffeln(command)
    assert answer.exit_code == ClockWrong.exit_code
    assert "clock" in answer.stderr
    assert changes(cloud) == []
    assert everything(staffeln.environ["STAFFELN_DATABASE_URL"]) == before


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("service", ["identity", "compute", "volume"])
def test_each_service_is_asked_for_the_time(
    cloud: SimCloud, staffeln: Staffeln, service: str
) -> None:
    before = volumes(staffeln)
    cloud.settings.clock_offsets = {service: timedelta(minutes=-6)}
    answer = staffeln("collect")
    assert answer.exit_code == ClockWrong.exit_code
    name = {"identity": "Keystone", "compute": "Nova", "volume": "Cinder"}[service]
    assert re.search(rf"0:06:0\d ahead of that of {name}", answer.stderr)
    assert volumes(staffeln) == before


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("command", ["backup", "check", "retain"])
def test_cinders_clock_is_compared_before_anything_is_asked_of_it(
    cloud: SimCloud, staffeln: Staffeln, command: str
) -> None:
    before = states(staffeln)
    cloud.settings.clock_offsets = {"volume": timedelta(days=1)}
    assert staffeln(command).exit_code == ClockWrong.exit_code
    assert changes(cloud) == []
    assert states(staffeln) == before


def test_a_requested_backup_needs_a_right_clock_too(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud)
    staffeln.clock = off_by(cloud, hours=1)  # type: ignore[assignment]
    assert staffeln("backup", "--volume", volume).exit_code == ClockWrong.exit_code
    assert cloud.backups() == []


@pytest.mark.usefixtures("busy")
def test_once_the_clocks_agree_everything_goes_on(cloud: SimCloud, staffeln: Staffeln) -> None:
    right = staffeln.clock
    staffeln.clock = off_by(cloud, days=30)  # type: ignore[assignment]
    for command in PASSES:
        staffeln(command)
    staffeln.clock = right
    assert staffeln("collect").exit_code == 0
    backed_up(staffeln, cloud)
    assert all(volume["last_success_at"] for volume in volumes(staffeln).values())


def write(staffeln: Staffeln, statement: str) -> None:
    """Write as a host did whose clock was wrong, before the clocks were compared."""
    file = staffeln.environ["STAFFELN_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(statement)


def test_a_history_that_lies_in_the_future_makes_the_volume_due_and_is_told(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    cloud.advance(days=30)
    backed_up(staffeln, cloud)
    cloud.advance(days=-30)
    doctor = staffeln("doctor")
    assert "in the future" in doctor.stdout
    assert staffeln("collect", "-f", "json").counts["planned"] == 1
    backed_up(staffeln, cloud)
    assert staffeln("collect", "-f", "json").counts["planned"] == 0, "the history is right again"
    cloud.advance(days=1)
    assert staffeln("collect", "-f", "json").counts["planned"] == 1


def test_a_backup_of_a_host_that_was_behind_is_as_old_as_cinder_says(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_KEEP_LAST="0", RETENTION_TIME="17d")
    a_volume(cloud)
    backed_up(staffeln, cloud)
    write(staffeln, "UPDATE backups SET started_at = datetime(started_at, '-40 days')||'.000000'")
    assert staffeln("retain", "-f", "json").counts["kept"] == 1
    cloud.advance(days=17)
    assert staffeln("retain", "-f", "json").counts["expired"] == 1


def test_a_running_backup_times_out_by_cinders_clock(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    for shift in ("-2 days", "+5 days"):
        write(
            staffeln,
            f"UPDATE backups SET started_at = datetime(started_at, '{shift}')||'.000000'",
        )
        assert staffeln("check", "-f", "json").counts["running"] == 1
    cloud.advance(hours=13)
    assert staffeln("check", "-f", "json").counts["timed_out"] == 1


def test_a_claim_longer_than_any_claim_can_be_does_not_hold(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    held = "UPDATE backups SET claimed_by = 'x', claimed_until = datetime('{}', '{}')||'.000000'"
    write(staffeln, held.format(cloud.now().strftime("%F %T"), "+10 seconds"))
    assert staffeln("check", "-f", "json").counts["available"] == 0
    write(staffeln, held.format(cloud.now().strftime("%F %T"), "+30 days"))
    assert staffeln("check", "-f", "json").counts["available"] == 1


def test_a_pause_longer_than_any_pause_can_be_does_not_hold(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln("collect")
    write(staffeln, "UPDATE backups SET not_before = datetime(planned_at, '+30 days')||'.000000'")
    assert staffeln("backup", "-f", "json").counts["started"] == 1


def test_an_export_record_is_asked_for_again_after_a_pause_longer_than_any(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    cloud.faults.fail_next("GET", "/export_record", status=400)
    backed_up(staffeln, cloud)
    later = "datetime(next_try_at, '+30 days')||'.000000'"
    write(staffeln, f"UPDATE export_records SET next_try_at = {later}")
    cloud.requests.clear()
    staffeln("check")
    assert len(sent(cloud, "GET", "/export_record")) == 1


def test_a_report_and_a_listing_noted_in_the_future_are_due(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    backed_up(staffeln, cloud)
    staffeln("report")
    for table, column in (("projects", "reported_at"), ("cloud", "backups_listed_at")):
        write(staffeln, f"UPDATE {table} SET {column} = datetime({column}, '+30 days')||'.000000'")
    cloud.requests.clear()
    staffeln("check")
    assert len(sent(cloud, "GET", "/backups/detail")) > 0
    assert staffeln("report", "-f", "json").counts["projects"] == 1


def test_an_absence_first_noted_in_the_future_is_noted_anew_and_believed_at_its_time(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    other = cloud.people.add_project("closed")
    backed_up(staffeln, cloud)
    staffeln("collect")
    cloud.things.remove_volume(volume)
    cloud.people.remove_project(other)
    staffeln("collect")
    for table in ("volumes", "projects"):
        column = "suspected_gone_at"
        write(staffeln, f"UPDATE {table} SET {column} = datetime({column}, '+30 days')||'.000000'")
    gone = twice(staffeln, cloud, "collect")
    assert gone.counts["gone"] == 1
    projects = staffeln("status", "projects", "-f", "json").json
    assert "closed" not in {one["project_name"] for one in projects}


@pytest.mark.parametrize("command", ["collect", "check"])
def test_a_confirmation_given_in_the_future_is_none(
    cloud: SimCloud, staffeln: Staffeln, command: str
) -> None:
    staffeln.set(BACKUP_MAX_IN_FLIGHT_PER_PROJECT="50")
    names = some_volumes(cloud, 25)
    backed_up(staffeln, cloud)
    later = f"datetime('{cloud.now():%F %T}', '+30 days')||'.000000'"
    write(staffeln, f"UPDATE cloud SET {command}_confirmed_at = {later}")
    cloud.things.lose_backups()
    for one in names:
        cloud.things.remove_volume(one)
    cloud.advance(hours=2)
    answer = twice(staffeln, cloud, command)
    assert f"run: staffeln {command} --confirm" in reasons(answer)[0]
    assert answer.counts["gone" if command == "collect" else "missing"] == 0
