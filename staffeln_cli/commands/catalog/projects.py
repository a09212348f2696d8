"""The projects that lost backups belong to: what an import needs in each of them."""

import shlex
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from staffeln_cli.errors import CloudUnavailable, NoAccess, ProjectUnavailable
from staffeln_cli.model import BackupId, Decision, ProjectId
from staffeln_cli.model.text import many
from staffeln_cli.operations import lookup
from staffeln_cli.runtime import Run


class _Lost(Protocol):
    """What is asked of a lost backup here."""

    @property
    def id(self) -> BackupId: ...

    @property
    def project_id(self) -> ProjectId: ...

    @property
    def size_gib(self) -> int: ...

    @property
    def key_id(self) -> str | None: ...


class Projects:
    """Which projects are chosen, what each needs, and where the login may import."""

    def __init__(self, run: Run, chosen: str | None) -> None:
        self._run = run
        self._names = run.store.projects.names()
        self._chosen = lookup.project_id(run.runtime, chosen) if chosen is not None else None
        self._may: dict[ProjectId, bool] = {}
        self._lock = threading.Lock()
        self._backups: Counter[ProjectId] = Counter()
        self._gib: Counter[ProjectId] = Counter()

    def has(self, project_id: str) -> bool:
        """Whether backups of this project are to be imported."""
        return self._chosen is None or project_id == self._chosen

    def need(self, lost: Iterable[_Lost]) -> None:
        """Note what an import of these backups takes."""
        for one in lost:
            self._backups[one.project_id] += 1
            self._gib[one.project_id] += one.size_gib
            if one.key_id:
                reason = (
                    f"is encrypted: a restore needs the key {one.key_id}, which only a backup of"
                    " Barbican brings back"
                )
                self._run.decide(Decision("note", "backup", one.id, "", reason))

    def show_needs(self) -> None:
        """Show the quota that each project needs, and what it has."""
        for project_id, number in self._backups.items():
            reason = f"lost {many(number, 'backup')} of {self._gib[project_id]:,} GiB"
            try:
                quotas = self._run.cloud.lookups.quotas(project_id)
            except CloudUnavailable as error:
                reason += f"; its quota could not be looked up: {error}"
            else:
                for name, quota, wanted in (
                    ("backups", quotas.backups, number),
                    ("backup_gigabytes", quotas.gigabytes, self._gib[project_id]),
                ):
                    if 0 <= quota.limit < quota.used + wanted:
                        reason += (
                            f"; its quota {name} is {quota.limit:,} and it needs"
                            f" {quota.used + wanted:,}"
                        )
            self._run.decide(
                Decision("need", "project", project_id, self._name(project_id), reason)
            )

    def may_import(self, project_id: ProjectId) -> bool:
        """Whether the login has the role of an admin there; if not, it is named once."""
        with self._lock:
            if project_id not in self._may:
                self._may[project_id] = self._is_admin(project_id)
            return self._may[project_id]

    def show_ends(self) -> None:
        """Show how to take the roles back that an import needed."""
        own = self._run.cloud.login().project_id
        for project_id, may in sorted(self._may.items()):
            if may and project_id != own:
                reason = f"when you are done: {self._command('remove', project_id)}"
                name = self._name(project_id)
                self._run.decide(Decision("revoke", "project", project_id, name, reason))

    def _is_admin(self, project_id: ProjectId) -> bool:
        admin_roles = self._run.settings.cloud.admin_roles
        try:
            roles = self._run.cloud.catalog.roles_in(project_id)
            reason = f"it has the roles {', '.join(sorted(roles))} there"
        except (NoAccess, ProjectUnavailable, CloudUnavailable) as error:
            roles, reason = frozenset(), str(error)
        if roles.intersection(admin_roles):
            return True
        self._run.fail(
            "project",
            project_id,
            f"blocked: Cinder imports into the token's project, and the login is no admin there"
            f" ({reason}); run: {self._command('add', project_id)}",
            name=self._name(project_id),
        )
        return False

    def _command(self, verb: str, project_id: ProjectId) -> str:
        user = shlex.quote(self._run.cloud.login().user_id)
        role = shlex.quote(self._run.settings.cloud.admin_roles[0])
        return f"openstack role {verb} --user {user} --project {project_id} {role}"

    def _name(self, project_id: ProjectId) -> str:
        return self._names.get(project_id, "")
