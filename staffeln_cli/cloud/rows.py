"""Lists in answers, read row by row: one that is not understood is no reason to stop."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from staffeln_cli.cloud import decode
from staffeln_cli.errors import NotUnderstood
from staffeln_cli.model import UnreadableRow
from staffeln_cli.model.text import first_line

_Row = TypeVar("_Row")
_NAMES = ("id", "name", "host", "zoneName")
"""What the services call a row by, the surest first."""


@dataclass(frozen=True, slots=True)
class UnexpectedRow:
    """A row that is not understood: what there is of it, and why."""

    columns: Mapping[str, Any]
    reason: str

    @property
    def id(self) -> str | None:
        """Which thing it is about, if it says so."""
        return id_of(self.columns)

    def named(self, kind: str) -> UnreadableRow:
        """The row by whatever it is called."""
        called = (self.columns.get(name) for name in _NAMES)
        found = next((one for one in called if isinstance(one, str) and one), "without an id")
        return UnreadableRow(kind, found, self.reason)


@dataclass(slots=True)
class Rows(Generic[_Row]):
    """The rows of a list, those apart that are not understood."""

    understood: list[_Row] = field(default_factory=list)
    odd: list[UnexpectedRow] = field(default_factory=list)

    def __len__(self) -> int:
        """How many there are of both."""
        return len(self.understood) + len(self.odd)

    def __iter__(self) -> Iterator[_Row]:
        return iter(self.understood)

    def all(self, what: str) -> list[_Row]:
        """Every row; NotUnderstood where one is odd, and its absence would say too much."""
        for row in self.odd:
            raise NotUnderstood(f"{what}: {row.named('row').id}: not understood: {row.reason}")
        return self.understood


def rows_of(body: bytes, key: str, kind: type[_Row], what: str) -> Rows[_Row]:
    """The rows that an answer has under a key; NotUnderstood where it has no list there."""
    with decode.understood(what):
        raws = msgspec.json.decode(parts_of(body)[key], type=list[msgspec.Raw])
    rows: Rows[_Row] = Rows()
    for raw in raws:
        add_row(rows, raw, kind)
    return rows


def parts_of(body: bytes) -> dict[str, msgspec.Raw]:
    """The values of an answer that is an object, by key, as they came."""
    return msgspec.json.decode(body, type=dict[str, msgspec.Raw])


def add_row(rows: Rows[_Row], raw: msgspec.Raw, kind: type[_Row]) -> None:
    """Add a row to those that are understood, or to those that are not."""
    try:
        rows.understood.append(msgspec.json.decode(raw, type=kind))
    except decode.ODD as error:
        rows.odd.append(UnexpectedRow(columns_of(raw), first_line(error)))


def columns_of(raw: msgspec.Raw) -> dict[str, Any]:
    """What there is of a row that is not understood; nothing of one that is no object."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except decode.ODD:
        return {}


def id_of(columns: Mapping[str, Any]) -> str | None:
    """What a row says of its id."""
    found = columns.get("id")
    return found if isinstance(found, str) else None
