"""The login, and tokens of other projects: what Keystone gives, and what it refuses."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from keystoneauth1 import exceptions as ksa
from keystoneauth1.access import AccessInfo
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from openstack.connection import Connection

from staffeln_cli.cloud.endpoints import Endpoints
from staffeln_cli.cloud.retries import Later, RetryBudget, asking_keystone
from staffeln_cli.cloud.tokens import ProjectToken
from staffeln_cli.cloud.transport import Transport
from staffeln_cli.errors import (
    CloudUnavailable,
    ConfigError,
    NoAccess,
    NotAdmin,
    ProjectUnavailable,
)
from staffeln_cli.model import CloudSeen, ProjectId
from staffeln_cli.model.cloud import keystone_of
from staffeln_cli.model.text import first_line

_T = TypeVar("_T")
_NOT_UNDERSTOOD = (ksa.ClientException, KeyError, TypeError, ValueError, AttributeError)
"""What keystoneauth raises for answers that are no token: a proxy's page, or half of one."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who the token says we are."""

    user_id: str
    user_name: str
    project_id: ProjectId
    roles: tuple[str, ...]
    cloud: CloudSeen


class Keystone:
    """One login to one cloud, made when it is first needed. Threads may share it."""

    def __init__(
        self,
        connection: Connection,
        transport: Transport,
        retries: RetryBudget,
        admin_roles: tuple[str, ...],
    ) -> None:
        self._connection = connection
        self._session: Session = connection.session
        self._auth: v3.base.Auth = self._session.auth  # type: ignore[assignment]  # typed as the widest plugin
        self._transport = transport
        transport.clocks.register("keystone", keystone_of(self._auth_url))
        self._retries = retries
        self._admin_roles = admin_roles
        self._tokens: dict[ProjectId, ProjectToken] = {}
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._proven: AccessInfo | None = None

    @property
    def has_application_credential(self) -> bool:
        """Whether clouds.yaml names an application credential; asks nobody."""
        return isinstance(self._auth, v3.ApplicationCredential)

    @property
    def cloud_name(self) -> str:
        """The entry of clouds.yaml, as messages show it."""
        return str(self._connection.config.name or "envvars")

    def login(self) -> Login:
        """Get a token, once; NotAdmin where it would not show all projects.

        Raises ConfigError for a login that cannot be tried, CloudUnavailable for one that failed.
        """
        if self._login is None:
            self._login = self._logged_in()
        return self._login

    def still_admin(self) -> None:
        """NotAdmin when the token was renewed meanwhile, and the new one shows less."""
        access = self._retrying(self._access, "logging in")
        if access is not self._proven:
            self._admins_roles(access)
            if access.project_id != self.login().project_id:
                raise CloudUnavailable(
                    f"cloud {self.cloud_name}: Keystone has renewed the login with a token of"
                    f" another project, {access.project_id}"
                )

    def refused(self, error: ksa.HttpError) -> CloudUnavailable:
        """What to raise where Keystone gives this login no token."""
        return CloudUnavailable(
            f"cloud {self.cloud_name}: Keystone refuses the login: {first_line(error)}"
        )

    def token_of(self, project_id: ProjectId) -> v3.base.Auth:
        """An auth plugin whose token is of this project, with the token already fetched.

        NoAccess where Keystone gives none: no role there, project disabled or gone.
        ProjectUnavailable where it answers something else for this project.
        """
        if project_id == self.login().project_id:
            return self._auth
        with self._lock:
            plugin = self._tokens.get(project_id)
            if plugin is None:
                plugin = ProjectToken(self._auth, self._arguments, project_id)
                self._tokens[project_id] = plugin
        try:
            self._retrying(lambda: self._project_access(plugin), "getting a token")
        except (ksa.Unauthorized, ksa.Forbidden) as error:
            raise self._no_access(project_id, error) from error
        except _NOT_UNDERSTOOD as error:
            raise self._no_token(project_id, described(error)) from error
        except CloudUnavailable as error:
            if self._gives_tokens():
                raise self._no_token(project_id, str(error)) from error
            raise
        return plugin

    def _no_token(self, project_id: ProjectId, why: str) -> ProjectUnavailable:
        return ProjectUnavailable(f"Keystone gives no token of project {project_id}: {why}")

    def _gives_tokens(self) -> bool:
        """Whether Keystone exchanges the login's token for another one of its own project."""
        own = ProjectToken(self._auth, self._arguments, self.login().project_id)
        try:
            self._retrying(lambda: self._project_access(own), "getting a token")
        except (CloudUnavailable, *_NOT_UNDERSTOOD):
            return False
        return True

    def _logged_in(self) -> Login:
        access = self._retrying(self._access, "logging in")
        with self._understood():
            if access.project_id is None:
                raise ConfigError(
                    [f"cloud {self.cloud_name}: the login has no project; name one in clouds.yaml"]
                )
            roles = self._admins_roles(access)
            endpoints = Endpoints(self._connection, access, self.cloud_name)
            endpoints.check()
            endpoints.register(self._transport.clocks)
            user_id, user_name = str(access.user_id), str(access.username)
            cloud = endpoints.seen(self._auth_url)
            return Login(user_id, user_name, ProjectId(access.project_id), roles, cloud)

    def _admins_roles(self, access: AccessInfo) -> tuple[str, ...]:
        """The roles on a token; NotAdmin where it would not show all projects."""
        roles, wanted = tuple(sorted(access.role_names or ())), self._admin_roles
        if not set(wanted).intersection(roles):
            raise NotAdmin(
                [
                    f"cloud {self.cloud_name}: user {access.username} has the roles"
                    f" {', '.join(roles) or 'none'} on project {access.project_name}, but needs"
                    f" {' or '.join(wanted)} to see all projects; grant it: openstack role add"
                    f" --user {access.user_id} --project {access.project_id} {wanted[0]}"
                ]
            )
        self._proven = access
        return roles

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
        with self._understood(), asking_keystone(), self._transport.logging_in():
            return self._auth.get_access(self._session)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Answers to a login that is refused, or that cannot be tried, in our words."""
        try:
            yield
        except (ksa.Unauthorized, ksa.Forbidden) as error:
            raise self.refused(error) from error
        except (ksa.MissingRequiredOptions, ksa.MissingAuthPlugin) as error:
            raise ConfigError([f"cloud {self.cloud_name}: {first_line(error)}"]) from error
        except _NOT_UNDERSTOOD as error:
            raise CloudUnavailable(
                f"cloud {self.cloud_name}: no answer to the login that Keystone would give:"
                f" {described(error)}; check auth_url ({self._auth_url})"
            ) from error

    @property
    def _arguments(self) -> dict[str, str]:
        arguments: dict[str, str] = self._connection.config.get_auth_args()
        return arguments

    @property
    def _auth_url(self) -> str:
        return str(self._arguments.get("auth_url", ""))

    def _retrying(self, attempt: Callable[[], _T], what: str) -> _T:
        return self._retries.retrying(attempt, f"cloud {self.cloud_name}: {what}")


def described(error: Exception) -> str:
    """An error of keystoneauth or of what it takes for granted, for people."""
    if isinstance(error, ksa.ClientException):
        return first_line(error)
    return f"{type(error).__name__}: {first_line(error)}"
