"""Programs that serve a port of this host while tests run."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE = 30.0
"""Seconds after which something that must happen soon counts as failed."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody serves."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Wait for what must happen soon."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


@dataclass
class Server:
    """A program that serves a port."""

    port: int
    arguments: list[str]
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        self._process = subprocess.Popen(self.arguments, stdout=subprocess.DEVNULL)
        wait_until(self._listens, f"port {self.port} is served")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it was stopped."""
        if self._process:
            self._process.send_signal(number)

    def stop(self) -> None:
        """Kill it."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Kill it and start it again; what it kept in memory only is lost."""
        self.stop()
        self.start()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


def started(port: int, *arguments: object) -> Server:
    """Start a program that serves this port."""
    server = Server(port, [str(argument) for argument in arguments])
    server.start()
    return server
