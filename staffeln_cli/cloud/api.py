"""Login and requests: time-outs, retries of what may be repeated, everything counted."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import requests
from keystoneauth1 import exceptions as ksa
from keystoneauth1.access import AccessInfo
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from openstack import exceptions as sdk

from staffeln_cli.cloud.retries import (
    RETRIED_STATUS,
    Later,
    RetryBudget,
    asking_keystone,
    message_of,
)
from staffeln_cli.cloud.tokens import ProjectToken
from staffeln_cli.cloud.transport import Transport, connected, needs_environment
from staffeln_cli.config.settings import CloudSettings
from staffeln_cli.errors import CloudUnavailable, ConfigError, InDoubt, NoAccess, NotAdmin
from staffeln_cli.model import CloudSeen, ProjectId
from staffeln_cli.model.text import first_line

log = logging.getLogger(__name__)
_T = TypeVar("_T")

_LISTINGS = 8
"""Connections that listings read side by side may use, beside those of the workers."""
_AT_ONCE = 4 << 20
"""Bytes of an answer that are asked for at once; a page of a thousand rows has a MiB or so."""
_REFUSED_TOKENS = 3
"""keystoneauth renews a token for the one thread that notices first; the others ask again here."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who the token says we are."""

    user_id: str
    user_name: str
    project_id: ProjectId
    roles: tuple[str, ...]
    cloud: CloudSeen


