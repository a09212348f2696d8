"""`staffeln_cli.policy_app:application`, for any WSGI server: configured at its first request."""

import logging
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING

from staffeln_cli.errors import StaffelnError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)
_one_at_a_time = Lock()


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer by the configuration that file and environment name; 503 while it is wrong."""
    try:
        with _one_at_a_time:
            app = _configured()
    except StaffelnError as error:
        log.error("policy endpoint is not configured: %s", error)
        body = b"not configured"
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response("503 Service Unavailable", headers)
        return [body]
    return app(environ, start_response)


@cache
def _configured() -> "WSGIApplication":
    # A WSGI server knows only the name above; what the application needs is put together a layer
    # up, and only then: after the server's workers have been forked.
    app: WSGIApplication = import_module("staffeln_cli.commands.serve_policy").configured()
    return app
