"""Whatever dies, wherever it dies: the next cron run goes on from there."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.demo.simcloud.calls import Request
from tests.resilience.conftest import IS_SOAK
from tests.resilience.hosts import KILLED, Host, Running
from tests.resilience.process import Death
from tests.resilience.scenes import Scene
from tests.resilience.worlds import CYCLE, Keeper, keeper

MOST_STEPS = 500


class Nobody(Exception):
    """Stops a request from being carried out: its sender died before it arrived."""


def before_a_request(scene: Scene, number: int) -> bool:
    """Kill the command when it sends its n-th request, of which Cinder never hears."""
    return _killed_at_request(scene, number, scene.host.start, acting=False)


def after_a_request(scene: Scene, number: int) -> bool:
    """Kill the command when Cinder has carried out its n-th request, before the answer."""
    return _killed_at_request(scene, number, scene.host.start, acting=True)


def _killed_at_request(
    scene: Scene, number: int, start: Callable[[str], Running], *, acting: bool
) -> bool:
    running: list[Running] = []
    seen = count(1)

    def hook(_: Request) -> None:
        if next(seen) == number:
            running[0].kill()
            if not acting:
                raise Nobody

    if acting:
        scene.cloud.on_reply = hook
    else:
        scene.cloud.on_request = hook
    running.append(start(scene.command))
    return running[0].wait() == KILLED


def before_a_commit(scene: Scene, number: int) -> bool:
    """Let the command kill itself just before its n-th commit."""
    death = Death(number, after=False)
    return scene.host.suffering(death=death).start(scene.command).wait() == KILLED


def after_a_commit(scene: Scene, number: int) -> bool:
    """Let the command kill itself just after its n-th commit."""
    death = Death(number, after=True)
    return scene.host.suffering(death=death).start(scene.command).wait() == KILLED


DEATHS = (before_a_request, after_a_request, before_a_commit, after_a_commit)
"""Each kills a run of the scene's command at a step; False when it ended before that step."""


def steps(first: int, stride: int) -> Iterator[int]:
    """All steps in the long variant, otherwise some of them, other ones for each kind of death."""
    return iter(range(1, MOST_STEPS) if IS_SOAK else range(first, MOST_STEPS, stride))


def die_often(scene: Scene, stride: int) -> None:
    for kind, death in enumerate(DEATHS):
        for step in steps(1 + kind * stride // len(DEATHS), stride):
            was_killed: list[bool] = []
            end = scene.end(lambda: was_killed.append(death(scene, step)))  # noqa: B023 - at once
            assert end == scene.goes_well, f"killed {death.__name__}: {step}"
            if not was_killed[0]:
                break
        else:
            raise AssertionError("the command never ends")


@pytest.mark.parametrize("command", [*CYCLE, "report"])
def test_a_run_killed_at_any_step_changes_nothing_in_the_end(
    cloud: SimCloud, host: Host, keep: Keeper, command: str
) -> None:
    die_often(Scene(cloud, host, keep, command), stride=15)


@pytest.mark.parametrize("command", [*CYCLE, "report"] if IS_SOAK else ["backup"])
def test_a_run_killed_at_any_step_changes_nothing_in_the_end_on_postgresql(
    cloud: SimCloud, host_on_postgresql: Host, command: str
) -> None:
    keep = keeper(host_on_postgresql.environ, cloud.now)
    die_often(Scene(cloud, host_on_postgresql, keep, command), stride=40)
    keep.runtime.close()


@pytest.mark.parametrize("command", ["collect", "backup"] if IS_SOAK else ["backup"])
def test_a_run_that_cron_started_dies_the_same_way(
    cloud: SimCloud, host: Host, keep: Keeper, command: str
) -> None:
    scene = Scene(cloud, host, keep, command, at=datetime.now(UTC))  # it has the real clock
    for step in range(1, MOST_STEPS, 2 if IS_SOAK else 12):
        killed: list[bool] = []
        for acting in (False, True):

            def die(step: int = step, acting: bool = acting, killed: list[bool] = killed) -> None:
                killed.append(_killed_at_request(scene, step, host.start_afresh, acting=acting))

            assert scene.end(die) == scene.goes_well
        if not all(killed):
            return
