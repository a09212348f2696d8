"""Lock services that are down, silent, or go away while a lock is held."""

import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from staffeln_cli.errors import ConfigError, LockServiceUnavailable
from staffeln_cli.locks import Lock, held

if TYPE_CHECKING:
    from tests.integration.locks.conftest import Service

LEASE = timedelta(seconds=1.5)
URLS = ["redis://:hush@127.0.0.1:{port}", "redis+sentinel://127.0.0.1:{port}/set", "kubernetes"]


@pytest.fixture(params=URLS)
def url_to(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[int], str]:
    """Write a URL for a service at a port of this host."""

    def write(port: int) -> str:
        if request.param != "kubernetes":
            return str(request.param.format(port=port))
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(
            "{apiVersion: v1, kind: Config, current-context: a,"
            " contexts: [{name: a, context: {cluster: a, user: a}}], users: [{name: a, user: {}}],"
            f' clusters: [{{name: a, cluster: {{server: "http://127.0.0.1:{port}"}}}}]}}'
        )
        return f"kubernetes://backups?kubeconfig={kubeconfig}"

    return write


@contextmanager
def nobody_listening() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def nobody_answering() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]


@pytest.mark.parametrize("outage", [nobody_listening, nobody_answering])
def test_a_service_that_is_down_is_unavailable_within_seconds(
    outage: Callable[[], AbstractContextManager[int]], url_to: Callable[[int], str]
) -> None:
    began = time.monotonic()
    with (
        outage() as port,
        pytest.raises(LockServiceUnavailable) as caught,
        held(url_to(port), "down", owner="me", lease=LEASE),
    ):
        pass
    assert time.monotonic() - began < 5
    assert "hush" not in str(caught.value)


def test_a_lease_that_cannot_be_renewed_is_lost_in_time_and_ends_nothing(
    own_service: Callable[[], "Service"], caplog: pytest.LogCaptureFixture
) -> None:
    service = own_service()
    assert service.server
    with held(service.url, "outage", owner="me", lease=LEASE) as lock:
        service.server.stop()
        began = time.monotonic()
        assert until_lost(lock) - began < LEASE.total_seconds() + 0.1
    assert "outage" in caplog.text


def test_a_restarted_service_that_forgot_the_lock_is_noticed_and_not_disturbed(
    own_service: Callable[[], "Service"], caplog: pytest.LogCaptureFixture
) -> None:
    service = own_service()
    assert service.server
    with held(service.url, "forgotten", owner="me", lease=LEASE) as lock:
        service.server.stop()
        service.server.start()
        with held(service.url, "forgotten", owner="the next", lease=LEASE) as other:
            until_lost(lock)
            assert other.still_held()
    assert "not ours any more" in caplog.text


def test_an_outage_shorter_than_the_lease_costs_nothing(
    own_service: Callable[[], "Service"], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    service = own_service()
    assert service.server
    with held(service.url, "hiccup", owner="me", lease=timedelta(seconds=3)) as lock:
        service.server.signal(signal.SIGSTOP)
        time.sleep(2.1)  # The renewal after 1 s gets no answer until 2 s.
        service.server.signal(signal.SIGCONT)
        time.sleep(1.1)
        assert lock.still_held()
    assert "could not be renewed" in caplog.text
    assert "not ours any more" not in caplog.text


def test_a_missing_extra_is_a_mistake_that_names_the_package_to_install() -> None:
    extra = "kubernetes"
    script = f"""
import sys, datetime
sys.modules[{extra!r}] = None
from staffeln_cli.locks import ConfigError, check_url, held
check_url("{extra}://somewhere")
try:
    held("{extra}://somewhere", "a", owner="me", lease=datetime.timedelta(seconds=1))
except ConfigError as error:
    print(error)
"""
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert f"pip install 'staffeln[{extra}]'" in answer.stdout


def test_only_the_service_that_is_used_is_imported(tmp_path: Path) -> None:
    script = f"""
import sys, datetime
from staffeln_cli.locks import check_url, held
check_url("redis://somewhere")
assert "filelock" not in sys.modules
with held("file://{tmp_path}", "a", owner="me", lease=datetime.timedelta(seconds=1)):
    assert not {{"redis", "kubernetes"}} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_malformed_url_is_refused_when_it_is_used() -> None:
    with pytest.raises(ConfigError, match=r"lock\.url"):
        held("redis://:hush@", "a", owner="me", lease=LEASE)


def until_lost(lock: Lock) -> float:
    until = time.monotonic() + 10
    while lock.still_held():
        assert time.monotonic() < until, "the lock is never lost"
        time.sleep(0.02)
    return time.monotonic()
