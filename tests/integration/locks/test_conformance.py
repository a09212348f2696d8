"""What every kind of lock promises."""

import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from staffeln_cli.errors import ConfigError, LockHeld
from staffeln_cli.locks import held

if TYPE_CHECKING:
    from tests.integration.locks.conftest import Run, Service

LEASE = timedelta(seconds=1.5)
RACERS, RACE_SECONDS = 5, 2.0


def test_a_lock_that_is_held_is_refused_at_once_and_its_holder_named(service: "Service") -> None:
    with held(service.lock, "refused", owner="host-1 run 7", lease=LEASE) as lock:
        began = time.monotonic()
        with (
            pytest.raises(LockHeld, match="host-1 run 7"),
            held(service.lock, "refused", owner="host-2", lease=LEASE),
        ):
            pass
        assert time.monotonic() - began < 1
        assert lock.still_held()


def test_a_released_lock_can_be_taken_at_once(service: "Service") -> None:
    for _ in range(3):
        with held(service.lock, "again", owner="me", lease=LEASE) as lock:
            assert lock.still_held()


def test_a_lock_is_released_when_its_run_fails(service: "Service") -> None:
    with (
        pytest.raises(ZeroDivisionError),
        held(service.lock, "failing", owner="me", lease=LEASE),
    ):
        raise ZeroDivisionError
    with held(service.lock, "failing", owner="me", lease=LEASE):
        pass


@pytest.mark.parametrize("seconds", [-1, 0, 0.9])
def test_a_lease_too_short_to_be_renewed_is_a_mistake(service: "Service", seconds: float) -> None:
    with pytest.raises(ConfigError, match=r"lock\.lease"):
        held(service.lock, "short", owner="me", lease=timedelta(seconds=seconds))


@pytest.mark.parametrize("other", ["one-name", "one name", "One_Name", "one_name/", 60 * "long"])
def test_locks_of_different_names_do_not_meet(service: "Service", other: str) -> None:
    with (
        held(service.lock, "one_name", owner="me", lease=LEASE) as first,
        held(service.lock, other, owner="me", lease=LEASE) as second,
    ):
        assert first.still_held()
        assert second.still_held()


def test_a_killed_run_lets_go(
    service: "Service",
    holder: "Callable[..., Run]",
    seconds_until_free: "Callable[[Service, str], float]",
) -> None:
    holder(service, "killed").signal(signal.SIGKILL)
    least, most = (0.5, 8.0) if service.expires else (0.0, 0.5)
    assert least < seconds_until_free(service, "killed") < most


def test_a_lock_is_kept_for_as_long_as_its_run_lives(
    service: "Service", holder: "Callable[..., Run]"
) -> None:
    run = holder(service, "kept", owner="a long run")
    until = time.monotonic() + (1.6 * LEASE.total_seconds() if service.expires else 0.2)
    while time.monotonic() < until:
        with (
            pytest.raises(LockHeld, match="a long run"),
            held(service.lock, "kept", owner="me", lease=LEASE),
        ):
            pass
        time.sleep(0.1)
    assert run.still_held()
    assert run.end() == "released"


def test_a_run_paused_beyond_its_lease_loses_and_does_not_disturb_the_next_holder(
    service: "Service", holder: "Callable[..., Run]"
) -> None:
    paused = holder(service, "paused")
    paused.signal(signal.SIGSTOP)
    if not service.expires:
        time.sleep(LEASE.total_seconds())
        with (
            pytest.raises(LockHeld),
            held(service.lock, "paused", owner="me", lease=LEASE),
        ):
            pass
        paused.signal(signal.SIGCONT)
        assert paused.still_held()
        return
    taken = _take_when_free(service, "paused", holder)
    paused.signal(signal.SIGCONT)
    assert not paused.still_held()
    assert paused.end() == "released"
    with (
        pytest.raises(LockHeld, match="the next"),
        held(service.lock, "paused", owner="me", lease=LEASE),
    ):
        pass
    assert taken.still_held()


def test_of_many_runs_that_race_never_two_hold_the_lock(
    service: "Service", run: "Callable[..., Run]", tmp_path: Path
) -> None:
    witness = tmp_path / "witness"
    racers = [run("racer.py", service.url, "race", RACE_SECONDS, witness) for _ in range(RACERS)]
    assert [racer.hear() for racer in racers] == ["ready"] * RACERS
    for racer in racers:
        racer.say("go")
    times = [racer.hear() for racer in racers]
    assert all(count.isdigit() for count in times)
    assert sum(int(count) for count in times) >= RACERS


def _take_when_free(service: "Service", name: str, holder: "Callable[..., Run]") -> "Run":
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            with held(service.lock, name, owner="probe", lease=LEASE):
                break
        except LockHeld:
            time.sleep(0.05)
    return holder(service, name, owner="the next")
