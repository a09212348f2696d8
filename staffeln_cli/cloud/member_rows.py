"""What Keystone says of members: users, groups and role assignments; odd rows apart."""

from typing import Any, TypeVar

import msgspec

from staffeln_cli.cloud import decode
from staffeln_cli.cloud.api import Api, Unexpected
from staffeln_cli.cloud.pagination import KeystoneLinks, Progress, query_of
from staffeln_cli.cloud.retries import says_absent
from staffeln_cli.cloud.rows import Rows, UnexpectedRow, id_of, parts_of, rows_of

_Row = TypeVar("_Row")


class Named(msgspec.Struct):
    """Anything that Keystone refers to."""

    id: str
    name: str | None = None


class User(msgspec.Struct):
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
    project: Named | None = None
    domain: Named | None = None
    inherited: str | None = msgspec.field(name="OS-INHERIT:inherited_to", default=None)

    @property
    def place(self) -> str | None:
        """The project of an assignment, or the domain whose projects inherit it."""
        found = self.domain if self.inherited else self.project
        return found.id if found else None


class Assignment(msgspec.Struct):
    """A role that somebody has somewhere."""

    scope: _Scope
    role: Named
    user: Named | None = None
    group: Named | None = None


def read(
    api: Api, path: str, key: str, kind: type[_Row], query: dict[str, str] | None = None
) -> Rows[_Row]:
    """The rows of all pages; none of a group or user that Keystone says is gone.

    A list that Keystone cuts short is what there is. CloudUnavailable where it cannot be read.
    """
    rows: Rows[_Row] = Rows()
    progress = Progress()
    following: dict[str, str] | None = query or {}
    while following is not None:
        progress.ask(following)
        try:
            body = api.get("identity", path, **following)
        except Unexpected as error:
            if says_absent(error.response, _item_of(path)):
                return rows
            raise
        asked, before = following, len(rows)
        following = _read_page(path, body, key, kind, rows)
        progress.check(asked, following, has_news=len(rows) > before)
    return rows


def _item_of(path: str) -> str:
    """The id of the group or user that a path is about; without one no 404 is about it."""
    parts = path.split("/")
    return parts[2] if len(parts) > 2 else path


def _read_page(
    path: str, body: bytes, key: str, kind: type[_Row], rows: Rows[_Row]
) -> dict[str, str] | None:
    """Add the rows of a page; the query of the next one."""
    what = f"GET {path}"
    with decode.understood(what):
        page = parts_of(body)
        links = msgspec.json.decode(page.get("links", decode.NULL), type=KeystoneLinks | None)
        if key == "user":
            rows.understood.append(msgspec.json.decode(page[key], type=kind))
            return None
    found = rows_of(body, key, kind, what)
    rows.understood += found.understood
    rows.odd += [UnexpectedRow(one.columns, f"{what}: a row: {one.reason}") for one in found.odd]
    return query_of(links.next) if links and links.next else None


def scope_id(row: UnexpectedRow, kind: str) -> str | None:
    """Of an odd assignment, the `project` or `domain` that it is in, if it says so."""
    scope = row.columns.get("scope")
    place = scope.get(kind) if isinstance(scope, dict) else None
    return id_of(place) if isinstance(place, dict) else None
