"""`staffeln_cli.wsgi:application`, the policy endpoint for any WSGI server.

It reads its configuration at the first request, after the server has forked its workers.
"""

import logging
from collections.abc import Iterable
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from staffeln_cli.errors import StaffelnError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)
_one_at_a_time = Lock()


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer one request; 503 as long as the configuration is wrong."""
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
    from staffeln_cli.commands.serve_policy import configured

    return configured()
