"""A Redis master that dies, and a replica that the Sentinels make the master in its place."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from staffeln_cli.errors import LockHeld, LockServiceUnavailable
from staffeln_cli.locks import held
from tests.services.sentinel import Watched, watched
from tests.services.server import wait_until

LEASE = timedelta(seconds=10)
"""Longer than a fail-over takes, even where the machine is busy."""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path) as servers:
        yield servers


def test_a_lock_that_the_replica_knows_of_is_kept_through_a_fail_over(
    redis: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    with held(redis.url, "kept", owner="host 1", lease=LEASE) as lock:
        redis.in_step()
        redis.fail_over()
        rest = redis.master.client.pttl("staffeln:lock:kept")
        assert 0 < rest < 10_000
        wait_until(lambda: redis.master.client.pttl("staffeln:lock:kept") > rest, "a renewal")
        assert lock.still_held()
        with (
            pytest.raises(LockHeld, match="host 1"),
            held(redis.url, "kept", owner="host 2", lease=LEASE),
        ):
            pass
    assert "not ours any more" not in caplog.text
    with held(redis.url, "kept", owner="host 2", lease=LEASE):
        pass


def test_a_lock_that_the_replica_never_heard_of_is_noticed_as_lost_and_disturbs_nobody(
    redis: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    redis.part()
    with held(redis.url, "lost", owner="host 1", lease=LEASE) as lock:
        redis.fail_over()
        with held(redis.url, "lost", owner="host 2", lease=LEASE) as other:
            wait_until(lambda: not lock.still_held(), "the lock is lost")
            assert other.still_held()
            assert str(redis.master.client.get("staffeln:lock:lost")).startswith("host 2 ")
    assert "the lock lost was lost" in caplog.text


def test_while_there_is_no_master_no_lock_can_be_had_and_afterwards_it_can(redis: Watched) -> None:
    replica = redis.replica
    redis.master.kill()
    refused = 0
    while True:
        began = time.monotonic()
        try:
            with held(redis.url, "next", owner="me", lease=LEASE) as lock:
                assert lock.still_held()
                break
        except LockServiceUnavailable:
            refused += 1
            assert time.monotonic() - began < 7, "cron must not wait for it"
            assert refused < 200
            time.sleep(0.1)
    assert refused > 0
    assert redis.master is replica
