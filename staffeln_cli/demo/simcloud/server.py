"""The cloud's HTTP server: keep-alive connections, and control over how they end."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import struct
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from staffeln_cli.demo.simcloud.calls import Reply, Request

log = logging.getLogger(__name__)

Answer = Callable[[Request, "Connection"], Reply | None]
POLL = 0.02


class Connection(BaseHTTPRequestHandler):
    """One client's connection; requests come one after another."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle_one_request()
            return
        self.close_connection = True

    def answer(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            at=self.server.now(),
            body=_parsed(self.rfile.read(length)),
        )
        try:
            reply = self.server.answer(request, self)
        except Exception:
            log.exception("The simulated cloud has a bug in %s %s", self.command, self.path)
            reply = Reply(500, {"computeFault": {"code": 500, "message": "A bug."}})
        if reply is None:
            request.lost = True
            self.close_connection = True
            return
        request.status = reply.status
        self._send(reply)
        if reply.headers.get("Connection") == "close":
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = answer  # noqa: N815

    def reset(self) -> None:
        """End the connection so that the client sees a reset, not an end."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.server.close_now(self.connection)

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def _send(self, reply: Reply) -> None:
        """Send head and body in one go: two packets would wait for one another."""
        kind, body = reply.content()
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Date": self.server.date(self.path),
            "X-Openstack-Request-Id": f"req-{uuid.uuid4()}",
            **reply.headers,
        }
        lines = [f"HTTP/1.1 {reply.status} {_phrase(reply.status)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        whole = head + (b"" if self.command == "HEAD" else body)
        if not reply.pause:
            self.connection.sendall(whole)
            return
        for byte in whole:
            self.connection.sendall(bytes([byte]))
            time.sleep(reply.pause)


class Listener(ThreadingHTTPServer):
    """Listens on a port of 127.0.0.1 that stays its own even while it refuses connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(
        self,
        answer: Answer,
        now: Callable[[], datetime],
        date: Callable[[str], str],
        port: int = 0,
    ) -> None:
        self.answer = answer
        self.now = now
        self.date = date
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self._listening = False
        self._keeper = socket.socket()
        self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._keeper.bind(("127.0.0.1", port))
        self.port: int = self._keeper.getsockname()[1]
        super().__init__(("127.0.0.1", self.port), Connection, bind_and_activate=False)

    def server_bind(self) -> None:
        """Bind without the look-up of the host's name that the base class makes."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "127.0.0.1", self.port

    def refuse(self) -> None:
        """Stop listening and end every connection: the API is down."""
        if not self._listening:
            return
        self._listening = False
        self.shutdown()
        self._loop.join()
        self.socket.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def accept(self) -> None:
        """Listen, again if it has been before, on the port that is kept for it."""
        if self._listening:
            return
        self._listening = True
        self.socket.close()
        self.socket = socket.socket(self.address_family, self.socket_type)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.server_bind()
        self.server_activate()
        self._loop = Thread(target=self.serve_forever, args=(POLL,), daemon=True)
        self._loop.start()

    def close(self) -> None:
        self.refuse()
        self.server_close()
        self._keeper.close()
        deadline = time.monotonic() + 2
        while self._open and time.monotonic() < deadline:
            time.sleep(0.001)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_now(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)
        connection.close()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
