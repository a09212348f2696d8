"""The policy endpoint with a million rows, beside a waitress app that returns a constant.

Both run under waitress with the same number of threads.

python -m tests.bench.policy [--rows N] [--seconds S] [--rounds R]; exit 1 below what is promised.
"""

import argparse
import itertools
import os
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.policy_world import a_request, filled_postgresql, filled_sqlite

PROMISED_RATIO = 0.30
PROMISED_P99_MS = 50.0
CONNECTIONS = 16
WARM_UP = 0.5

CONSTANT = """
import logging, sys
from waitress import create_server
logging.getLogger("waitress.queue").setLevel(logging.ERROR)
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
    return [b"True"]
server = create_server(app, host="127.0.0.1", port=0, threads=4, asyncore_use_poll=True)
print(f"http://127.0.0.1:{server.effective_port}", flush=True)
server.run()
"""
ENDPOINT = """
import sys
from staffeln_cli.commands import serve_policy
from staffeln_cli.config import load
from staffeln_cli.runtime import Runtime
runtime = Runtime(load(None, {"STAFFELN_DATABASE_URL": sys.argv[1]}).settings)
serve_policy.run(runtime, host="127.0.0.1", port=0, listening=lambda a: print(a, flush=True))
"""


@dataclass(frozen=True)
class Rate:
    """What one round measured."""

    per_second: float
    p99_ms: float
    cpu_us: float
    """CPU time of the server for each request: what a crowded machine does not blur."""


@dataclass(frozen=True)
class Server:
    """A server process."""

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """CPU time it has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(arguments: Sequence[str] = ()) -> int:
    """Measure in turns, so that whatever else the machine does meets all alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="pg"))  # a socket's path must be short
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        servers = {"constant": stack.enter_context(serving(CONSTANT))}
        for name, url in (
            ("sqlite", filled_sqlite(folder, options.rows)),
            ("postgresql", stack.enter_context(filled_postgresql(folder, options.rows))),
        ):
            servers[name] = stack.enter_context(serving(ENDPOINT, url))
        kept_promises = [
            compared(servers, options.rows, options.seconds, options.rounds, keep_alive=kept)
            for kept in (False, True)
        ]
    return 0 if all(kept_promises) else 1


def compared(
    servers: dict[str, Server], rows: int, seconds: float, rounds: int, *, keep_alive: bool
) -> bool:
    """Print a table; return whether each row of it is as promised."""
    rates: dict[str, list[Rate]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name, server in servers.items():
            rates[name].append(loaded(server, rows, seconds, keep_alive=keep_alive))
    kind = "connections kept" if keep_alive else "a connection per request, as oslo.policy asks"
    say(f"\n{kind}; {rows:,} rows, {CONNECTIONS} at once, median of {rounds} rounds")
    say(f"{'':12}{'requests/s':>12}{'p99 ms':>10}{'of constant':>13}{'CPU us':>9}")
    promises_kept = True
    for name, measured in rates.items():
        ratio = statistics.median(
            rate.per_second / base.per_second
            for rate, base in zip(measured, rates["constant"], strict=True)
        )
        per_second = statistics.median(rate.per_second for rate in measured)
        p99 = statistics.median(rate.p99_ms for rate in measured)
        cpu = statistics.median(rate.cpu_us for rate in measured)
        say(f"{name:12}{per_second:>12,.0f}{p99:>10.1f}{ratio:>13.0%}{cpu:>9.0f}")
        promises_kept &= ratio >= PROMISED_RATIO and p99 < PROMISED_P99_MS
    return promises_kept


def loaded(server: Server, rows: int, seconds: float, *, keep_alive: bool) -> Rate:
    """Keep a few connections busy for a while, never more than one request on each."""
    address = urlsplit(server.url)
    client = _Client(str(address.hostname), int(address.port or 0), rows, keep_alive)
    client.run(WARM_UP)
    before = server.cpu_seconds()
    took = sorted(client.run(seconds))
    cpu = server.cpu_seconds() - before
    return Rate(
        per_second=len(took) / seconds,
        p99_ms=took[int(len(took) * 0.99)] * 1000,
        cpu_us=cpu / len(took) * 1e6,
    )


class _Client:
    """A load generator that is cheaper than what it measures."""

    def __init__(self, host: str, port: int, rows: int, keep_alive: bool) -> None:
        self._where = (host, port)
        self._keep_alive = keep_alive
        numbers = range(0, rows, max(1, rows // 500))
        self._requests = itertools.cycle([a_request(number, keep_alive) for number in numbers])

    def run(self, seconds: float) -> list[float]:
        """Seconds of each request that ended in time."""
        took: list[float] = []
        with selectors.DefaultSelector() as selector:
            for _ in range(CONNECTIONS):
                self._connect(selector)
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                for key, _ in selector.select(timeout=1):
                    assert isinstance(key.fileobj, socket.socket)
                    self._answered(selector, key.fileobj)
                    now = time.perf_counter()
                    took.append(now - key.data)
            for key in list(selector.get_map().values()):
                assert isinstance(key.fileobj, socket.socket)
                key.fileobj.close()
        return took

    def _connect(self, selector: selectors.BaseSelector) -> None:
        began = time.perf_counter()
        connection = socket.create_connection(self._where, timeout=5)
        connection.sendall(next(self._requests))
        selector.register(connection, selectors.EVENT_READ, began)

    def _answered(self, selector: selectors.BaseSelector, connection: socket.socket) -> None:
        answer = b""
        while not answer.endswith((b"\nTrue", b"\nFalse")):
            more = connection.recv(65536)
            answer += more
            if not more or not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"not an answer: {answer!r}")
        if self._keep_alive:
            connection.sendall(next(self._requests))
            selector.modify(connection, selectors.EVENT_READ, time.perf_counter())
        else:
            selector.unregister(connection)
            connection.close()
            self._connect(selector)


@contextmanager
def serving(program: str, *arguments: str) -> Iterator[Server]:
    """A server process of its own, and its address."""
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Server(process.stdout.readline().strip(), process.pid)
        finally:
            process.kill()


def say(line: str) -> None:
    """To the terminal."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
