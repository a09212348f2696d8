"""What only locks in Redis promise: passwords, TLS, Sentinels, other people's keys."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import redis

from staffeln_cli.errors import LockHeld, LockServiceUnavailable
from staffeln_cli.locks import held
from tests.services.certificates import a_certificate, for_server
from tests.services.server import free_port

if TYPE_CHECKING:
    from tests.integration.locks.conftest import Service
    from tests.services.server import Server

LEASE = timedelta(seconds=5)


@pytest.fixture(scope="session")
def server(own_redis: Callable[[], "Service"]) -> "Service":
    return own_redis()


@pytest.fixture
def client(server: "Service") -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as connected:
        yield connected


def test_each_acquisition_has_a_token_of_its_own_and_an_expiry(
    server: "Service", client: redis.Redis
) -> None:
    tokens = set()
    for _ in range(2):
        with held(server.url, "token", owner="host 1", lease=LEASE):
            tokens.add(client.get("staffeln:lock:token"))
            assert 0 < client.pttl("staffeln:lock:token") <= 5000
        assert client.get("staffeln:lock:token") is None
    assert len(tokens) == 2
    assert all(isinstance(token, bytes) and token.startswith(b"host 1 ") for token in tokens)


def test_a_key_of_somebody_else_is_respected(server: "Service", client: redis.Redis) -> None:
    client.set("staffeln:lock:foreign", b"\xff")
    with (
        pytest.raises(LockHeld, match="another run"),
        held(server.url, "foreign", owner="me", lease=LEASE),
    ):
        pass
    assert client.get("staffeln:lock:foreign") == b"\xff"


@pytest.mark.parametrize("login", ["", ":hush@", "me:hush@"])
def test_a_wrong_password_is_unavailable_and_stays_unsaid(server: "Service", login: str) -> None:
    url = f"redis://{login}127.0.0.1:{urlsplit(server.url).port}"
    with (
        pytest.raises(LockServiceUnavailable, match=r"127\.0\.0\.1") as caught,
        held(url, "password", owner="me", lease=LEASE),
    ):
        pass
    assert "hush" not in str(caught.value)


def test_a_server_that_takes_no_writes_is_unavailable(
    server: "Service", client: redis.Redis
) -> None:
    client.config_set("min-replicas-to-write", 1)
    try:
        with (
            pytest.raises(LockServiceUnavailable, match="NOREPLICAS"),
            held(server.url, "read-only", owner="me", lease=LEASE),
        ):
            pass
    finally:
        client.config_set("min-replicas-to-write", 0)


def test_tls_is_spoken_to_a_server_whose_certificate_is_trusted(
    server: "Service", tmp_path: Path
) -> None:
    certificate = a_certificate(tmp_path)
    with tls_in_front_of(urlsplit(server.url).port or 0, certificate) as port:
        url = f"rediss://:s%3Acret%40@127.0.0.1:{port}/1"
        with held(f"{url}?ssl_ca_certs={certificate}", "tls", owner="me", lease=LEASE) as lock:
            assert lock.still_held()
            with (
                pytest.raises(LockHeld),
                held(server.url, "tls", owner="me", lease=LEASE),
            ):
                pass
        with (
            pytest.raises(LockServiceUnavailable, match="certificate"),
            held(url, "tls", owner="me", lease=LEASE),
        ):
            pass


def test_sentinels_say_which_server_is_the_master(
    server: "Service", serving: "Callable[..., Server]", tmp_path: Path
) -> None:
    port = urlsplit(server.url).port
    sentinel_port = free_port()
    configuration = tmp_path / "sentinel.conf"
    configuration.write_text(
        f"port {sentinel_port}\nbind 127.0.0.1\ndir {tmp_path}\nrequirepass watch:me\n"
        f'sentinel monitor staffeln 127.0.0.1 {port} 1\nsentinel auth-pass staffeln "s:cret@"\n'
    )
    assert server.server
    serving(sentinel_port, server.server.arguments[0], configuration, "--sentinel")
    sentinels = f"127.0.0.1:1,127.0.0.1:{sentinel_port}"
    options = "sentinel_password=watch%3Ame"
    url = f"redis+sentinel://:s%3Acret%40@{sentinels}/staffeln/1?{options}"
    with held(url, "sentinel", owner="me", lease=LEASE) as lock:
        assert lock.still_held()
        with (
            pytest.raises(LockHeld),
            held(server.url, "sentinel", owner="me", lease=LEASE),
        ):
            pass
    with (
        pytest.raises(LockServiceUnavailable, match="Redis master unknown of the Sentinels"),
        held(url.replace("/staffeln/", "/unknown/"), "sentinel", owner="me", lease=LEASE),
    ):
        pass


@contextmanager
def tls_in_front_of(port: int, certificate: Path) -> Iterator[int]:
    """Accept TLS at a port of its own and pass what was meant on."""
    context = for_server(certificate)
    loop = asyncio.new_event_loop()
    writers: list[asyncio.StreamWriter] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while sent := await reader.read(4096):
                writer.write(sent)
                await writer.drain()
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((writer, onward_writer))
        await asyncio.gather(copy(reader, onward_writer), copy(onward_reader, writer))

    async def end(listener: asyncio.Server) -> None:
        listener.close()
        for writer in writers:
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 5)
        await asyncio.sleep(0.01)  # the loop closes each socket in a step of its own

    opening = asyncio.start_server(forward, "127.0.0.1", 0, ssl=context)
    listener = loop.run_until_complete(opening)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(end(listener), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
