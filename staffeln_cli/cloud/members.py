"""Whom to write to: the members of projects and their e-mail addresses, by few requests."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from staffeln_cli.cloud.api import Api, Unexpected
from staffeln_cli.cloud.member_rows import Assignment, Named, User, read, scope_id
from staffeln_cli.cloud.rows import Rows, UnexpectedRow
from staffeln_cli.errors import CloudUnavailable, ListingIncomplete, NotUnderstood
from staffeln_cli.model import Project, ProjectId

MOST_SINGLE = 50
"""Users that no listing shows are asked for one by one, but no more than this in all."""
_MOST_FAILING = 3
"""After so many groups and users for which Keystone fails, no more are asked for one by one."""
_PATHS = {"group": "/groups/{}/users", "domain": "/users", "user": "/users/{}"}
"""Where Keystone shows the users of a group or domain, or one user."""


@dataclass(frozen=True, slots=True)
class UnexpectedAnswer:
    """Something of which Keystone does not say what its API promises."""

    kind: str
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class MemberAddresses:
    """Where the members of projects can be reached."""

    addresses: Mapping[ProjectId, Sequence[str]]
    unclear: Mapping[ProjectId, Sequence[UnexpectedAnswer]]
    """Why there may be further members in some projects."""
    odd: Sequence[UnexpectedAnswer]
    """What is odd without a project to which it belongs."""


@dataclass(slots=True)
class _Holders:
    """Who has a role somewhere, and why there may be others."""

    users: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    odd: list[UnexpectedAnswer] = field(default_factory=list)

    def add(self, other: "Assignment | _Holders") -> None:
        """Take others in."""
        if isinstance(other, _Holders):
            self.users |= other.users
            self.groups |= other.groups
            self.odd += other.odd
            return
        self.users |= {other.user.id} if other.user else set()
        self.groups |= {other.group.id} if other.group else set()


@dataclass(slots=True)
class _Assigned:
    """Members by project; by project or domain, those that count for want of others."""

    near: dict[str, _Holders] = field(default_factory=dict)
    far: dict[str, _Holders] = field(default_factory=dict)
    odd: list[UnexpectedAnswer] = field(default_factory=list)

    def add_odd(self, row: UnexpectedRow) -> None:
        """Note a role assignment that is not understood, where it says where it is."""
        project_id, domain_id = scope_id(row, "project"), scope_id(row, "domain")
        place = project_id or domain_id
        oddity = UnexpectedAnswer("role assignment", place or "", row.reason)
        if place is None:
            self.odd.append(oddity)
        else:
            holders = self.near if project_id else self.far
            holders.setdefault(place, _Holders()).odd.append(oddity)


@dataclass(slots=True)
class _Known:
    """Users as Keystone showed them, and what it did not tell."""

    users: dict[str, str | None] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=dict)
    odd: dict[str, UnexpectedAnswer] = field(default_factory=dict)
    failing: int = 0

    def add(self, rows: Rows[User]) -> set[str]:
        """Take users in, and return their ids; a user that is shown well anywhere is known."""
        self.users.update((one.id, one.address) for one in rows)
        odd = {row.id: UnexpectedAnswer("user", row.id, row.reason) for row in rows.odd if row.id}
        self.odd.update((one, oddity) for one, oddity in odd.items() if one not in self.odd)
        return {one.id for one in rows} | odd.keys()

    def add_group(self, group_id: str, rows: Rows[User]) -> None:
        """Take the users of a group in; it is odd itself where one of them has no id."""
        self.groups[group_id] = self.add(rows)
        nameless = [row for row in rows.odd if row.id is None]
        if nameless:
            self.odd[group_id] = UnexpectedAnswer("group", group_id, nameless[0].reason)

    def addresses(self, holders: _Holders, but: str) -> list[str]:
        """Where these can be reached, without one of them."""
        found = (self.users.get(one) for one in self._people(holders) - {but})
        return sorted({address for address in found if address})

    def unclear(self, holders: _Holders) -> list[UnexpectedAnswer]:
        """Why there may be others."""
        unseen = holders.groups | self._people(holders) - self.users.keys()
        return holders.odd + [self.odd[one] for one in sorted(unseen) if one in self.odd]

    def _people(self, holders: _Holders) -> set[str]:
        return holders.users.union(*(self.groups.get(one, ()) for one in holders.groups))


class Members:
    """Members of projects, as Keystone knows them."""

    def __init__(self, api: Api, admin_roles: Collection[str]) -> None:
        self._api = api
        self._admin_roles = admin_roles

    def addresses(self, projects: Collection[Project]) -> MemberAddresses:
        """The addresses of each project's enabled members; empty where there are none.

        Members have a role in the project, themselves or by a group. Only where none of them has
        an address, those count who administrate it, or have a role from its domain; this login
        never does. Three requests for any number of projects, one for each group, and few more.
        A group or a user of which Keystone answers oddly leaves the others as they are.
        """
        assigned = self._assigned()
        wanted = {
            one.id: (
                _together(assigned.near, one.id),
                _together(assigned.far, one.id, one.domain_id),
            )
            for one in projects
        }
        everybody = _Holders()
        for both in wanted.values():
            everybody.add(both[0])
            everybody.add(both[1])
        known = self._learn(everybody, sorted({one.domain_id for one in projects}))
        me = self._api.login().user_id
        addresses: dict[ProjectId, Sequence[str]] = {}
        unclear: dict[ProjectId, Sequence[UnexpectedAnswer]] = {}
        for project_id, (first, second) in wanted.items():
            addresses[project_id] = known.addresses(first, me)
            unclear[project_id] = known.unclear(first)
            if not addresses[project_id] and not unclear[project_id]:
                addresses[project_id] = known.addresses(second, me)
                unclear[project_id] = known.unclear(second)
        return MemberAddresses(addresses, unclear, assigned.odd)

    def _assigned(self) -> _Assigned:
        roles = read(self._api, "/roles", "roles", Named)
        admin_roles = {one.id for one in roles if one.name in self._admin_roles}
        rows = read(self._api, "/role_assignments", "role_assignments", Assignment)
        assigned = _Assigned(
            odd=[UnexpectedAnswer("role", one.id or "", one.reason) for one in roles.odd]
        )
        for one in rows:
            place = one.scope.place
            if place is not None:
                is_far = one.scope.inherited or one.role.id in admin_roles
                holders = assigned.far if is_far else assigned.near
                holders.setdefault(place, _Holders()).add(one)
        for odd in rows.odd:
            assigned.add_odd(odd)
        return assigned

    def _learn(self, wanted: _Holders, domains: Iterable[str]) -> _Known:
        """Look up users and groups, by whole lists first."""
        known = _Known()
        for group_id in sorted(wanted.groups):
            known.add_group(group_id, self._asked(known, "group", group_id))
        if wanted.users - known.users.keys():
            known.add(read(self._api, "/users", "users", User))
        # Where domains have directories of their own, the plain list shows one domain only.
        for domain_id in domains:
            if wanted.users - known.users.keys():
                known.add(self._asked(known, "domain", domain_id))
        self._learn_singly(known, sorted(wanted.users - known.users.keys() - known.odd.keys()))
        if known.failing:
            read(self._api, "/roles", "roles", Named)  # CloudUnavailable if it fails for all
        return known

    def _learn_singly(self, known: _Known, unseen: Sequence[str]) -> None:
        """Look up the users that no list shows, one by one."""
        for user_id in unseen[:MOST_SINGLE]:
            known.add(self._asked(known, "user", user_id))
        for user_id in unseen[MOST_SINGLE:]:
            reason = f"no list of Keystone's shows it, and {MOST_SINGLE} others were looked up"
            known.odd[user_id] = UnexpectedAnswer("user", user_id, reason)

    def _asked(self, known: _Known, kind: str, item_id: str) -> Rows[User]:
        """The users that one thing leads to; none, and an oddity, where Keystone answers oddly."""
        if known.failing >= _MOST_FAILING:
            reason = f"was not asked for, since Keystone failed for {_MOST_FAILING} others"
            known.odd[item_id] = UnexpectedAnswer(kind, item_id, reason)
            return Rows()
        key = "user" if kind == "user" else "users"
        query = {"domain_id": item_id} if kind == "domain" else None
        try:
            return read(self._api, _PATHS[kind].format(item_id), key, User, query)
        except CloudUnavailable as error:
            known.failing += not isinstance(error, Unexpected | NotUnderstood | ListingIncomplete)
            known.odd[item_id] = UnexpectedAnswer(kind, item_id, str(error))
            return Rows()


def _together(holders: dict[str, _Holders], *places: str) -> _Holders:
    found = _Holders()
    for place in places:
        if place in holders:
            found.add(holders[place])
    return found
