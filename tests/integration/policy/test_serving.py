"""The process: where it listens, how it stops, and what other WSGI servers see."""

import http.client
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import pytest
import requests

from staffeln_cli.commands import serve_policy
from staffeln_cli.config import load
from staffeln_cli.errors import ConfigError
from staffeln_cli.policy_endpoint import Application
from staffeln_cli.runtime import Runtime
from tests.integration.policy.conftest import MANUAL, Serve, make_slow

PROGRAM = """
import os, resource, signal, sys
if "OPEN_FILES" in os.environ:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(os.environ["OPEN_FILES"]), hard))
from staffeln_cli.commands import serve_policy
from staffeln_cli.config import load
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_requests_that_have_arrived_are_answered_before_the_end(
    postgresql_url: str, number: signal.Signals
) -> None:
    make_slow(postgresql_url, 0.1)
    with (
        a_process(STAFFELN_DATABASE_URL=postgresql_url) as (process, url),
        ThreadPoolExecutor(8) as pool,
    ):
        address = f"{url}/v1/backup?backup_id={MANUAL}"
        assert requests.post(address, timeout=5).text == "True"
        clients = [pool.submit(requests.post, address, timeout=5) for _ in range(8)]
        time.sleep(0.1)
        process.send_signal(number)
        assert {client.result().status_code for client in clients} <= {200, 503}
        assert process.wait(5) == 128 + number


@pytest.mark.parametrize("where", ["used port", "no such host"])
def test_an_address_that_cannot_be_used_is_a_mistake_in_the_configuration(
    sqlite_url: str, where: str
) -> None:
    runtime = Runtime(load(None, {"STAFFELN_DATABASE_URL": sqlite_url}).settings)
    runtime.stop.request(15)
    with (
        socket.create_server(("127.0.0.1", 0)) as used,
        pytest.raises(ConfigError, match="cannot listen on"),
    ):
        if where == "used port":
            serve_policy.run(runtime, port=used.getsockname()[1])
        else:
            serve_policy.run(runtime, host=where)


IDLE = {
    "connected": b"",
    "in the middle of a request": b"POST /v1/backup?backup_id=",
    "kept after an answer": b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("sent", IDLE.values(), ids=IDLE.keys())
def test_a_thousand_idle_connections_do_not_stop_an_answer(sqlite_url: str, sent: bytes) -> None:
    with (
        open_files(4096),
        a_process(STAFFELN_DATABASE_URL=sqlite_url, OPEN_FILES="1024") as (_, url),
        ExitStack() as idle,
    ):
        host, port = url.removeprefix("http://").rsplit(":", 1)
        for _ in range(1000):
            client = idle.enter_context(socket.create_connection((host, int(port)), timeout=20))
            client.sendall(sent)
        requests.post(f"{url}/v1/backup?backup_id={MANUAL}", timeout=20)  # all are accepted now
        for _ in range(3):
            began = time.monotonic()
            answer = requests.post(f"{url}/v1/backup?backup_id={MANUAL}", timeout=10)
            assert answer.text == "True"
            assert time.monotonic() - began < 1


@contextmanager
def open_files(number: int) -> Iterator[None]:
    """Let this process open so many files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], number), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Quiet(WSGIRequestHandler):
    """The standard library's handler, without its log."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_the_application_keeps_the_rules_of_wsgi(sqlite_url: str) -> None:
    app = Application(lambda question: [], load(None, {}).settings.policy)
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
    first, second = serve(database_url), serve(database_url)
    assert first.ask(MANUAL).content == second.ask(MANUAL).content == b"True"
