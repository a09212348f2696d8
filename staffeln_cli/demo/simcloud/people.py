"""How a test or a demonstration fills Keystone, past its API."""

from __future__ import annotations

from dataclasses import dataclass, replace

from staffeln_cli.demo.simcloud.rows import ApplicationCredential, Grant, Group, Project, User
from staffeln_cli.demo.simcloud.world import World

OPERATOR = "backup"
PASSWORD = "secret"  # noqa: S105  everybody may know it
ROLES = ("admin", "manager", "member", "reader", "service")


@dataclass(frozen=True)
class People:
    """Adds projects, users, groups and roles. All are named by name or id."""

    world: World

    def start(self) -> None:
        """Make the cloud as it is at first: one operator, `admin` in a project of its own."""
        with self.world.lock:
            for role in ROLES:
                self.world.role_id(role)
            self.add_user(OPERATOR, password=PASSWORD)
            self.add_project(OPERATOR, operated=False)
            self.grant(OPERATOR, OPERATOR, "admin")

    def add_project(
        self, name: str, *, enabled: bool = True, domain_id: str = "default", operated: bool = True
    ) -> str:
        """Add a project; `operated` makes the operator a member of it, as backups need it."""
        with self.world.lock:
            project = Project(self._hex_id(), name, domain_id, enabled)
            self.world.identity.projects[project.id] = project
            if operated:
                self.grant(OPERATOR, project.id, "member")
            return project.id

    def disable_project(self, project: str, *, enabled: bool = False) -> None:
        with self.world.lock:
            self.world.project(project).enabled = enabled

    def remove_project(self, project: str) -> None:
        """Remove a project from Keystone; its volumes and backups remain, as in a real cloud."""
        with self.world.lock:
            found = self.world.project(project)
            del self.world.identity.projects[found.id]
            self.world.identity.grants.pop(found.id, None)

    def add_user(
        self, name: str, *, password: str, email: str | None = None, enabled: bool = True
    ) -> str:
        with self.world.lock:
            user = User(self._hex_id(), name, password, email, enabled)
            self.world.identity.users[user.id] = user
            return user.id

    def disable_user(self, user: str, *, enabled: bool = False) -> None:
        with self.world.lock:
            self.world.user(user).enabled = enabled

    def add_group(self, name: str) -> str:
        with self.world.lock:
            group = Group(self._hex_id(), name)
            self.world.identity.groups[group.id] = group
            return group.id

    def add_to_group(self, group: str, user: str) -> None:
        with self.world.lock:
            self.world.group(group).members.append(self.world.user(user).id)

    def grant(self, user: str, project: str, role: str) -> None:
        with self.world.lock:
            project_id = self.world.project(project).id
            self._grant(Grant(role, project_id, user_id=self.world.user(user).id))

    def grant_group(self, group: str, project: str, role: str) -> None:
        with self.world.lock:
            project_id = self.world.project(project).id
            self._grant(Grant(role, project_id, group_id=self.world.group(group).id))

    def revoke(self, user: str, project: str, role: str) -> None:
        """Take a role away; tokens that lived by it end at once."""
        with self.world.lock:
            project_id = self.world.project(project).id
            old = Grant(role, project_id, user_id=self.world.user(user).id)
            self.world.identity.grants[project_id].remove(old)

    def _grant(self, grant: Grant) -> None:
        self.world.role_id(grant.role)
        self.world.identity.grants.setdefault(grant.project_id, []).append(grant)

    def add_application_credential(self, user: str, project: str) -> tuple[str, str]:
        """Add one, and give its id and its secret."""
        with self.world.lock:
            credential = ApplicationCredential(
                self._hex_id(),
                self._hex_id(),
                self.world.user(user).id,
                self.world.project(project).id,
            )
            self.world.identity.credentials[credential.id] = credential
            return credential.id, credential.secret

    def set_quota(self, project: str, **limits: int) -> None:
        """Set limits of `backups`, `backup_gigabytes`, `volumes` or `gigabytes`."""
        with self.world.lock:
            project_id = self.world.project(project).id
            self.world.quotas[project_id] = replace(self.world.quota(project_id), **limits)

    def set_compute_quota(self, project: str, **limits: int) -> None:
        """Set limits of `instances`, `cores` or `ram`."""
        with self.world.lock:
            project_id = self.world.project(project).id
            quota = replace(self.world.compute_quota(project_id), **limits)
            self.world.compute_quotas[project_id] = quota

    def _hex_id(self) -> str:
        return self.world.new_id().replace("-", "")
