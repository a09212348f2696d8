"""Three routes: the question, the health, the metrics. No error is answered with `True`."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from staffeln_cli.config.settings import PolicySettings
from staffeln_cli.errors import StaffelnError
from staffeln_cli.planning import deletion_guard
from staffeln_cli.planning.deletion_guard import KnownRecord, Question
from staffeln_cli.policy_endpoint.metrics import Metrics
from staffeln_cli.policy_endpoint.request import BadRequest, read_question

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

LookUp = Callable[[Question], Sequence[KnownRecord]]
"""Returns the records that bear on a question, in bounded time, or raises a StaffelnError."""

_UNAVAILABLE = "503 Service Unavailable"
_NO_DATABASE = b"the database does not answer, or its schema is not this version's"
_HEALTH_QUESTION = Question(backup_id="")


@dataclass(frozen=True, slots=True)
class _Reply:
    """A response, and what the access log and the metrics say about it."""

    status: str
    body: bytes
    answer: str = ""
    reason: str = ""
    question: Question | None = None
    content_type: str = "text/plain"
    allow: str = ""


class Application:
    """The WSGI application: one lookup for each question, one reply for each request."""

    def __init__(self, look_up: LookUp, settings: PolicySettings) -> None:
        self._look_up = look_up
        self._trusted = frozenset(settings.trusted_users)
        self._logs = settings.access_log
        self._metrics = Metrics()
        self._routes: dict[str, tuple[str, Callable[[WSGIEnvironment], _Reply]]] = {
            "/v1/backup": ("POST", self._answer),
            "/v1/health": ("GET", self._health),
            "/metrics": ("GET", self._exposition),
        }

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        began = time.perf_counter()
        reply = self._reply(environ)
        headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body)))]
        if reply.allow:
            headers.append(("Allow", reply.allow))
        start_response(reply.status, headers)
        seconds = time.perf_counter() - began
        if reply.answer:
            self._metrics.count(reply.answer, seconds)
        if self._logs:
            _log(environ, reply, seconds)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else reply.body]

    def _reply(self, environ: "WSGIEnvironment") -> _Reply:
        route = self._routes.get(environ.get("PATH_INFO", ""))
        if route is None:
            return _Reply("404 Not Found", b"not found")
        method, answer = route
        given = environ["REQUEST_METHOD"]
        if given != method and (given, method) != ("HEAD", "GET"):
            problem = f"only {method} is answered here".encode()
            return _Reply("405 Method Not Allowed", problem, allow=method)
        return answer(environ)

    def _answer(self, environ: "WSGIEnvironment") -> _Reply:
        try:
            question = read_question(environ)
        except BadRequest as bad:
            return _Reply(bad.status, str(bad).encode(), "bad_request", str(bad))
        try:
            records = self._look_up(question)
        except StaffelnError as error:
            self._metrics.count_database_error()
            return _Reply(_UNAVAILABLE, _NO_DATABASE, "unavailable", str(error), question)
        found = deletion_guard.answer(question, records, trusted=self._trusted)
        if found.allowed:
            return _Reply("200 OK", b"True", "allowed", found.reason, question)
        return _Reply("200 OK", b"False", "denied", found.reason, question)

    def _health(self, environ: "WSGIEnvironment") -> _Reply:
        del environ
        try:
            self._look_up(_HEALTH_QUESTION)
        except StaffelnError as error:
            self._metrics.count_database_error()
            return _Reply(_UNAVAILABLE, _NO_DATABASE, reason=str(error))
        return _Reply("200 OK", b"ok")

    def _exposition(self, environ: "WSGIEnvironment") -> _Reply:
        del environ
        return _Reply("200 OK", self._metrics.exposition(), content_type=Metrics.content_type)


def _log(environ: "WSGIEnvironment", reply: _Reply, seconds: float) -> None:
    """Write one line of JSON in one piece; what the client sent is escaped, never raw."""
    line = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "from": environ.get("REMOTE_ADDR"),
        "method": environ["REQUEST_METHOD"],
        "path": environ.get("PATH_INFO"),
        "status": int(reply.status[:3]),
        "answer": reply.answer or None,
        "reason": reply.reason or None,
        "backup_id": reply.question.backup_id if reply.question else None,
        "user_id": reply.question.user_id if reply.question else None,
        "duration_ms": round(seconds * 1000, 3),
    }
    sys.stderr.write(json.dumps(line) + "\n")
