"""One flipped byte anywhere in a catalog is found, and the line where it shows is named."""

import re
import tempfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.commands.catalog.file import FORMAT, Header, Reader, Writer
from staffeln_cli.errors import CatalogRejected

KEY = b"a secret"
HEADER = Header(staffeln_catalog=FORMAT, written_at="2026-11-27T20:00:00Z", schema="0006")
ROWS: list[tuple[str, dict[str, Any]]] = [
    ("backups", {"id": f"r{number}", "name": f"web_data_{number * 7919}", "size_gib": number})
    for number in range(60)
]


def written(rows: list[tuple[str, dict[str, Any]]], key: bytes | None = KEY) -> bytes:
    with tempfile.TemporaryFile() as file:
        writer = Writer(file, HEADER)
        for table, row in rows:
            writer.add(table, row)
        writer.finish(key)
        file.seek(0)
        return file.read()


FILE = written(ROWS)
LINES = zlib.decompressobj(31).decompress(FILE).split(b"\n")[:-1]


def read(content: bytes, key: bytes | None = KEY) -> list[tuple[str, dict[str, Any]]]:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        return [(line.table, line.row) for line in Reader(Path(file.name), key).rows()]


def named_line(content: bytes, key: bytes | None = KEY) -> int:
    with pytest.raises(CatalogRejected) as error:
        read(content, key)
    found = re.search(r"line (\d+): ", str(error.value))
    assert found is not None
    return int(found[1])


def first_changed(content: bytes) -> int | None:
    """The number of the first line that reads otherwise than it was written, or not at all."""
    inflater = zlib.decompressobj(31)
    text = b""
    try:
        for byte in content:
            text += inflater.decompress(bytes([byte]))
    except zlib.error:
        pass
    lines = text.split(b"\n")[:-1]
    for number, line in enumerate(LINES, 1):
        if number > len(lines) or lines[number - 1] != line:
            return number
    return None


def test_what_was_written_is_read_again() -> None:
    assert read(FILE) == ROWS
    assert read(written([], None), None) == []


@given(place=st.integers(0, len(FILE) - 1), flips=st.integers(1, 255))
def test_one_flipped_byte_is_found_and_its_line_is_named(place: int, flips: int) -> None:
    damaged = FILE[:place] + bytes([FILE[place] ^ flips]) + FILE[place + 1 :]
    line = named_line(damaged)
    changed = first_changed(damaged)
    if changed is None:  # a bit without meaning to gzip, or in the last line
        assert line == len(LINES) + 1
    else:
        assert line in {changed, changed + 1}


@given(length=st.integers(0, len(FILE) - 1))
def test_a_truncated_file_is_found(length: int) -> None:
    assert named_line(FILE[:length]) <= len(LINES) + 1


@given(place=st.integers(0, len(ROWS) - 1))
def test_a_row_that_is_left_out_is_found(place: int) -> None:
    """Somebody who can compress, but has no key, writes the file anew."""
    assert named_line(written(ROWS[:place] + ROWS[place + 1 :], b"guessed")) == len(LINES)
    assert named_line(written(ROWS[:place] + ROWS[place + 1 :], None)) == len(LINES)


def test_what_comes_after_the_end_is_found() -> None:
    assert named_line(FILE + b"\0") == len(LINES) + 1


def test_without_a_key_a_signed_file_is_read_and_an_unsigned_one_is_whole() -> None:
    assert read(FILE, None) == ROWS
    assert read(written(ROWS, None), None) == ROWS


@pytest.mark.parametrize("version", [0, 2, 99])
def test_another_format_is_named_with_both_versions(version: int) -> None:
    with tempfile.TemporaryFile() as file:
        writer = Writer(
            file,
            Header(staffeln_catalog=version, written_at="2020-01-01T00:00:00Z", schema="0001"),
        )
        writer.finish(None)
        file.seek(0)
        content = file.read()
    with pytest.raises(CatalogRejected, match=rf"format {version}, this version reads format 1"):
        read(content)
