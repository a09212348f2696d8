"""Read what Cinder's policy engine posts, strictly: whatever is unclear is a bad request."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from staffeln_cli.model.naming import RECORD_KEY
from staffeln_cli.planning.deletion_guard import Question

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

BODY_LIMIT = 1 << 20
"""Bytes; the largest backup row that Cinder can post is well below."""
FORM = "application/x-www-form-urlencoded"
_UNSUPPORTED = "415 Unsupported Media Type"
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class BadRequest(Exception):
    """The request is not a question that can be answered; the text never repeats its content."""

    def __init__(self, problem: str, status: str = "400 Bad Request") -> None:
        self.status = status
        super().__init__(problem)


class _Target(msgspec.Struct):
    """The backup as Cinder knows it."""

    id: str | None = None
    display_name: str | None = None
    name: str | None = None
    volume_id: str | None = None
    metadata: dict[str, Any] | None = None
    created_at: str | None = None


class _Credentials(msgspec.Struct):
    """The user who asks; Cinder has checked the token."""

    user_id: str | None = None


class _Posted(msgspec.Struct):
    """The posted fields that matter; the rule's name does not."""

    target: _Target | None = None
    credentials: _Credentials | None = None


_posted = msgspec.json.Decoder(_Posted)
_target = msgspec.json.Decoder(_Target | None)
_credentials = msgspec.json.Decoder(_Credentials | None)


def read_question(environ: "WSGIEnvironment") -> Question:
    """Return the question that a request asks, or raise BadRequest."""
    backup_id = _backup_id(environ.get("QUERY_STRING", ""))
    body = _body(environ)
    try:
        posted = _decoded(body, environ.get("CONTENT_TYPE", "")) if body else _Posted()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest("body: not the JSON that oslo.policy posts") from None
    target = posted.target or _Target()
    if target.id is not None and target.id != backup_id:
        raise BadRequest("backup_id: differs from the target's id")
    question = Question(
        backup_id=backup_id,
        user_id=posted.credentials.user_id if posted.credentials else None,
        name=target.name if target.display_name is None else target.display_name,
        volume_id=target.volume_id,
        record_id=_record_id(target.metadata),
        created_at=_moment(target.created_at),
    )
    texts = (question.name, question.volume_id, question.record_id)
    if any("\0" in (text or "") for text in texts):
        raise BadRequest("target: NUL in a text")
    return question


def _backup_id(query: str) -> str:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=16)
    except ValueError:
        raise BadRequest("query: too many fields") from None
    given = [value for name, value in pairs if name == "backup_id"]
    if len(given) != 1 or not _UUID.fullmatch(given[0]):
        raise BadRequest("backup_id: expected exactly one UUID, in lower case, in the query")
    return given[0]


def _body(environ: "WSGIEnvironment") -> bytes:
    given = environ.get("CONTENT_LENGTH") or ""
    if given and not (given.isascii() and given.isdigit()):
        raise BadRequest("Content-Length: not a number")
    if not given and not environ.get("wsgi.input_terminated"):
        return b""
    length = int(given) if given else BODY_LIMIT + 1
    too_large = length > BODY_LIMIT if given else False
    body: bytes = b"" if too_large else environ["wsgi.input"].read(length)
    if too_large or len(body) > BODY_LIMIT:
        raise BadRequest(f"body: more than {BODY_LIMIT} bytes", "413 Content Too Large")
    if given and len(body) != length:
        raise BadRequest("body: shorter than announced")
    return body


def _decoded(body: bytes, content_type: str) -> _Posted:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return _posted.decode(body)
    if kind != FORM:
        raise BadRequest(f"Content-Type: expected {FORM} or application/json", _UNSUPPORTED)
    fields = _fields(body)
    return _Posted(
        _target.decode(fields.get("target", "null")),
        _credentials.decode(fields.get("credentials", "null")),
    )


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16
        )
    except ValueError:
        raise BadRequest("body: not form-encoded") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadRequest("body: a field twice")
    return fields


def _record_id(metadata: dict[str, Any] | None) -> str | None:
    given = (metadata or {}).get(RECORD_KEY)
    return given if isinstance(given, str) else None


def _moment(text: str | None) -> datetime | None:
    """Read a time of Cinder's, which is UTC with or without a zone; None if it is not a time."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