class Api:
    """One login to one cloud, and raw requests with it. Threads may share it."""

    def __init__(self, settings: CloudSettings, stopping: threading.Event) -> None:
        self._settings = settings
        self._connection = connected(settings)
        self._session: Session = self._connection.session
        self._auth: v3.base.Auth = self._session.auth  # type: ignore[assignment]  # typed as the widest plugin
        self._transport = Transport(settings.workers + _LISTINGS)
        for scheme in ("http://", "https://"):
            self._session.session.mount(scheme, self._transport)
        self._session.session.trust_env = needs_environment()
        self._tokens: dict[ProjectId, ProjectToken] = {}
        self._lock = threading.Lock()
        self._patience = RetryBudget(settings.retry_timeout, stopping)
        self._login: Login | None = None
        self._proven: AccessInfo | None = None

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
        return isinstance(self._auth, v3.ApplicationCredential)

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()

    def clock_skew(self, now: datetime) -> timedelta | None:
        """How far `now` is ahead of the clock of the services; None where they tell no time."""
        if self._transport.told is None:
            return None
        told, heard = self._transport.told
        return now - told - timedelta(seconds=time.monotonic() - heard)

    def login(self) -> Login:
        """Get a token, once; NotAdmin where it would not show all projects.

        Raises ConfigError for a login that cannot be tried, CloudUnavailable for one that failed.
        """
        if self._login is None:
            self._login = self._logged_in()
        return self._login

    def _logged_in(self) -> Login:
        access = self._retrying(self._access, "logging in")
        if access.project_id is None:
            raise ConfigError(
                [f"cloud {self._shown}: the login has no project; name one in clouds.yaml"]
            )
        roles = self._admins_roles(access)
        # Proxies are made here, in one thread: openstacksdk makes them without a lock.
        _ = self._connection.compute, self._connection.block_storage
        user_id, user_name = str(access.user_id), str(access.username)
        return Login(user_id, user_name, ProjectId(access.project_id), roles, self._seen(access))

    def _admins_roles(self, access: AccessInfo) -> tuple[str, ...]:
        """The roles on a token; NotAdmin where it would not show all projects."""
        roles, wanted = tuple(sorted(access.role_names or ())), self._settings.admin_roles
        if not set(wanted).intersection(roles):
            raise NotAdmin(
                [
                    f"cloud {self._shown}: user {access.username} has the roles"
                    f" {', '.join(roles) or 'none'} on project {access.project_name}, but needs"
                    f" {' or '.join(wanted)} to see all projects; grant it: openstack role add"
                    f" --user {access.user_id} --project {access.project_id} {wanted[0]}"
                ]
            )
        self._proven = access
        return roles

    def _still_admin(self) -> None:
        """NotAdmin when the token was renewed meanwhile, and the new one shows less."""
        access = self._retrying(self._access, "logging in")
        if access is not self._proven:
            self._admins_roles(access)

    def get(
        self, service: str, path: str, *, microversion: str | None = None, **params: str
    ) -> bytes:
        """GET that is repeated for a while after 429, 5xx and lost connections; the body of a 200.

        CloudUnavailable when it kept failing; `Unexpected`, with the status, for any other answer;
        NotAdmin when the answer may lack what only an admin is shown.
        """

        def attempt() -> tuple[requests.Response, bytes]:
            options = {"microversion": microversion, "params": params, "stream": True}
            try:
                answer = self.once(service, "GET", path, **options)
                body = answer.content if answer.status_code != 200 else _read(answer)
            except InDoubt as error:
                raise Later(str(error)) from error
            except requests.RequestException as error:
                raise Later(f"GET {path}: half an answer: {first_line(error)}") from error
            if answer.status_code in RETRIED_STATUS:
                raise Later(f"HTTP {answer.status_code}", answer.headers.get("Retry-After"))
            return answer, body

        response, body = self._retrying(attempt, f"GET {path}")
        self._still_admin()
        if response.status_code != 200:
            raise Unexpected(f"GET {path}", response)
        return body

    def once(self, service: str, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request and return whatever the answer is; it is never repeated, here or below.

        (But for a 401: then the service has not acted, and it is sent again with a new token.)
        InDoubt where no answer came: the service may have acted.
        """
        self.login()
        response: requests.Response | None = None
        for _ in range(_REFUSED_TOKENS):
            response = self._sent(service, method, path, **options)
            if response is not None and response.status_code != 401:
                break
        if response is None:
            raise InDoubt(f"{method} {path}: no token could be had")
        return response

    def _sent(
        self, service: str, method: str, path: str, **options: Any
    ) -> requests.Response | None:
        """The answer to one request; None when another thread was just renewing its token."""
        try:
            response: requests.Response = getattr(self._connection, service).request(
                path,
                method,
                raise_exc=False,
                connect_retries=0,
                status_code_retries=0,
                **options,
            )
        except AssertionError:
            # keystoneauth1/identity/base.py:get_access asserts that there is a token after it has
            # let go of its lock; another thread's invalidate() may come between. Nothing was sent,
            # or it was answered with 401.
            return None
        except (ksa.ClientException, sdk.SDKException, requests.RequestException) as error:
            raise InDoubt(f"{method} {path}: no answer: {first_line(error)}") from error
        return response

    def token_of(self, project_id: ProjectId) -> v3.base.Auth:
        """An auth plugin whose token is of this project, with the token already fetched.

        NoAccess where Keystone gives none: no role there, project disabled or gone.
        """
        if project_id == self.login().project_id:
            return self._auth
        with self._lock:
            plugin = self._tokens.get(project_id)
            if plugin is None:
                arguments = self._connection.config.get_auth_args()
                plugin = ProjectToken(self._auth, arguments, project_id)
                self._tokens[project_id] = plugin
        try:
            self._retrying(lambda: self._project_access(plugin), "getting a token")
        except (ksa.Unauthorized, ksa.Forbidden) as error:
            raise self._no_access(project_id, error) from error
        return plugin

    def _no_access(self, project_id: ProjectId, error: ksa.HttpError) -> NoAccess:
        advice = (
            f"grant user {self.login().user_name} the role member there, or enable the project"
        )
        if isinstance(error, ksa.Forbidden):
            way = "an application credential" if self.has_application_credential else "this login"
            advice = f"{way} is for one project only: log in by user name and password"
        return NoAccess(f"no access to project {project_id}: {first_line(error)}; {advice}")

    def _project_access(self, plugin: ProjectToken) -> AccessInfo:
        try:
            with asking_keystone():
                return plugin.get_access(self._session)
        except ksa.NotFound as error:
            # Keystone does not know the login's own token, although it was renewed: it has ended
            # again, or another Keystone host has other keys. An unknown project is a 401.
            raise Later(first_line(error)) from error

    def _access(self) -> AccessInfo:
        try:
            with asking_keystone():
                return self._auth.get_access(self._session)
        except (ksa.Unauthorized, ksa.Forbidden, ksa.NotFound) as error:
            raise CloudUnavailable(
                f"cloud {self._shown}: Keystone refuses the login: {first_line(error)}"
            ) from error
        except (ksa.MissingRequiredOptions, ksa.MissingAuthPlugin) as error:
            raise ConfigError([f"cloud {self._shown}: {first_line(error)}"]) from error

    def _seen(self, access: AccessInfo) -> CloudSeen:
        auth_url = str(self._connection.config.get_auth_args().get("auth_url", ""))
        region = self._connection.config.get_region_name("block-storage") or ""
        services = {one.get("type"): one for one in access.service_catalog.catalog}
        volume = next(
            (
                services[kind]
                for kind in ("block-storage", "volumev3", "volume")
                if kind in services
            ),
            {},
        )
        return CloudSeen(str(volume.get("id") or auth_url), region, auth_url, self._shown)

    @property
    def _shown(self) -> str:
        return str(self._connection.config.name or "envvars")

    def _retrying(self, attempt: Callable[[], _T], what: str) -> _T:
        return self._patience.retrying(attempt, f"cloud {self._shown}: {what}")


def _read(response: requests.Response) -> bytes:
    """The whole body in few steps: at each, this thread may have to wait for those that compute.

    `requests` would take it by 10 KiB (requests:src/requests/models.py, CONTENT_CHUNK_SIZE).
    """
    return b"".join(response.iter_content(_AT_ONCE))


class Unexpected(CloudUnavailable):
    """A service answered with a status that the caller did not ask for."""

    def __init__(self, what: str, response: requests.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.reason = message_of(response)
        super().__init__(f"{what}: HTTP {self.status}: {self.reason}")
