"""What a row may say, and what it cannot mean: such a row is named, and the others go on."""

import msgspec
import pytest

from staffeln_cli.cloud import decode, pages
from staffeln_cli.cloud.pages import Listing
from staffeln_cli.model import Backup, UnreadableRow, Volume

VOLUME = {
    "id": "v1",
    "status": "in-use",
    "size": 1,
    "created_at": "2026-11-22T22:00:00",
    "os-vol-tenant-attr:tenant_id": "p1",
}
BACKUP = {
    "id": "b1",
    "volume_id": "v1",
    "status": "available",
    "size": 1,
    "created_at": "2026-11-22T22:00:00",
    "os-backup-project-attr:project_id": "p1",
}


def read(
    listing: Listing[Backup] | Listing[Volume], *rows: dict[str, object]
) -> tuple[list[str], list[UnreadableRow]]:
    """The ids of the rows that are understood, and the others."""
    page = listing.page(msgspec.json.encode({listing.key: rows}))
    facts, odd = listing.decoded(page.rows)
    return [fact.id for fact in facts], [*page.unreadable, *odd]


@pytest.mark.parametrize("size", [-1, 2**31, 2**63, 10**30])
def test_a_size_that_no_database_can_hold_is_not_understood(size: int) -> None:
    odd = {"id": "odd", "size": size}
    for listing, row in ((pages.volumes(()), VOLUME), (pages.backups(), BACKUP)):
        found, unreadable = read(listing, row, row | odd)
        assert (found, [one.id for one in unreadable]) == ([row["id"]], ["odd"])


@pytest.mark.parametrize("name", ["created_at", "updated_at", "data_timestamp"])
@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00",
        "0001-01-01T00:00:00+05:00",
        "1969-12-31T23:59:59",
        "9999-12-31T23:59:59",
        "9999-12-31T23:59:59-05:00",
        "yesterday",
    ],
)
def test_a_moment_at_which_nothing_can_have_happened_is_not_understood(
    name: str, text: str
) -> None:
    found, unreadable = read(pages.backups(), BACKUP, BACKUP | {"id": "odd", name: text})
    assert (found, [one.id for one in unreadable]) == (["b1"], ["odd"])


@pytest.mark.parametrize(
    ("body", "clean"),
    [
        (rb'"a\u0000b"', "ab"),
        (rb'"\u0000\u0000"', ""),
        (rb'"\\u0000"', r"\u0000"),
        (rb'"\\\u0000"', "\\"),
        (rb'"\\\\u0000"', r"\\u0000"),
        (rb'"\u00000"', "0"),
        (rb'"\u0001\n"', "\x01\n"),
        (rb'"\ud800"', "?"),
        (rb'"a\uDC00\u0000\ud800\\"', "a??\\"),
        (rb'"\ud83e\udd84\udd84"', "\U0001f984?"),
        (rb'"\ud83e\ud83e\udd84"', "?\U0001f984"),
        (rb'"\\ud800 \"\u0000"', r"\ud800 " + '"'),
    ],
)
def test_no_text_of_an_answer_has_what_databases_refuse(body: bytes, clean: str) -> None:
    assert msgspec.json.decode(decode.storable_json(body)) == clean
