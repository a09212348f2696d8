"""A Redis master with a replica, and the Sentinels that watch them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from tests.services.redis import PROGRAM, a_redis
from tests.services.server import PATIENCE, Server, free_port, started, wait_until

PASSWORD = "hush"
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
class Member:
    """A Redis or a Sentinel, and a connection to it."""

    server: Server
    client: redis.Redis

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    def kill(self) -> None:
        """Kill its process."""
        self.server.stop()


@dataclass
class Watched:
    """Two Redis servers, one of which is the master, and three Sentinels."""

    folder: Path
    servers: list[Member] = field(default_factory=list)
    sentinels: list[Member] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where locks are."""
        places = ",".join(f"127.0.0.1:{one.port}" for one in self.sentinels)
        return f"redis+sentinel://:{PASSWORD}@{places}/staffeln/0"

    @property
    def master(self) -> Member:
        """Which server the Sentinels call the master."""
        address: Any = self.sentinels[0].client.sentinel_get_master_addr_by_name("staffeln")
        return next(one for one in self.servers if one.port == int(address[1]))

    @property
    def replica(self) -> Member:
        """The other one."""
        master = self.master
        return next(one for one in self.servers if one is not master)

    def part(self) -> None:
        """The replica hears nothing of its master any more, and the Sentinels do not mind."""
        replica, master = self.replica, self.master
        replica.client.config_set("masterauth", "wrong")
        master.client.client_kill_filter(_type="replica")
        wait_until(lambda: _link(replica) == "down", "the replica is cut off")

    def in_step(self) -> None:
        """All that the master knows, the replica knows, too."""
        assert self.master.client.wait(1, int(PATIENCE * 1000)) == 1

    def fail_over(self) -> None:
        """Kill the master, and wait until all Sentinels send everybody to the replica."""
        replica = self.replica
        self.master.kill()
        wait_until(lambda: _role(replica) == "master", "the replica is the master")
        wait_until(
            lambda: all(_trusts(one.client, replica.port) for one in self.sentinels),
            "all Sentinels say so",
        )


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """Start them, and wait until everybody knows everybody."""
    all_of_them = Watched(folder)
    servers, sentinels = all_of_them.servers, all_of_them.sentinels
    try:
        servers.append(_server(folder))
        servers.append(_server(folder, "--replicaof", "127.0.0.1", str(servers[0].port)))
        wait_until(lambda: _link(servers[1]) == "up", "the replica is connected")
        sentinels += [_sentinel(folder, servers[0].port) for _ in range(3)]
        wait_until(lambda: all(_knows_all(one.client) for one in sentinels), "everybody is known")
        yield all_of_them
    finally:
        for one in (*sentinels, *servers):
            one.client.close()
            one.kill()


def _server(folder: Path, *options: str) -> Member:
    # A replica writes its master's data to a file, even if it is to save nothing.
    files = ("--dir", str(folder), "--masterauth", PASSWORD)
    return _member(a_redis(*files, *options, password=PASSWORD), PASSWORD)


def _sentinel(folder: Path, master: int) -> Member:
    port = free_port()
    configuration = folder / f"sentinel-{port}.conf"
    configuration.write_text(SENTINEL.format(port=port, folder=folder, master=master))
    return _member(started(port, PROGRAM, configuration, "--sentinel"), None)


def _member(server: Server, password: str | None) -> Member:
    client = redis.Redis(port=server.port, password=password, decode_responses=True, protocol=2)
    wait_until(lambda: _answers(client), "Redis answers")
    return Member(server, client)


def _link(replica: Member) -> object:
    return replica.client.info("replication")["master_link_status"]


def _role(member: Member) -> object:
    return member.client.info("replication")["role"]


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
