"""What restore drills have measured is what a restore is expected to take."""

from datetime import timedelta

import pytest

from staffeln_cli.commands import collect, verify
from staffeln_cli.commands.restore import RestoreRequest
from staffeln_cli.commands.restore import run as restore
from staffeln_cli.commands.status.summary import summary
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.runtime import Runtime
from tests.acceptance.builders import a_volume
from tests.integration.conftest import Begin
from tests.integration.restore.conftest import adopted

PACE = timedelta(seconds=10)
"""What a restore takes for each GiB of each backup of the chain."""


@pytest.fixture
def runtime(cloud: SimCloud, begin: Begin) -> Runtime:
    """One drill at a time, so that time passes for one alone."""
    cloud.settings.restore_pace = PACE
    return begin(VERIFY_MAX_IN_FLIGHT="1", VERIFY_TIME_BUDGET="1d", VERIFY_COUNT="9").runtime


def chains(cloud: SimCloud, runtime: Runtime, **lengths: int) -> None:
    """Volumes of 10 GiB with chains of so many backups."""
    for name in lengths:
        a_volume(cloud, name, size_gib=10)
    assert collect.run(runtime).exit_code == 0
    for volume in runtime.store.inventory.all_volumes():
        length = lengths[volume.volume_name]
        for place in range(length):
            made = cloud.now() - timedelta(hours=length - place)
            adopted(cloud, runtime, volume, incremental=place > 0, created_at=made)


def test_the_rate_is_known_for_each_length_of_chain_that_was_restored(
    cloud: SimCloud, runtime: Runtime
) -> None:
    chains(cloud, runtime, short=1, middle=4, long=7)
    assert verify.run(runtime, verify.VerifyRequest()).counts["passed"] == 3
    state = summary(runtime)
    assert state.recovery_rates.keys() == {1, 4, 7}
    for length, rate in state.recovery_rates.items():
        assert rate == pytest.approx(PACE.total_seconds() * length, rel=0.1)
    assert state.proofs == "3 of 3 volumes proven in the last 100d"


def test_a_restore_of_several_is_expected_to_take_their_times_together(
    cloud: SimCloud, runtime: Runtime
) -> None:
    chains(cloud, runtime, data=1, logs=2)
    assert verify.run(runtime, verify.VerifyRequest()).counts["passed"] == 2
    plan = restore(runtime, RestoreRequest(volumes=["data", "logs"]), dry_run=True)
    *each, total = [one.reason for one in plan.decisions]
    assert all("takes about" in reason for reason in each)
    assert total.startswith("takes about 5min")
    assert "one after another" in total


def test_a_drill_of_one_volume_tells_of_all(cloud: SimCloud, runtime: Runtime) -> None:
    chains(cloud, runtime, data=1, logs=1)
    assert verify.run(runtime, verify.VerifyRequest(volumes=["data"])).counts["passed"] == 1
    (decision,) = restore(runtime, RestoreRequest(volumes=["logs"]), dry_run=True).decisions
    assert "takes about 1min4" in decision.reason
