"""Tokens of other projects: exchanged for the login's, or asked for where that is forbidden."""

from collections.abc import Mapping

from keystoneauth1 import exceptions as ksa
from keystoneauth1.access import AccessInfoV3
from keystoneauth1.identity import v3
from keystoneauth1.session import Session


class ProjectToken(v3.Token):
    """A token of another project, made anew from the login's own token whenever one is needed."""

    def __init__(self, login: v3.base.Auth, arguments: Mapping[str, str], project_id: str) -> None:
        """`arguments` are those of the login, as clouds.yaml has them."""
        super().__init__(arguments.get("auth_url", ""), "", project_id=project_id)
        self._login = login
        self._wanted = project_id
        self._password = _by_password(arguments, project_id)

    def get_auth_ref(self, session: Session) -> AccessInfoV3:
        """Ask Keystone; a rejected login token is renewed once.

        A token of another project, which something in between mixed up, is no answer: what is
        made with it would belong to that project.
        """
        access = self._asked(session)
        if access.project_id != self._wanted:
            raise ksa.BadGateway(f"a token of project {access.project_id} came instead")
        return access

    def _asked(self, session: Session) -> AccessInfoV3:
        try:
            return self._rescoped(session)
        except (ksa.Unauthorized, ksa.NotFound):
            # The login's token died, or there is no role in the project: a fresh token tells.
            self._login.invalidate()
            return self._rescoped(session)
        except ksa.Forbidden:  # [token]allow_rescope_scoped_token = false, or a delegated token
            if self._password is None:
                raise
            return self._password.get_auth_ref(session)

    def _rescoped(self, session: Session) -> AccessInfoV3:
        token = self._login.get_token(session) or ""
        self.auth_methods = [v3.TokenMethod(token=token)]
        return super().get_auth_ref(session)


def _by_password(arguments: Mapping[str, str], project_id: str) -> v3.Password | None:
    """The same login to another project; None where it is not by a password."""
    password = arguments.get("password")
    if not password:
        return None
    return v3.Password(
        arguments.get("auth_url", ""),
        password=password,
        project_id=project_id,
        username=arguments.get("username"),
        user_id=arguments.get("user_id"),
        user_domain_id=arguments.get("user_domain_id"),
        user_domain_name=arguments.get("user_domain_name"),
    )
