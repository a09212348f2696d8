"""Three routes: the question, the health, the figures. Whatever is amiss, no body is `True`."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from staffeln_cli.config.settings import PolicySettings
from staffeln_cli.errors import StaffelnError
from staffeln_cli.planning import deletion_guard
from staffeln_cli.policy_endpoint.metrics import Metrics
from staffeln_cli.policy_endpoint.request import BODY_LIMIT, BadRequest, question

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["BODY_LIMIT", "TOGETHER", "Application", "Lookup", "create_app"]
_QUESTION = "/v1/backup"
_CASE = "staffeln.case"
TOGETHER = "staffeln.together"
"""In an environment: those of all requests that wait, this one's included."""


class Lookup(Protocol):
    """What the application is given: answers in bounded time, or a StaffelnError."""

    @property
    def together(self) -> int:
        """How many questions it likes to be asked at once."""

    def look_up(
        self, questions: Sequence[deletion_guard.Question]
    ) -> Sequence[Sequence[deletion_guard.Remembered]]:
        """The records that bear on each of the questions."""

    def check(self) -> None:
        """Raise what a look-up would raise."""


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer, and for the log what led to it."""

    status: str
    body: bytes
    answer: str = ""
    reason: str = ""
    asked: deletion_guard.Question | None = None
    content_type: str = "text/plain"
    allow: str = ""


@dataclass(slots=True)
class _Case:
    """What a request asks, and what is known of it."""

    began: float
    asked: deletion_guard.Question | None = None
    records: Sequence[deletion_guard.Remembered] | None = None
    """None: not looked up, and nothing is allowed."""
    problem: BadRequest | StaffelnError | None = None


def create_app(lookup: Lookup, settings: PolicySettings) -> "Application":
    """The WSGI application over a look-up; each has its own figures."""
    return Application(lookup, settings)


class Application:
    """A request in, a reply out; a figure and, if wanted, a log line for each.

    A server that has read several requests may put the list of their environments into each, as
    TOGETHER, before it passes them on one by one: what they ask is then looked up at once.
    """

    def __init__(self, lookup: Lookup, settings: PolicySettings) -> None:
        self._lookup = lookup
        self._trusted = frozenset(settings.trusted_users)
        self._logs = settings.access_log
        self._metrics = Metrics()
        self._routes: dict[str, tuple[str, Callable[[WSGIEnvironment], _Reply]]] = {
            _QUESTION: ("POST", self._answer),
            "/v1/health": ("GET", self._health),
            "/metrics": ("GET", self._figures),
        }

    @property
    def together(self) -> int:
        """How long that list should be at most."""
        return self._lookup.together

    def _look_up(self, environs: Iterable["WSGIEnvironment"]) -> None:
        began = time.perf_counter()
        cases = [_opened(one, began) for one in environs if self._asks(one)]
        open_cases = [case for case in cases if case.problem is None]
        questions = [case.asked for case in open_cases if case.asked]
        if not questions:
            return
        try:
            found = self._lookup.look_up(questions)
        except StaffelnError as error:
            self._metrics.count_database_error()
            for case in open_cases:
                case.problem = error
            return
        for case, records in zip(open_cases, found, strict=True):
            case.records = records

    def _asks(self, environ: "WSGIEnvironment") -> bool:
        return (environ.get("PATH_INFO"), environ["REQUEST_METHOD"]) == (_QUESTION, "POST")

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        if self._asks(environ) and _CASE not in environ:
            self._look_up(environ.get(TOGETHER, [environ]))
        case: _Case | None = environ.get(_CASE)
        began = case.began if case else time.perf_counter()
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
            refused = f"only {method} is answered here".encode()
            return _Reply("405 Method Not Allowed", refused, allow=method)
        return answer(environ)

    def _answer(self, environ: "WSGIEnvironment") -> _Reply:
        case: _Case = environ[_CASE]
        if isinstance(case.problem, BadRequest):
            bad = case.problem
            return _Reply(bad.status, str(bad).encode(), "bad_request", str(bad))
        if case.asked is None or case.records is None:
            return _Reply(_UNAVAILABLE, _NO_DATABASE, "unavailable", str(case.problem), case.asked)
        found = deletion_guard.verdict(case.asked, case.records, trusted=self._trusted)
        if found.allowed:
            return _Reply("200 OK", b"True", "allowed", found.reason, case.asked)
        return _Reply("200 OK", b"False", "denied", found.reason, case.asked)

    def _health(self, environ: "WSGIEnvironment") -> _Reply:
        del environ
        try:
            self._lookup.check()
        except StaffelnError as error:
            self._metrics.count_database_error()
            return _Reply(_UNAVAILABLE, _NO_DATABASE, reason=str(error))
        return _Reply("200 OK", b"ok")

    def _figures(self, environ: "WSGIEnvironment") -> _Reply:
        del environ
        return _Reply("200 OK", self._metrics.exposition(), content_type=Metrics.content_type)


def _opened(environ: "WSGIEnvironment", began: float) -> _Case:
    """A request's case, in which nothing has been looked up yet."""
    case = environ[_CASE] = _Case(began)
    try:
        case.asked = question(environ)
    except BadRequest as bad:
        case.problem = bad
    return case


_UNAVAILABLE = "503 Service Unavailable"
_NO_DATABASE = b"the database does not answer, or its schema is not this version's"


def _log(environ: "WSGIEnvironment", reply: _Reply, seconds: float) -> None:
    """One line of JSON, written in one piece; what was sent is escaped, never raw."""
    line = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "from": environ.get("REMOTE_ADDR"),
        "method": environ["REQUEST_METHOD"],
        "path": environ.get("PATH_INFO"),
        "status": int(reply.status[:3]),
        "answer": reply.answer or None,
        "reason": reply.reason or None,
        "backup_id": reply.asked.backup_id if reply.asked else None,
        "user_id": reply.asked.user_id if reply.asked else None,
        "duration_ms": round(seconds * 1000, 3),
    }
    sys.stderr.write(json.dumps(line) + "\n")
