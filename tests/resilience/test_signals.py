"""A signal ends a run after the item in hand; a second one ends it at once; both are safe."""

import signal
import time

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import State
from tests.resilience.conftest import CLAIM
from tests.resilience.gates import Gate
from tests.resilience.hosts import Host
from tests.resilience.process import Frozen
from tests.resilience.situations import HealthyHost, settle, stale_claims, two_projects, violations

FIRST_REQUESTS = {"collect": "/volumes/detail", "check": "/backups/detail"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_what_is_in_hand_and_gives_everything_else_back(
    cloud: SimCloud, host: Host, healthy: HealthyHost, number: signal.Signals
) -> None:
    two_projects(cloud)
    healthy("collect")
    gate = Gate(cloud, "POST", "/backups", number=2)
    run = host.under(clock=Frozen(cloud.now())).start("backup", "-f", "json")
    gate.wait()
    run.signal(number)
    gate.open()
    assert run.wait() == 128 + number
    assert run.json["outcome"] == "failed"
    started = len(cloud.backups())
    assert 2 <= started <= 4, "two at a time were in hand"
    count = healthy.store.records.count()
    assert count == {State.CREATING: started, State.PLANNED: 7 - started}
    assert stale_claims(healthy) == []
    settle(cloud, healthy)
    assert violations(cloud, healthy) == []


@pytest.mark.parametrize("command", FIRST_REQUESTS)
def test_a_signal_ends_any_pass_with_its_number_and_leaves_no_claim(
    cloud: SimCloud, host: Host, healthy: HealthyHost, command: str
) -> None:
    two_projects(cloud)
    healthy("collect", "backup")
    gate = Gate(cloud, "GET", FIRST_REQUESTS[command])
    run = host.under(clock=Frozen(cloud.now())).start(command)
    gate.wait()
    run.signal(signal.SIGTERM)
    gate.open()
    assert run.wait() == 128 + signal.SIGTERM
    assert stale_claims(healthy) == []


def test_a_second_signal_ends_a_run_at_once_and_the_next_one_goes_on(
    cloud: SimCloud, host: Host, healthy: HealthyHost
) -> None:
    two_projects(cloud)
    healthy("collect")
    gate = Gate(cloud, "POST", "/backups", number=2)
    run = host.under(clock=Frozen(cloud.now())).start("backup")
    gate.wait()
    began = time.monotonic()
    while run.poll() is None:
        run.signal(signal.SIGTERM)  # several at the same moment count as one
        time.sleep(0.2)
    assert time.monotonic() - began < 5, "sooner than its requests are answered"
    assert run.wait() == -signal.SIGTERM
    gate.open()
    cloud.advance(CLAIM)
    settle(cloud, healthy)
    assert violations(cloud, healthy) == []
    assert len(cloud.backups()) == 7
