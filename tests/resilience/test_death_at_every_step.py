"""Whatever dies, wherever it dies: the next cron run goes on from there."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from threading import Event

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.demo.simcloud.calls import Request
from tests.resilience.conftest import IS_SOAK
from tests.resilience.hosts import KILLED, PATIENCE, Host, Running
from tests.resilience.process import Death
from tests.resilience.replay import Replay
from tests.resilience.situations import CYCLE, HealthyHost, a_healthy_host

MOST_STEPS = 500


class Nobody(Exception):
    """Stops a request from being carried out: its sender died before it arrived."""


def before_a_request(replay: Replay, number: int) -> bool:
    """Kill the command when it sends its n-th request, of which Cinder never hears."""
    return _killed_at_request(replay, number, replay.host.start, acting=False)


def after_a_request(replay: Replay, number: int) -> bool:
    """Kill the command when Cinder has carried out its n-th request, before the answer."""
    return _killed_at_request(replay, number, replay.host.start, acting=True)


def _killed_at_request(
    replay: Replay, number: int, start: Callable[[str], Running], *, acting: bool
) -> bool:
    running: list[Running] = []
    seen, has_started = count(1), Event()

    def hook(_: Request) -> None:
        if next(seen) == number:
            has_started.wait(PATIENCE)  # it may send its first request before its id is known
            running[0].kill()
            if not acting:
                raise Nobody

    if acting:
        replay.cloud.on_reply = hook
    else:
        replay.cloud.on_request = hook
    running.append(start(replay.command))
    has_started.set()
    return running[0].wait() == KILLED


def before_a_commit(replay: Replay, number: int) -> bool:
    """Let the command kill itself just before its n-th commit."""
    death = Death(number, after=False)
    return replay.host.under(death=death).start(replay.command).wait() == KILLED


def after_a_commit(replay: Replay, number: int) -> bool:
    """Let the command kill itself just after its n-th commit."""
    death = Death(number, after=True)
    return replay.host.under(death=death).start(replay.command).wait() == KILLED


DEATHS = (before_a_request, after_a_request, before_a_commit, after_a_commit)
"""Each kills a run of the command at a step; False when it ended before that step."""


def steps(first: int, stride: int) -> Iterator[int]:
    """All steps in the long variant, otherwise some of them, other ones for each kind of death."""
    return iter(range(1, MOST_STEPS) if IS_SOAK else range(first, MOST_STEPS, stride))


def die_often(replay: Replay, stride: int) -> None:
    for kind, death in enumerate(DEATHS):
        for step in steps(1 + kind, stride):
            was_killed: list[bool] = []
            end = replay.end(lambda: was_killed.append(death(replay, step)))  # noqa: B023 - at once
            assert end == replay.undisturbed, f"killed {death.__name__}: {step}"
            if not was_killed[0]:
                break
        else:
            raise AssertionError("the command never ends")


@pytest.mark.parametrize("command", [*CYCLE, "report", "verify"])
def test_a_run_killed_at_any_step_changes_nothing_in_the_end(
    cloud: SimCloud, host: Host, healthy: HealthyHost, command: str
) -> None:
    die_often(Replay(cloud, host, healthy, command), stride=30)


@pytest.mark.parametrize("command", [*CYCLE, "report", "verify"] if IS_SOAK else ["backup"])
def test_a_run_killed_at_any_step_changes_nothing_in_the_end_on_postgresql(
    cloud: SimCloud, host_on_postgresql: Host, command: str
) -> None:
    healthy = a_healthy_host(host_on_postgresql.environ, cloud.now)
    die_often(Replay(cloud, host_on_postgresql, healthy, command), stride=80)
    healthy.runtime.close()


@pytest.mark.parametrize("command", ["collect", "backup"] if IS_SOAK else ["backup"])
def test_a_run_that_cron_started_dies_the_same_way(
    cloud: SimCloud, host: Host, healthy: HealthyHost, command: str
) -> None:
    replay = Replay(cloud, host, healthy, command, at=datetime.now(UTC))  # it has the real clock
    for step in range(1, MOST_STEPS, 2 if IS_SOAK else 24):
        killed: list[bool] = []
        for acting in (False, True):

            def die(step: int = step, acting: bool = acting, killed: list[bool] = killed) -> None:
                killed.append(_killed_at_request(replay, step, host.start_afresh, acting=acting))

            assert replay.end(die) == replay.undisturbed
        if not all(killed):
            return
