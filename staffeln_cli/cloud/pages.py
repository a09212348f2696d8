"""How a page of a listing is read: in one go, or row by row where a row is not understood."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from staffeln_cli.cloud import decode, server_rows
from staffeln_cli.cloud.pagination import RawLink
from staffeln_cli.cloud.rows import Rows, UnexpectedRow, add_row, parts_of
from staffeln_cli.errors import ListingIncomplete
from staffeln_cli.model import Backup, Server, UnreadableRow, Volume
from staffeln_cli.model.text import first_line

NOVA = "2.26"
"""The first that shows tags; from 2.47 on the id of the flavor is not shown any more."""
CINDER_VOLUMES = "3.65"
CINDER_BACKUPS = "3.64"

_Fact = TypeVar("_Fact")


@dataclass(slots=True)
class ReadPage:
    """The rows of a page, those that are not understood apart."""

    rows: list[Any]
    links: list[RawLink]
    unreadable: list[UnreadableRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Listing(Generic[_Fact]):
    """One kind of listing: where it is, and how a page and a row of it are read."""

    kind: str
    service: str
    path: str
    microversion: str
    row: type[Any]
    fact: Callable[[Any], _Fact]
    page_decoder: msgspec.json.Decoder[Any]
    free_page: Callable[[Any], None] | None = None
    """Makes a row that nobody has read yet keep no more of its page than it needs."""

    @property
    def key(self) -> str:
        """Under which key a page has its rows."""
        return f"{self.kind}s"

    def page(self, body: bytes) -> ReadPage:
        """Read a page; ListingIncomplete for what is no page at all."""
        try:
            decoded = self.page_decoder.decode(body)
            page = ReadPage(decoded.rows, decoded.links)
        except decode.ODD:
            page = self._row_by_row(body)
        if self.free_page is not None:
            for row in page.rows:
                self.free_page(row)
        return page

    def decoded(self, rows: list[Any]) -> tuple[list[_Fact], list[UnreadableRow]]:
        """The rows as the model has them; and those that this cannot be done with."""
        try:
            return [self.fact(row) for row in rows], []
        except decode.ODD:
            return self._decoded_one_by_one(rows)

    def _decoded_one_by_one(self, rows: list[Any]) -> tuple[list[_Fact], list[UnreadableRow]]:
        facts: list[_Fact] = []
        unreadable: list[UnreadableRow] = []
        for row in rows:
            try:
                facts.append(self.fact(row))
            except decode.ODD as error:
                volume_id = getattr(row, "volume_id", "")
                unreadable.append(UnreadableRow(self.kind, row.id, first_line(error), volume_id))
        return facts, unreadable

    def _row_by_row(self, body: bytes) -> ReadPage:
        try:
            parts = parts_of(body)
            raws = msgspec.json.decode(parts[self.key], type=list[msgspec.Raw])
            links_text = parts.get(f"{self.key}_links", b"[]")
            page = ReadPage([], msgspec.json.decode(links_text, type=list[RawLink]))
        except decode.ODD as error:
            reason = f"answer not understood: {first_line(error)}"
            raise ListingIncomplete(f"GET {self.path}: {reason}") from error
        found: Rows[Any] = Rows(page.rows)
        for raw in raws:
            add_row(found, raw, self.row)
        page.unreadable = [self._unreadable(row) for row in found.odd]
        return page

    def _unreadable(self, row: UnexpectedRow) -> UnreadableRow:
        """Name a row; ListingIncomplete where it cannot be named, so that all may be meant."""
        volume = row.columns.get("volume_id", "")
        if not row.id or not isinstance(volume, str):
            raise ListingIncomplete(f"GET {self.path}: a row cannot be identified: {row.reason}")
        return UnreadableRow(self.kind, row.id, row.reason, volume)


def servers(metadata_keys: Collection[str]) -> Listing[Server]:
    """Servers, of whose metadata only these keys are kept."""
    row = server_rows.RawServer
    place, fact = ("compute", "/servers/detail", NOVA), server_rows.reader(metadata_keys)
    return Listing("server", *place, row, fact, _decoder("server", row))


def volumes(metadata_keys: Collection[str]) -> Listing[Volume]:
    """Volumes; where their metadata are very long, only these keys are kept."""
    row, kept = decode.RawVolume, decode.kept_metadata(metadata_keys)
    place = ("block_storage", "/volumes/detail", CINDER_VOLUMES)
    fact = partial(decode.volume, kept=kept)
    free_page = partial(decode.free_page, kept=kept)
    return Listing("volume", *place, row, fact, _decoder("volume", row), free_page)


def backups() -> Listing[Backup]:
    """Backups."""
    row = decode.RawBackup
    place = ("block_storage", "/backups/detail", CINDER_BACKUPS)
    return Listing("backup", *place, row, decode.backup, _decoder("backup", row))


def _decoder(kind: str, row: type[Any]) -> msgspec.json.Decoder[Any]:
    links: Any = msgspec.field(name=f"{kind}s_links", default_factory=list)
    fields: list[Any] = [
        ("rows", list[row], msgspec.field(name=f"{kind}s")),  # type: ignore[valid-type]  # made above
        ("links", list[RawLink], links),
    ]
    return msgspec.json.Decoder(msgspec.defstruct("Page", fields))
