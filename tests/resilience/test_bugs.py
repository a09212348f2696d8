"""What nobody foresaw: a run that ends by a bug leaves no more behind than one that failed."""

import threading
from collections.abc import Callable

import pytest

from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import State
from staffeln_cli.runtime import Run, Runtime, run_pass
from staffeln_cli.store import Caps
from tests.resilience.hosts import Host
from tests.resilience.situations import HealthyHost, stale_claims, two_projects


def break_in(
    healthy: HealthyHost, command: str, work: Callable[[Run], None], *, leader: bool
) -> None:
    with pytest.raises(ZeroDivisionError):
        run_pass(healthy.runtime, command, work, counts=(), leader=leader)


@pytest.mark.parametrize("leader", [True, False])
def test_a_bug_ends_the_row_of_its_run_as_failed(
    cloud: SimCloud, healthy: HealthyHost, leader: bool
) -> None:
    def work(run: Run) -> None:
        run.count("planned", 1 // 0)

    break_in(healthy, "collect", work, leader=leader)
    (row,) = healthy.store.runs.newest(10)
    assert (row["outcome"], row["ended_at"] is not None) == ("failed", True)
    healthy("collect")  # nobody holds its lock, and its fence is down


def test_a_bug_gives_back_all_claims_but_those_that_are_in_doubt(
    cloud: SimCloud, healthy: HealthyHost
) -> None:
    two_projects(cloud)
    healthy("collect", "backup")
    cloud.things.add_volume("new", server="shop-server")
    healthy("collect")

    def work(run: Run) -> None:
        assert len(run.store.claims.claim_open_work(run.claim())) == 7
        assert run.store.lifecycle.claim_next(run.claim(), caps=Caps(99, 99), limit=99)
        run.count("running", 1 // 0)

    break_in(healthy, "check", work, leader=False)
    (starting,) = [one for one in healthy.records() if one.state is State.STARTING]
    (claimed,) = stale_claims(healthy)
    assert claimed.startswith(f"{starting.name} is claimed by")


def test_a_bug_gives_back_claims_only_when_no_thread_of_its_is_at_work_any_more(
    cloud: SimCloud, host: Host
) -> None:
    healthy = HealthyHost(Runtime(load(None, host.environ).settings, clock=cloud.now))
    slow_one_may_end = threading.Event()
    seen: list[str | None] = []

    def work(run: Run) -> None:
        def slowly(number: int) -> int:
            if number:
                assert slow_one_may_end.wait(30)
                seen.append(run.store.runs.newest(1)[0]["outcome"])
            return number

        for _ in run.parallel(slowly, range(2)):
            threading.Timer(0.2, slow_one_may_end.set).start()
            run.count("running", 1 // 0)

    break_in(healthy, "check", work, leader=False)
    assert seen == [None], "its row was still open when the slow one ended"
    healthy.runtime.close()
