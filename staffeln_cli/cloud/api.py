"""Raw requests to the services: what may be repeated is, and everything is counted."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import requests
from keystoneauth1 import exceptions as ksa
from keystoneauth1.identity import v3
from openstack import exceptions as sdk

from staffeln_cli.cloud import decode
from staffeln_cli.cloud.clocks import Clocks
from staffeln_cli.cloud.connection import connected, needs_environment
from staffeln_cli.cloud.login import Keystone, Login
from staffeln_cli.cloud.retries import Later, RetryBudget, is_passing, message_of, says_absent
from staffeln_cli.cloud.rows import Rows
from staffeln_cli.cloud.transport import Transport
from staffeln_cli.config.settings import CloudSettings
from staffeln_cli.deadlines import Deadlines
from staffeln_cli.errors import (
    CloudUnavailable,
    ListingIncomplete,
    ProjectUnavailable,
    ResultUnknown,
)
from staffeln_cli.model import ProjectId, UnreadableRow
from staffeln_cli.model.text import first_line

_Row = TypeVar("_Row")
_LISTINGS = 8
"""Connections that listings read side by side may use, beside those of the workers."""
_STOP_GRACE = timedelta(seconds=8)
"""What requests under way have left once the process was asked to stop."""
_REFUSED_TOKENS = 3
"""keystoneauth renews a token for the one thread that notices first; the others ask again here."""


def incomplete(row: UnreadableRow) -> None:
    """What a row that is not understood means where nobody can leave it alone."""
    raise ListingIncomplete(f"{row.kind} {row.id}: not understood: {row.reason}")


class Api:
    """Raw requests with one login to one cloud. Threads may share it."""

    def __init__(
        self, settings: CloudSettings, stopping: threading.Event, now: Callable[[], datetime]
    ) -> None:
        self.on_unreadable: Callable[[UnreadableRow], None] = incomplete
        """Called, by any thread, for each row that is not understood; it may come twice."""
        self._settings = settings
        self._needs_right_clock = False
        self._connection = connected(settings)
        deadlines = Deadlines(settings.request_timeout, stopping, grace=_STOP_GRACE)
        self._transport = Transport(settings.workers + _LISTINGS, deadlines, Clocks(now))
        session = self._connection.session.session
        for scheme in ("http://", "https://"):
            session.mount(scheme, self._transport)
        session.trust_env = needs_environment()
        self._retries = RetryBudget(settings.retry_timeout, stopping)
        self._keystone = Keystone(
            self._connection, self._transport, self._retries, settings.admin_roles
        )

    @property
    def request_count(self) -> int:
        """HTTP requests sent so far, those for tokens and repeats included."""
        return self._transport.count

    @property
    def workers(self) -> int:
        """How many requests may be under way at once."""
        return self._settings.workers

    @property
    def has_application_credential(self) -> bool:
        """Whether clouds.yaml names an application credential; asks nobody."""
        return self._keystone.has_application_credential

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()
        self._transport.close()

    def clock_skews(self, now: datetime) -> Mapping[str, timedelta]:
        """How far `now` is ahead of each service's clock, of those that have stated the time."""
        return self._transport.clocks.skews(now)

    def check_clock(self) -> None:
        """From now on, ClockWrong as soon as a service states another time than this host's."""
        self._needs_right_clock = True
        self._transport.clocks.check()

    def understood(self, kind: str, rows: Rows[_Row]) -> list[_Row]:
        """The rows that are understood; the others are named, as things of this kind."""
        for row in rows.odd:
            self.on_unreadable(row.named(kind))
        return rows.understood

    def login(self) -> Login:
        """Get a token, once; see Keystone.login."""
        return self._keystone.login()

    def token_of(self, project_id: ProjectId) -> v3.base.Auth:
        """An auth plugin whose token is of this project; see Keystone.token_of."""
        return self._keystone.token_of(project_id)

    def roles_in(self, project_id: ProjectId) -> frozenset[str]:
        """The names of the login's roles in a project; raises what `token_of` raises."""
        access = self.token_of(project_id).get_access(self._connection.session)
        return frozenset(access.role_names or ())

    def get(
        self, service: str, path: str, *, microversion: str | None = None, **params: str
    ) -> bytes:
        """GET, repeated for a while after 429, 5xx and lost connections; the body of a 200.

        CloudUnavailable when it kept failing; `Unexpected`, with the status, for any other answer;
        NotAdmin when the answer may lack what only an admin is shown; ClockWrong where a right
        clock is required and this host's is not.
        """
        return self._got(service, path, microversion=microversion, params=params)

    def find(
        self, service: str, path: str, item_id: str, *, microversion: str | None = None
    ) -> bytes | None:
        """GET of one thing; None where the service itself says that it has none of this id."""
        try:
            return self.get(service, path, microversion=microversion)
        except Unexpected as error:
            if says_absent(error.response, item_id):
                return None
            raise

    def get_with(
        self,
        auth: v3.base.Auth,
        service: str,
        path: str,
        *,
        microversion: str | None = None,
        **params: str,
    ) -> bytes:
        """The same with another token than the login's."""
        return self._got(service, path, microversion=microversion, params=params, auth=auth)

    def _got(self, service: str, path: str, **options: Any) -> bytes:
        def attempt() -> requests.Response:
            try:
                answer = self.once(service, "GET", path, **options)
            except ResultUnknown as error:
                raise Later(str(error)) from error
            except ProjectUnavailable as error:
                raise CloudUnavailable(str(error)) from error
            if is_passing(answer):
                raise Later(f"HTTP {answer.status_code}", answer.headers.get("Retry-After"))
            return answer

        what = f"cloud {self._keystone.cloud_name}: GET {path}"
        response = self._retries.retrying(attempt, what)
        self._keystone.still_admin()
        if self._needs_right_clock:
            self._transport.clocks.check()
        if response.status_code != 200:
            raise Unexpected(f"GET {path}", response)
        return decode.storable_json(response.content)

    def once(self, service: str, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request and return whatever the answer is; it is never repeated, here or below.

        (But for a 401: then the service has not acted, and it is sent again with a new token.)
        ResultUnknown where no answer came: the service may have acted. ProjectUnavailable where
        nothing was done because the token of another project could not be renewed, or because its
        catalogue lacks the service. CloudUnavailable where the login's token could not be renewed.
        """
        self.login()
        refusal = ""
        for _ in range(_REFUSED_TOKENS):
            try:
                response = self._sent(service, method, path, **options)
            except _TokenEnded as ended:
                refusal = str(ended)
                continue
            if response.status_code != 401:
                return response
            refusal = ""
        if refusal:
            kind = ProjectUnavailable if "auth" in options else CloudUnavailable
            raise kind(f"{method} {path}: not done: {refusal}")
        return response

    def _sent(self, service: str, method: str, path: str, **options: Any) -> requests.Response:
        """The answer to one request; _TokenEnded where the service has certainly not acted."""
        try:
            response: requests.Response = getattr(self._connection, service).request(
                path,
                method,
                raise_exc=False,
                connect_retries=0,
                status_code_retries=0,
                **options,
            )
        except AssertionError as error:
            # keystoneauth1/identity/base.py:get_access asserts that there is a token after it has
            # let go of its lock; another thread's invalidate() may come between. Nothing was sent,
            # or it was answered with 401.
            raise _TokenEnded("no token could be had") from error
        except ksa.EndpointNotFound as error:
            raise ProjectUnavailable(
                f"{method} {path}: the catalogue of this project has no {service} endpoint, so"
                f" that nothing was sent: {first_line(error)}"
            ) from error
        except ksa.HttpError as error:
            # With raise_exc=False no answer of the service is raised (keystoneauth1/session.py):
            # this is Keystone's, to the request for a new token.
            if isinstance(error, ksa.Unauthorized) and "auth" not in options:
                raise self._keystone.refused(error) from error
            raise _TokenEnded(f"Keystone gives no token: {first_line(error)}") from error
        except (ksa.ClientException, sdk.SDKException, requests.RequestException) as error:
            raise ResultUnknown(f"{method} {path}: no answer: {first_line(error)}") from error
        except (KeyError, TypeError, ValueError) as error:  # from a renewed token's odd answer
            raise ResultUnknown(f"{method} {path}: odd answer: {first_line(error)}") from error
        return response


class _TokenEnded(Exception):
    """The token of a request had ended, and no other one came: the service has not acted."""


class Unexpected(CloudUnavailable):
    """A service answered with a status that the caller did not ask for."""

    def __init__(self, what: str, response: requests.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.reason = message_of(response)
        super().__init__(f"{what}: HTTP {self.status}: {self.reason}")
