"""The catalog file: JSON lines in gzip, each with the digest of the one before.

docs/recovery.md describes the format well enough to read a file without Staffeln.
"""

import hashlib
import hmac
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from staffeln_cli.errors import CatalogRejected

FORMAT = 1
_AT_ONCE = 16 << 10
_LONGEST_LINE = 64 << 20
_GZIP = 16 + zlib.MAX_WBITS
_STORED_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


class Header(msgspec.Struct, kw_only=True):
    """The first line."""

    staffeln_catalog: int
    """The version of the format."""
    written_at: str
    schema: str
    """The revision of the database's schema; empty: the file has export records only."""
    cloud: str = ""
    """Keystone of the cloud that the backups are in."""


class End(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The last line, which is a gzip member of its own."""

    previous: str
    lines: int
    """How many lines come before this one."""
    sha256: str
    """Of all lines before this one."""
    file_sha256: str
    """Of all bytes of the file before the member of this line."""
    hmac_sha256: str = ""
    """Of both digests, with the key in catalog.key_file."""


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """A row of a table."""

    number: int
    table: str
    row: dict[str, Any]


class _Row(msgspec.Struct):
    previous: str
    table: str
    row: dict[str, Any]


_rows = msgspec.json.Decoder(_Row)


class Writer:
    """Writes the lines of a catalog one after the other; it keeps none of them."""

    def __init__(self, file: BinaryIO, header: Header) -> None:
        self._file = file
        self._compressor = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        self._raw = hashlib.sha256()
        self._all = hashlib.sha256()
        self._previous = ""
        self.lines = 0
        self._line(msgspec.to_builtins(header))

    def add(self, table: str, row: dict[str, Any]) -> None:
        """Write a row of a table."""
        self._line({"table": table, "row": row})

    def finish(self, key: bytes | None) -> None:
        """Write the last line; without it the file counts as truncated."""
        self._write(self._compressor.flush())
        end = End(
            previous=self._previous,
            lines=self.lines,
            sha256=self._all.hexdigest(),
            file_sha256=self._raw.hexdigest(),
        )
        if key is not None:
            end.hmac_sha256 = _signature(end, key)
        self._file.write(_stored(msgspec.json.encode(end) + b"\n"))

    def _line(self, values: dict[str, Any]) -> None:
        text = msgspec.json.encode({"previous": self._previous} | values)
        self._previous = hashlib.sha256(text).hexdigest()
        self.lines += 1
        self._all.update(text + b"\n")
        self._write(self._compressor.compress(text + b"\n"))

    def _write(self, compressed: bytes) -> None:
        self._raw.update(compressed)
        self._file.write(compressed)


class Reader:
    """Reads a catalog and proves each line; CatalogRejected names the first that does not fit."""

    def __init__(self, path: Path, key: bytes | None = None) -> None:
        self.path = path
        self._key = key
        self.lines = 0
        """How many lines have been proven, the last one included."""
        self.header: Header | None = None
        self.is_signed = False
        """Whether it was written with a key; known at the end."""

    def rows(self) -> Iterator[CatalogRow]:
        """Every row, in the order of the file; the file is whole and unchanged at the end only."""
        try:
            with self.path.open("rb") as file:
                yield from self._proven(_Member(file))
        except OSError as error:
            raise CatalogRejected(f"{self.path}: cannot be read: {error.strerror}") from error

    def rejected(self, reason: str, line: int | None = None) -> CatalogRejected:
        """The line is the one after those that fit, unless it is named."""
        number = self.lines + 1 if line is None else line
        return CatalogRejected(f"{self.path}: line {number}: {reason}")

    def _proven(self, member: "_Member") -> Iterator[CatalogRow]:
        everything = hashlib.sha256()
        previous = ""
        for text in member.lines():
            if self.header is None:
                self.header = self._header_of(text)
            else:
                try:
                    row = _rows.decode(text)
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    raise self.rejected(f"is damaged: {error}") from error
                if row.previous != previous:
                    raise self.rejected(_CHAIN)
                yield CatalogRow(self.lines + 1, row.table, row.row)
            previous = hashlib.sha256(text).hexdigest()
            everything.update(text + b"\n")
            self.lines += 1
        if member.problem is not None:
            raise self.rejected(member.problem)
        self._check_end(member, previous, everything.hexdigest())
        self.lines += 1

    def _header_of(self, text: bytes) -> Header:
        try:
            version = msgspec.json.decode(text)["staffeln_catalog"]
        except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise self.rejected("is not the first line of a catalog of Staffeln") from error
        if version != FORMAT:
            raise self.rejected(
                f"the file has format {version}, this version reads format {FORMAT};"
                " read it with the version that wrote it"
            )
        try:
            header = msgspec.json.decode(text, type=Header)
        except msgspec.MsgspecError as error:
            raise self.rejected(f"is damaged: {error}") from error
        if not text.startswith(b'{"previous":"",'):
            raise self.rejected(_CHAIN)
        return header

    def _check_end(self, member: "_Member", previous: str, everything: str) -> None:
        text = member.tail[15:-8]
        if not member.tail:
            raise self.rejected("the file ends before its last line: it is truncated")
        try:
            end = msgspec.json.decode(text, type=End, strict=True)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self.rejected(f"is damaged: {error}") from error
        if _stored(text) != member.tail or msgspec.json.encode(end) + b"\n" != text:
            raise self.rejected("is damaged")
        if (end.previous, end.lines, end.sha256) != (previous, self.lines, everything):
            raise self.rejected(_CHAIN)
        if end.file_sha256 != member.digest:
            raise self.rejected("its digest of the compressed file does not match the file")
        self._check_signature(end)

    def _check_signature(self, end: End) -> None:
        self.is_signed = bool(end.hmac_sha256)
        if self._key is None:
            return
        if not end.hmac_sha256:
            raise self.rejected("the file is not signed, although catalog.key_file is set")
        if not hmac.compare_digest(end.hmac_sha256, _signature(end, self._key)):
            raise self.rejected(
                "the signature does not match: somebody else wrote the file, or with another key"
                " than that in catalog.key_file"
            )


_CHAIN = "does not follow the line before: one of the two was changed, or lines are missing"


class _Member:
    """The first gzip member of a file, line by line, and what comes after it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._raw = hashlib.sha256()
        self.tail = b""
        self.problem: str | None = None
        """Why the lines end here; none: the member is whole."""

    @property
    def digest(self) -> str:
        """Of the compressed member."""
        return self._raw.hexdigest()

    def lines(self) -> Iterator[bytes]:
        """Each line without its end; what can be read before a damaged place, too."""
        waiting = b""
        for text in self._texts():
            *whole, waiting = (waiting + text).split(b"\n")
            yield from whole
            if len(waiting) > _LONGEST_LINE:
                self.problem = "is damaged: it does not end"
                return
        if waiting and self.problem is None:
            self.problem = "is damaged: it does not end"

    def _texts(self) -> Iterator[bytes]:
        inflater = zlib.decompressobj(_GZIP)
        while chunk := self._file.read(_AT_ONCE):
            before = inflater.copy()
            try:
                text = inflater.decompress(chunk)
            except zlib.error as error:
                yield _readable(before, chunk)
                self.problem = f"is damaged: {error}"
                return
            yield text
            if inflater.eof:
                self._raw.update(chunk[: len(chunk) - len(inflater.unused_data)])
                self.tail = inflater.unused_data + self._file.read(_AT_ONCE)
                return
            self._raw.update(chunk)
        self.problem = "the file ends before its last line: it is truncated"


def _readable(inflater: Any, chunk: bytes) -> bytes:
    """What a chunk has before its damaged place: an error loses it, so it goes byte by byte."""
    found = b""
    for place in range(len(chunk)):
        try:
            found += inflater.decompress(chunk[place : place + 1])
        except zlib.error:
            break
    return found


def _stored(text: bytes) -> bytes:
    """A gzip member without compression, of which no bit is without meaning."""
    length = len(text).to_bytes(2, "little")
    inverse = (len(text) ^ 0xFFFF).to_bytes(2, "little")
    ends = zlib.crc32(text).to_bytes(4, "little") + len(text).to_bytes(4, "little")
    return _STORED_HEADER + b"\x01" + length + inverse + text + ends


def _signature(end: End, key: bytes) -> str:
    return hmac.new(key, f"{end.sha256}{end.file_sha256}".encode(), "sha256").hexdigest()
