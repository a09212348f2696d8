"""What Keystone says of members: users, groups and role assignments; odd rows apart."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from staffeln_cli.cloud import decode
from staffeln_cli.cloud.api import Api, Unexpected
from staffeln_cli.cloud.pagination import Progress
from staffeln_cli.cloud.retries import says_absent
from staffeln_cli.errors import NotUnderstood
from staffeln_cli.model.text import first_line

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


@dataclass(frozen=True, slots=True)
class UnexpectedRow:
    """A row that is not understood: what there is of it, and why."""

    columns: Mapping[str, Any]
    reason: str

    @property
    def id(self) -> str | None:
        """Which thing it is about, if it says so."""
        return _id_of(self.columns)

    def scope_id(self, kind: str) -> str | None:
        """Of an assignment, the `project` or `domain` that it is in, if it says so."""
        scope = self.columns.get("scope")
        place = scope.get(kind) if isinstance(scope, dict) else None
        return _id_of(place) if isinstance(place, dict) else None


@dataclass(slots=True)
class Rows(Generic[_Row]):
    """The rows of a list, those apart that are not understood: one is no reason to stop."""

    understood: list[_Row] = field(default_factory=list)
    odd: list[UnexpectedRow] = field(default_factory=list)

    def __len__(self) -> int:
        """How many there are of both."""
        return len(self.understood) + len(self.odd)

    def __iter__(self) -> Iterator[_Row]:
        return iter(self.understood)


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
    try:
        page = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        link = msgspec.json.decode(page.get("links", b"null"), type=dict[str, Any] | None)
        if key == "user":
            rows.understood.append(msgspec.json.decode(page[key], type=kind))
            return None
        raws = msgspec.json.decode(page[key], type=list[msgspec.Raw])
    except (msgspec.MsgspecError, KeyError) as error:
        raise NotUnderstood(f"GET {path}: answer not understood: {first_line(error)}") from error
    for raw in raws:
        try:
            rows.understood.append(msgspec.json.decode(raw, type=kind))
        except msgspec.MsgspecError as error:
            columns = msgspec.json.decode(raw)
            known = columns if isinstance(columns, dict) else {}
            rows.odd.append(UnexpectedRow(known, f"GET {path}: a row: {first_line(error)}"))
    href = (link or {}).get("next")
    return decode.next_query([decode.RawLink(rel="next", href=href)]) if href else None


def _id_of(columns: Mapping[str, Any]) -> str | None:
    found = columns.get("id")
    return found if isinstance(found, str) else None
