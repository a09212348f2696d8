"""The error responses of the three services, word for word: status, body and headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

FAULT_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}

NO_SUCH_PAGE = """<html>
 <head>
  <title>404 Not Found</title>
 </head>
 <body>
  <h1>404 Not Found</h1>
  The resource could not be found.<br /><br />



 </body>
</html>"""


@dataclass
class Refused(Exception):
    """A request was answered with an error; nothing was changed."""

    status: int
    body: Mapping[str, object] | str
    headers: dict[str, str] = field(default_factory=dict)


def refused(status: int, message: str) -> Refused:
    """Refuse as Nova and Cinder do."""
    name = FAULT_NAMES.get(status, "computeFault")
    return Refused(status, {name: {"code": status, "message": message}})


def over_quota(message: str) -> Refused:
    """Refuse for a quota. `Retry-After: 0` comes with it and is not about throttling."""
    body = {"overLimit": {"code": 413, "message": message, "retryAfter": "0"}}
    return Refused(413, body, {"Retry-After": "0"})


def not_found(kind: str, identifier: str) -> Refused:
    return refused(404, f"{kind} {identifier} could not be found.")


def forbidden(rule: str) -> Refused:
    return refused(403, f"Policy doesn't allow {rule} to be performed.")


def identity_refused(status: int, message: str) -> Refused:
    """Refuse as Keystone does."""
    title = HTTPStatus(status).phrase
    return Refused(status, {"error": {"code": status, "message": message, "title": title}})


def unauthorized(identity_url: str) -> Refused:
    """Say 401. Keystone never says which half of the credentials was wrong."""
    refusal = identity_refused(401, "The request you have made requires authentication.")
    refusal.headers["WWW-Authenticate"] = f'Keystone uri="{identity_url}"'
    return refusal


def no_such_page() -> Refused:
    return Refused(404, NO_SUCH_PAGE)
