"""The file of a Unix socket is taken over only from the dead, and only our own is removed."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue

import pytest

from staffeln_cli.commands import serve_policy
from staffeln_cli.config import load
from staffeln_cli.errors import ConfigError
from staffeln_cli.runtime import Runtime

Start = Callable[[], Callable[[], None]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "policy.sock"


@pytest.fixture
def start(path: Path, sqlite_url: str) -> Iterator[Start]:
    """Serve on the socket; the result ends it."""
    ends: list[Callable[[], None]] = []

    def serve() -> Callable[[], None]:
        runtime = Runtime(load(None, {"STAFFELN_DATABASE_URL": sqlite_url}).settings)
        addresses: Queue[str] = Queue()
        thread = threading.Thread(
            target=serve_policy.run,
            args=(runtime,),
            kwargs={"unix_socket": path, "listening": addresses.put},
        )
        thread.start()
        addresses.get(timeout=10)

        def end() -> None:
            runtime.stop.request(15)
            thread.join(10)
            assert not thread.is_alive()

        ends.append(end)
        return end

    yield serve
    for end in ends:
        end()


def is_refused(path: Path, sqlite_url: str) -> bool:
    runtime = Runtime(load(None, {"STAFFELN_DATABASE_URL": sqlite_url}).settings)
    runtime.stop.request(15)
    with pytest.raises(ConfigError, match="cannot listen on"):
        serve_policy.run(runtime, unix_socket=path)
    return True


def test_the_file_is_there_while_it_is_served_and_no_longer(path: Path, start: Start) -> None:
    end = start()
    assert connects(path)
    end()
    assert not path.exists()


def test_a_socket_that_nobody_serves_any_more_is_replaced(path: Path, start: Start) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    assert not connects(path)
    start()
    assert connects(path)


@pytest.mark.parametrize("backlog", [0, 8])
def test_a_socket_that_somebody_serves_is_left_to_them(
    path: Path, sqlite_url: str, backlog: int
) -> None:
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as waiting:
        other.bind(str(path))
        other.listen(backlog)
        waiting.connect(str(path))  # with a backlog of 0, no other connection is possible
        assert is_refused(path, sqlite_url)
        assert path.exists()
        other.accept()[0].close()
        assert connects(path)


def test_a_second_endpoint_on_the_same_socket_is_refused_and_disturbs_nothing(
    path: Path, sqlite_url: str, start: Start
) -> None:
    start()
    assert is_refused(path, sqlite_url)
    assert connects(path)


@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_what_is_no_socket_is_left_alone(path: Path, sqlite_url: str, kind: str) -> None:
    if kind == "file":
        path.write_text("precious")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere")
    before = path.lstat()
    assert is_refused(path, sqlite_url)
    assert path.lstat().st_ino == before.st_ino


def test_at_the_end_the_socket_of_a_successor_stays(path: Path, start: Start) -> None:
    end = start()
    path.unlink()
    with socket.socket(socket.AF_UNIX) as successor:
        successor.bind(str(path))
        successor.listen()
        end()
        assert connects(path)


def connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        return client.connect_ex(str(path)) == 0
