"""No clock is believed alone: not this host's, nor the one that wrote a moment."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import ClockWrong
from tests.acceptance.builders import (
    a_volume,
    backed_up,
    changes,
    everything,
    rounds,
    some_volumes,
    states,
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
    cloud.clock_offsets = {service: timedelta(minutes=-6)}
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
    cloud.clock_offsets = {"volume": timedelta(days=1)}
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
