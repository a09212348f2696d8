"""Lock services that really run, and runs in processes of their own that want a lock."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import pytest

import staffeln_cli
from staffeln_cli.errors import LockHeld
from staffeln_cli.locks import held
from staffeln_cli.store import Leases
from tests.integration.locks.services import service_of
from tests.services import redis
from tests.services.server import Server, free_port, started
from tests.services.spare_databases import SpareDatabases

HERE = Path(__file__).parent
PASSWORD = "s:cret@"
LEASE = timedelta(seconds=1.5)
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: here, user: me}}}}]
clusters: [{{name: here, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: me, user: {{token: let-me-in}}}}]
"""


@dataclass
class Service:
    """A lock service; `expires` unless the kernel itself lets go when a holder dies."""

    url: str
    expires: bool = True
    server: Server | None = None

    @cached_property
    def lock(self) -> str | Leases:
        """What `held` is given for it."""
        return service_of(self.url)

    def close(self) -> None:
        """Close what `held` was given."""
        if not isinstance(self.lock, str):
            self.lock.close()


@pytest.fixture(scope="session")
def serving() -> Iterator[Callable[..., Server]]:
    """Start a program that serves a port; it is stopped at the end."""
    servers: list[Server] = []

    def start(port: int, *arguments: object) -> Server:
        servers.append(started(port, *arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def own_redis() -> Iterator[Callable[[], Service]]:
    """Start a Redis that wants a password."""
    servers: list[Server] = []

    def start() -> Service:
        servers.append(redis.a_redis(password=PASSWORD))
        return Service(redis.url_of(servers[-1], 1, password=PASSWORD), server=servers[-1])

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def own_kubernetes(
    serving: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Service]:
    """Start a small API server whose clock is `ahead` of this host's."""

    def start(*, ahead: float = 0) -> Service:
        port = free_port()
        server = serving(port, sys.executable, HERE / "lease_api.py", port, ahead)
        kubeconfig = tmp_path_factory.mktemp("kube") / "config"
        kubeconfig.write_text(KUBECONFIG.format(port=port))
        return Service(f"kubernetes://backups?kubeconfig={kubeconfig}", server=server)

    return start


@pytest.fixture(scope="session", params=["file", "redis", "kubernetes", "postgresql", "sqlite"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """Every lock service in turn; each test uses names of its own."""
    start: Callable[[], Service] = request.getfixturevalue(f"own_{request.param}")
    service = start()
    yield service
    service.close()


@pytest.fixture(scope="session")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Service]:
    """A folder."""
    folder = tmp_path_factory.mktemp("locks") / "made" / "on demand"
    return lambda: Service(f"file://{folder}", expires=False)


@pytest.fixture(scope="session")
def own_sqlite(
    empty_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Service]:
    """An SQLite database."""
    copy = shutil.copy(empty_sqlite, tmp_path_factory.mktemp("leases"))
    return lambda: Service(f"sqlite:///{copy}")


@pytest.fixture(scope="session")
def own_postgresql(spare_databases: SpareDatabases) -> Iterator[Callable[[], Service]]:
    """A PostgreSQL database."""
    with spare_databases.borrowed() as url:
        yield lambda: Service(url)


@pytest.fixture(scope="session", params=["redis", "kubernetes"])
def own_service(request: pytest.FixtureRequest) -> Callable[[], Service]:
    """Start a service that the test may harm."""
    start: Callable[[], Service] = request.getfixturevalue(f"own_{request.param}")
    return start


@dataclass
class Run:
    """A process that takes a lock; see holder.py and racer.py."""

    process: "subprocess.Popen[str]"

    def hear(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def say(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def still_held(self) -> bool:
        self.say("ask")
        return {"True": True, "False": False}[self.hear()]

    def end(self) -> str:
        self.say("end")
        return self.hear()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()


@pytest.fixture
def run() -> Iterator[Callable[..., Run]]:
    """Start a script of this folder as a run on its own."""
    runs: list[Run] = []
    root = str(Path(staffeln_cli.__file__).parents[1])

    def start(script: str, *arguments: object) -> Run:
        process = subprocess.Popen(
            [sys.executable, str(HERE / script), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": root},
        )
        runs.append(Run(process))
        return runs[-1]

    yield start
    for each in runs:
        each.process.kill()
        with each.process:
            pass


@pytest.fixture
def holder(run: Callable[..., Run]) -> Callable[..., Run]:
    """Start a run that holds a lock."""

    def start(service: Service, name: str, *, owner: str = "other host") -> Run:
        started = run("holder.py", service.url, name, owner, LEASE.total_seconds())
        assert started.hear() == "held"
        return started

    return start


@pytest.fixture
def seconds_until_free() -> Callable[[Service, str], float]:
    """Try until the lock can be had, and say how long that took."""

    def wait(service: Service, name: str) -> float:
        began = time.monotonic()
        while time.monotonic() - began < 20:
            try:
                with held(service.lock, name, owner="patient", lease=LEASE):
                    return time.monotonic() - began
            except LockHeld:
                time.sleep(0.05)
        raise TimeoutError(f"the lock {name} is never free")

    return wait
