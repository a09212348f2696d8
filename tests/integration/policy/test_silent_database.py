"""Sixteen clients at once: each has its answer within a second, whatever the database does."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from staffeln_cli.config import load
from staffeln_cli.errors import StoreUnavailable
from staffeln_cli.planning.deletion_guard import Question
from staffeln_cli.policy_endpoint import Application
from staffeln_cli.policy_endpoint.server import Server
from staffeln_cli.store.policy_lookup import PolicyLookup
from staffeln_cli.store.policy_lookup.drivers import Found
from tests.integration.policy.conftest import MANUAL, Endpoint, Serve, make_slow
from tests.services.postgres import frozen

CLIENTS = 16
PAUSE = 0.25
"""Seconds between two questions of a client: all of them ask 64 times a second at most, which is
twice what a slow database answers, and leaves the processor idle half of the time. With less, it
is the speed of the machine that is measured."""
WITHIN = 1.0


def crowd(endpoint: Endpoint, *, seconds: float = 2.0) -> list[requests.Response]:
    """Ask with all clients at once, for some time; every answer comes in time."""
    end = time.monotonic() + seconds

    def keep_asking() -> list[requests.Response]:
        answers = []
        while time.monotonic() < end:
            began = time.monotonic()
            answers.append(endpoint.ask(MANUAL))
            assert time.monotonic() - began < WITHIN
            time.sleep(PAUSE)
        return answers

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(keep_asking) for _ in range(CLIENTS)]
        return [answer for client in clients for answer in client.result()]


def refused(answers: list[requests.Response]) -> bool:
    """Whether all are refusals that no client takes for a permission."""
    return {(answer.status_code, answer.text == "True") for answer in answers} == {(503, False)}


def test_a_database_host_that_falls_silent_delays_no_answer(
    postgresql_url: str, serve: Serve
) -> None:
    endpoint = serve(postgresql_url)
    assert any(answer.text == "True" for answer in crowd(endpoint, seconds=0.3))
    with frozen(postgresql_url):
        answers = crowd(endpoint, seconds=3)
        assert endpoint.get("/v1/health").status_code == 503
    assert refused(answers)
    assert endpoint.answers_again()


def test_a_database_host_that_is_silent_from_the_start_delays_no_answer(
    postgresql_url: str, serve: Serve
) -> None:
    with frozen(postgresql_url):
        endpoint = serve(postgresql_url)
        assert refused(crowd(endpoint))
    assert endpoint.answers_again()


def test_an_address_that_swallows_every_packet_delays_no_answer(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent:
        address = silent.getsockname()
        with socket.create_connection(address):  # the queue is full: no further SYN is answered
            endpoint = serve(f"postgresql+psycopg://u:p@127.0.0.1:{address[1]}/db")
            assert refused(crowd(endpoint))


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.4])
def test_a_database_that_answers_slowly_delays_no_answer_of_a_crowd(
    postgresql_url: str, serve: Serve, seconds: float
) -> None:
    make_slow(postgresql_url, seconds)
    endpoint = serve(postgresql_url)
    assert endpoint.ask(MANUAL).text == "True"
    answers = crowd(endpoint)
    assert {(answer.status_code, answer.text == "True") for answer in answers} <= {
        (200, True),
        (503, False),
    }
    assert any(answer.text == "True" for answer in answers)


def test_a_slow_database_is_waited_for_while_few_ask(postgresql_url: str, serve: Serve) -> None:
    make_slow(postgresql_url, 0.3)
    endpoint = serve(postgresql_url)
    assert [endpoint.ask(MANUAL).text for _ in range(3)] == ["True"] * 3


class HangingDisk:
    """A connection whose reads end when the disk is back, and not before."""

    ends_in_time = False

    def __init__(self, back: threading.Event) -> None:
        self._back = back

    def look_up(self, question: Question, deadline: float) -> Found:
        """Wait for the disk."""
        self._back.wait(30)
        raise StoreUnavailable("read error")

    def close(self) -> None:
        """Close nothing."""


def test_a_disk_that_hangs_delays_no_answer() -> None:
    back, stop = threading.Event(), threading.Event()
    lookup = PolicyLookup(lambda: HangingDisk(back), database="", connections=3)
    app = Application(lookup.look_up, load(None, {}).settings.policy)
    server = Server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    try:
        assert refused(crowd(Endpoint(server.address)))
    finally:
        stop.set()
        thread.join(5)
        back.set()
        lookup.close()
    assert not thread.is_alive()


def test_a_silent_database_does_not_keep_the_process_from_ending(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://u:p@127.0.0.1:{silent.getsockname()[1]}/db"
        with subprocess.Popen(
            [sys.executable, "-m", "staffeln_cli", "serve-policy", "--unix-socket", "socket"],
            env={**os.environ, "STAFFELN_DATABASE_URL": url},
            cwd=tmp_path,
        ) as process:
            wait_for(tmp_path / "socket")
            with connected(tmp_path / "socket") as client:
                client.sendall(f"POST /v1/backup?backup_id={MANUAL} HTTP/1.0\r\n\r\n".encode())
                time.sleep(0.2)
                process.send_signal(signal.SIGTERM)
                began = time.monotonic()
                assert client.recv(4096).startswith(b"HTTP/1.0 503")
                assert process.wait(5) == 128 + signal.SIGTERM
                assert time.monotonic() - began < 3


def wait_for(path: Path) -> None:
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(0.2)


@contextmanager
def connected(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(path))
        yield client
