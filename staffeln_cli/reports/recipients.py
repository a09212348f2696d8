"""Who gets a project's report: by the configuration, otherwise by Keystone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from staffeln_cli import mail
from staffeln_cli.model import Project, ProjectRecord
from staffeln_cli.model.text import one_line
from staffeln_cli.runtime import Run

if TYPE_CHECKING:
    from staffeln_cli.cloud import MemberAddresses, UnexpectedAnswer

_NAMED = 3
"""Things named in one sentence."""


@dataclass
class Recipients:
    """Looks up recipients for all projects at once, when the first one is needed."""

    run: Run
    projects: Collection[Project]
    _found: "MemberAddresses | None" = field(default=None, init=False)
    _named: "set[UnexpectedAnswer]" = field(default_factory=set, init=False)
    _names: dict[str, list[Project]] | None = field(default=None, init=False)

    def of(self, project: Project) -> tuple[Sequence[str], str]:
        """The addresses, or why there are none."""
        settings = self.run.settings.mail
        if settings.receivers:
            return settings.receivers, ""
        if settings.project_domain is not None:
            return self._by_name(project, settings.project_domain)
        members = self._members()
        known = members.addresses.get(project.id, ())
        found = [address for address in known if mail.is_address(address)]
        if not found and (unclear := members.unclear.get(project.id)):
            why = "; ".join(f"{one.kind} {one.id}: {one.reason}" for one in unclear[:_NAMED])
            return [], f"its members are not known: {one_line(why)}"
        # The operator gets the report of a project whose members have no address.
        if found or settings.operator:
            return found or mail.addresses(settings.operator), ""
        return [], (
            "no member of the project has an e-mail address in Keystone;"
            " set mail.receivers, mail.project_domain or mail.operator"
        )

    def name_unknown(self, project: Project) -> None:
        """Name, once, what hides further members of a project whose report was sent."""
        unclear = self._found.unclear.get(project.id, ()) if self._found is not None else ()
        for one in unclear:
            if one not in self._named:
                self._named.add(one)
                reason = f"some members may have got no report: {one_line(one.reason)}"
                self.run.fail(one.kind, one.id, reason)

    def _by_name(self, project: Project, domain: str) -> tuple[Sequence[str], str]:
        address = f"{project.name}@{domain}"
        if not mail.is_address(address):
            return [], f"{one_line(address)} is no address; set mail.receivers"
        sharing = self._same_mailbox(project)
        if len(sharing) > 1:
            whose = " and ".join(f"{one_line(each.name)} ({each.id})" for each in sharing)
            return [], f"the projects {whose} would share the mailbox {address}; rename one"
        return [address], ""

    def _same_mailbox(self, project: Project) -> Sequence[Project]:
        """The projects with this name, in any domain; most mail servers ignore the case."""
        if self._names is None:
            self._names = {}
            for known in self.run.store.projects.known().values():
                self._names.setdefault(known.name.casefold(), []).append(known)
        return self._names.get(project.name.casefold(), [project])

    def _members(self) -> "MemberAddresses":
        if self._found is None:
            self._found = self.run.cloud.members.addresses(self.projects)
            self.run.runtime.stop.check()  # a request to stop cuts look-ups off
            for one in self._found.odd:
                self.run.fail(one.kind, one.id, one_line(one.reason))
        return self._found


def may_receive_report(project: ProjectRecord, run: Run) -> bool:
    """Whether anyone may get the report: a project that is gone has no members."""
    settings = run.settings.mail
    fixed = settings.receivers or settings.project_domain or settings.operator
    return project.gone_at is None or settings.sender is None or bool(fixed)


def project_of(project: ProjectRecord) -> Project:
    """The project as the rest of Staffeln has it."""
    return Project(project.project_id, project.project_name, project.domain_id, project.enabled)
