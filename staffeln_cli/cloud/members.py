"""Whom to write to: the members of projects and their e-mail addresses, by few requests."""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from staffeln_cli.cloud import decode
from staffeln_cli.cloud.api import Api, Unexpected
from staffeln_cli.cloud.pagination import Progress
from staffeln_cli.cloud.retries import says_absent
from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import Project, ProjectId

log = logging.getLogger(__name__)
MOST_SINGLE = 50
"""Users that no listing shows are asked for one by one, but no more than this in all."""
_Row = TypeVar("_Row")


class _Named(msgspec.Struct):
    """Anything that Keystone refers to."""

    id: str
    name: str | None = None


class _User(msgspec.Struct):
    """A user; the address is no field of Keystone's own, it may be missing or anything."""

    id: str
    enabled: bool = True
    email: Any = None

    @property
    def address(self) -> str | None:
        """Where the user can be reached; None for nowhere, or for a user that is disabled."""
        text = self.email.strip() if isinstance(self.email, str) and self.enabled else ""
        return text or None


class _Scope(msgspec.Struct):
    project: _Named | None = None
    domain: _Named | None = None
    inherited: str | None = msgspec.field(name="OS-INHERIT:inherited_to", default=None)

    @property
    def place(self) -> str | None:
        """The project of an assignment, or the domain whose projects inherit it."""
        found = self.domain if self.inherited else self.project
        return found.id if found else None


class _Assignment(msgspec.Struct):
    scope: _Scope
    role: _Named
    user: _Named | None = None
    group: _Named | None = None


@dataclass(slots=True)
class _Holders:
    """Who has a role somewhere."""

    users: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)

    def add(self, other: "_Assignment | _Holders") -> None:
        """Take others in."""
        if isinstance(other, _Holders):
            self.users |= other.users
            self.groups |= other.groups
            return
        self.users |= {other.user.id} if other.user else set()
        self.groups |= {other.group.id} if other.group else set()


@dataclass(slots=True)
class _Known:
    """Users as Keystone showed them."""

    users: dict[str, str | None] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=dict)

    def addresses(self, holders: _Holders, but: str) -> list[str]:
        """Where these can be reached, without one of them."""
        ids = holders.users.union(*(self.groups.get(one, ()) for one in holders.groups)) - {but}
        return sorted({address for one in ids if (address := self.users.get(one))})


class Members:
    """Members of projects, as Keystone knows them."""

    def __init__(self, api: Api, admin_roles: Collection[str]) -> None:
        self._api = api
        self._admin_roles = admin_roles

    def addresses(self, projects: Collection[Project]) -> dict[ProjectId, list[str]]:
        """The addresses of each project's enabled members; empty where there are none.

        Members have a role in the project, themselves or by a group. Only where none of them has
        an address, those count who administrate it, or have a role from its domain; this login
        never does. Three requests for any number of projects, one for each group, and few more.
        """
        near, far = self._assigned()
        wanted = {
            one.id: (_together(near, one.id), _together(far, one.id, one.domain_id))
            for one in projects
        }
        everybody = _Holders()
        for both in wanted.values():
            everybody.add(both[0])
            everybody.add(both[1])
        known = self._learn(everybody, sorted({one.domain_id for one in projects}))
        me = self._api.login().user_id
        return {
            project_id: known.addresses(first, me) or known.addresses(second, me)
            for project_id, (first, second) in wanted.items()
        }

    def _assigned(self) -> tuple[dict[str, _Holders], dict[str, _Holders]]:
        """Members by project; by project or domain, those that count for want of others."""
        roles = self._rows("/roles", "roles", _Named)
        admin_roles = {one.id for one in roles if one.name in self._admin_roles}
        near: dict[str, _Holders] = {}
        far: dict[str, _Holders] = {}
        for one in self._rows("/role_assignments", "role_assignments", _Assignment):
            place = one.scope.place
            if place is not None:
                is_far = one.scope.inherited or one.role.id in admin_roles
                (far if is_far else near).setdefault(place, _Holders()).add(one)
        return near, far

    def _learn(self, wanted: _Holders, domains: list[str]) -> _Known:
        """Look up users and groups, by whole lists first."""
        known = _Known()
        for group_id in sorted(wanted.groups):
            found = list(self._rows(f"/groups/{group_id}/users", "users", _User))
            known.groups[group_id] = {one.id for one in found}
            known.users.update((one.id, one.address) for one in found)
        # Where domains have directories of their own, the plain list shows one domain only.
        for query in ({}, *({"domain_id": one} for one in domains)):
            if wanted.users - known.users.keys():
                found = list(self._rows("/users", "users", _User, query))
                known.users.update((one.id, one.address) for one in found)
        unseen = sorted(wanted.users - known.users.keys())
        for user_id in unseen[:MOST_SINGLE]:
            found = list(self._rows(f"/users/{user_id}", "user", _User))
            known.users.update((one.id, one.address) for one in found)
        if len(unseen) > MOST_SINGLE:
            log.warning("Keystone lists all users but %d", len(unseen) - MOST_SINGLE)
        return known

    def _rows(
        self, path: str, key: str, kind: type[_Row], query: dict[str, str] | None = None
    ) -> Iterator[_Row]:
        """The rows of all pages; none of a group or user that Keystone says is gone.

        A list that Keystone cuts short is what there is.
        """
        progress = Progress()
        following: dict[str, str] | None = query or {}
        while following is not None:
            progress.ask(following)
            try:
                body = self._api.get("identity", path, **following)
            except Unexpected as error:
                if says_absent(error.response, _item_of(path)):
                    return
                raise
            asked = following
            rows, following = _page(path, body, key, kind)
            progress.check(asked, following, has_news=bool(rows))
            yield from rows


def _item_of(path: str) -> str:
    """The id of the group or user that a path is about; without one no 404 is about it."""
    parts = path.split("/")
    return parts[2] if len(parts) > 2 else path


def _page(
    path: str, body: bytes, key: str, kind: type[_Row]
) -> tuple[list[_Row], dict[str, str] | None]:
    try:
        page = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        link = msgspec.json.decode(page.get("links", b"null"), type=dict[str, Any] | None)
        raw = page[key]
        if key == "user":
            return [msgspec.json.decode(raw, type=kind)], None
        rows = _understood_rows(path, msgspec.json.decode(raw, type=list[msgspec.Raw]), kind)
    except (msgspec.MsgspecError, KeyError) as error:
        raise CloudUnavailable(f"GET {path}: answer not understood: {error}") from error
    href = (link or {}).get("next")
    return rows, decode.next_query([decode.RawLink(rel="next", href=href)]) if href else None


def _understood_rows(path: str, raws: list[msgspec.Raw], kind: type[_Row]) -> list[_Row]:
    """The rows that are understood: one odd user is no reason to write to nobody."""
    rows: list[_Row] = []
    for raw in raws:
        try:
            rows.append(msgspec.json.decode(raw, type=kind))
        except msgspec.MsgspecError as error:
            log.warning("GET %s: a row is left out, since it is not understood: %s", path, error)
    return rows


def _together(holders: dict[str, _Holders], *places: str) -> _Holders:
    found = _Holders()
    for place in places:
        if place in holders:
            found.add(holders[place])
    return found
