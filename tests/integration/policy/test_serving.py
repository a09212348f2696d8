"""The process: where it listens, how it stops, and what other WSGI servers see."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import pytest
import requests

from staffeln_cli import policy_endpoint
from staffeln_cli.commands import serve_policy
from staffeln_cli.config import load
from staffeln_cli.errors import ConfigError
from staffeln_cli.planning.deletion_guard import Question, Remembered
from staffeln_cli.policy_endpoint.server import Server
from staffeln_cli.runtime import Runtime
from tests.integration.policy.conftest import MANUAL, Serve

PROGRAM = """
import signal, sys
from staffeln_cli.commands import serve_policy
from staffeln_cli.config import load
from staffeln_cli.policy_endpoint.server import Server
from staffeln_cli.runtime import Runtime
runtime = Runtime(load(None).settings)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, _: runtime.stop.request(number))
serve_policy.run(runtime, listening=lambda address: print(address, flush=True))
sys.exit(128 + runtime.stop.signal_number)
"""


@contextmanager
def a_process(**environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`serve-policy` as a process of its own, and its address."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "STAFFELN_POLICY_PORT": "0", **environ},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_soon(sqlite_url: str, number: signal.Signals) -> None:
    with a_process(STAFFELN_DATABASE_URL=sqlite_url) as (process, url):
        assert requests.get(f"{url}/v1/health", timeout=5).ok
        process.send_signal(number)
        assert process.wait(5) == 128 + number


def test_a_request_in_hand_is_answered_before_the_end(tmp_path: Path, empty_sqlite: Path) -> None:
    shutil.copy(empty_sqlite, tmp_path / "staffeln.db")
    with a_process(STAFFELN_DATABASE_URL=f"sqlite:///{tmp_path / 'staffeln.db'}") as (
        process,
        url,
    ):
        host, port = url.removeprefix("http://").rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=5) as client:
            head = (
                f"POST /v1/backup?backup_id={MANUAL} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
            )
            client.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode())
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.8)
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((host, int(port)), timeout=5)
            client.sendall(b"{}")
            assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
        assert process.wait(5) == 128 + signal.SIGTERM


def test_a_unix_socket_serves_a_proxy_on_the_same_host(sqlite_url: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.sock"
    with a_process(STAFFELN_DATABASE_URL=sqlite_url, STAFFELN_POLICY_UNIX_SOCKET=str(path)) as (
        process,
        address,
    ):
        assert address == f"unix:{path}"
        assert path.stat().st_mode & 0o777 == 0o660
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(path))
        connection.request("POST", f"/v1/backup?backup_id={MANUAL}")
        assert connection.getresponse().read() == b"True"
        connection.close()
        process.send_signal(signal.SIGTERM)
        process.wait(5)
    assert not path.exists()


@pytest.mark.parametrize("where", [{"port": 1}, {"host": "no such host"}, {"port": 0}])
def test_an_address_that_cannot_be_used_is_a_mistake_in_the_configuration(
    sqlite_url: str, where: dict[str, object]
) -> None:
    runtime = Runtime(load(None, {"STAFFELN_DATABASE_URL": sqlite_url}).settings)
    runtime.stop.request(15)
    with socket.create_server(("127.0.0.1", 0)) as used:
        where = {"port": used.getsockname()[1]} if where != {"host": "no such host"} else where
        with pytest.raises(ConfigError, match="cannot listen on"):
            serve_policy.run(runtime, **where)  # type: ignore[arg-type]


class Quiet(WSGIRequestHandler):
    """The standard library's handler, without its log."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Nothing:
    """A look-up over no records."""

    together = 1

    def look_up(self, questions: Sequence[Question]) -> list[list[Remembered]]:
        """None."""
        return [[] for _ in questions]

    def check(self) -> None:
        """Always well."""


def test_the_application_keeps_the_rules_of_wsgi(sqlite_url: str) -> None:
    app = policy_endpoint.create_app(Nothing(), load(None, {}).settings.policy)
    with make_server("127.0.0.1", 0, validator(app), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            assert requests.get(f"{url}/v1/health", timeout=5).text == "ok"
            assert requests.get(f"{url}/metrics", timeout=5).ok
            asked = requests.post(f"{url}/v1/backup?backup_id={MANUAL}", json={}, timeout=5)
            assert asked.text == "True"
        finally:
            server.shutdown()
            thread.join()


class HangsOnce(Nothing):
    """A look-up whose disk does not answer the first question for a long time."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.disk = threading.Event()

    def look_up(self, questions: Sequence[Question]) -> list[list[Remembered]]:
        """None, at last."""
        if not self.asked.is_set():
            self.asked.set()
            self.disk.wait(10)
        return super().look_up(questions)


def test_one_request_that_hangs_in_the_disk_keeps_no_other_waiting() -> None:
    lookup, stop = HangsOnce(), threading.Event()
    app = policy_endpoint.create_app(lookup, load(None, {}).settings.policy)
    server = Server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, args=(stop.wait,))
    thread.start()
    with ThreadPoolExecutor() as pool:
        url = f"{server.address}/v1/backup?backup_id={MANUAL}"
        first = pool.submit(requests.post, url, timeout=10)
        assert lookup.asked.wait(5)
        for _ in range(5):
            began = time.monotonic()
            assert requests.post(url, timeout=5).text == "True"
            assert time.monotonic() - began < 1
        lookup.disk.set()
        assert first.result().text == "True"
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


UNDER_ANOTHER_SERVER = """
import sys
from wsgiref.simple_server import make_server
from staffeln_cli.wsgi import application
with make_server("127.0.0.1", 0, application) as server:
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    while True:
        server.handle_request()
"""


def test_any_wsgi_server_can_serve_it_and_configures_it_at_the_first_request(
    sqlite_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "staffeln.toml"
    file.write_text("[policy]\nunheard_of = 1\n")
    with subprocess.Popen(
        [sys.executable, "-c", UNDER_ANOTHER_SERVER],
        env={**os.environ, "STAFFELN_CONFIG": str(file), "STAFFELN_DATABASE_URL": sqlite_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        wrong = requests.post(f"{url}/v1/backup?backup_id={MANUAL}", timeout=5)
        assert (wrong.status_code, wrong.text) == (503, "not configured")
        file.write_text("[policy]\ntrusted_users = ['robot']\n")
        right = requests.post(f"{url}/v1/backup?backup_id={MANUAL}", timeout=5)
        assert (right.status_code, right.text) == (200, "True")
        process.kill()


def test_two_endpoints_behind_a_balancer_say_the_same(database_url: str, serve: Serve) -> None:
    one, other = serve(database_url), serve(database_url)
    assert one.ask(MANUAL).content == other.ask(MANUAL).content == b"True"
