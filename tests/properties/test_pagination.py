"""A listing read from both ends, while others create and delete."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.cloud.pagination import AHEAD, Fetch, RawLink, from_both_ends, in_order
from staffeln_cli.model import UnreadableRow


def one_end(fetch: Fetch) -> Iterator[list[Any]]:
    return in_order(fetch, {"sort": "created_at:desc"})


def both_ends(fetch: Fetch) -> Iterator[list[Any]]:
    return from_both_ends(fetch, {"sort": "created_at:desc"}, {"sort": "created_at:asc"})


class Row(NamedTuple):
    created_at: str
    id: str


@dataclass
class Answer:
    rows: list[Any]
    links: list[RawLink]
    unreadable: list[UnreadableRow] = field(default_factory=list)


def a_row(second: int, number: int) -> Row:
    return Row(f"2026-11-26T10:00:{second:02}.000000", f"{number:04}-{second}")


class Listing:
    """Rows by age and id, as Cinder pages them, and what happens before a request is answered."""

    def __init__(self, rows: set[Row], size: int, events: Sequence[Any] = ()) -> None:
        self.rows, self.size, self.events = set(rows), size, list(events)
        self.asked: list[dict[str, str]] = []
        self._lock = threading.Lock()

    def fetch(self, query: dict[str, str], seen: Sequence[str]) -> Answer:
        with self._lock:
            self.asked.append(query)
            for gone, new in self.events.pop(0) if self.events else ():
                self.rows.discard(gone)
                self.rows.add(new)
            return self._answer(query)

    def _answer(self, query: dict[str, str]) -> Answer:
        descends = query.get("sort", "created_at:desc") == "created_at:desc"
        rows = sorted(self.rows, reverse=descends)
        if "marker" in query:
            at, _, number = query["marker"].partition("/")
            marker = Row(at, number)
            rows = [row for row in rows if (row < marker if descends else row > marker)]
        rows = rows[: self.size]
        if len(rows) < self.size:
            return Answer(rows, [])
        link = f"http://cinder/?sort={query['sort']}&marker={rows[-1].created_at}/{rows[-1].id}"
        return Answer(rows, [RawLink(rel="next", href=link)])


ROWS = st.sets(st.builds(a_row, st.integers(1, 9), st.integers(0, 40)), max_size=60)
NEW = st.builds(a_row, st.integers(10, 59), st.integers(0, 99))
EVENTS = st.lists(
    st.lists(st.tuples(st.builds(a_row, st.integers(1, 9), st.integers(0, 40)), NEW), max_size=3),
    max_size=20,
)


@given(ROWS, st.integers(1, 12), EVENTS)
def test_whatever_is_there_all_the_time_is_shown_once_and_nothing_twice(
    rows: set[Row], size: int, events: list[Any]
) -> None:
    listing = Listing(rows, size, events)
    found = Counter(row for page in both_ends(listing.fetch) for row in page)
    gone = {old for batch in events for old, _ in batch}
    assert set(found) >= rows - gone
    assert set(found.values()) <= {1}


@given(ROWS, st.integers(1, 12))
def test_it_takes_at_most_a_request_more_for_each_end_where_no_second_fills_a_page(
    rows: set[Row], size: int
) -> None:
    rows = {Row(f"2026-11-26T{place:06}", row.id) for place, row in enumerate(sorted(rows))}
    listing = Listing(rows, size)
    assert {row for page in both_ends(listing.fetch) for row in page} == rows
    assert len(listing.asked) <= ceil((len(rows) + 1) / size) + 2


def test_a_listing_of_one_page_takes_one_request() -> None:
    listing = Listing({a_row(1, number) for number in range(3)}, size=4)
    assert [len(page) for page in both_ends(listing.fetch)] == [3]
    assert len(listing.asked) == 1


@pytest.mark.parametrize("read", [one_end, both_ends])
def test_a_page_that_fails_fails_the_listing(read: Any) -> None:
    listing = Listing({a_row(number, number) for number in range(20)}, size=2)

    def fetch(query: dict[str, str], seen: Sequence[str]) -> Answer:
        if len(listing.asked) == 5:
            raise ConnectionError("no answer")
        return listing.fetch(query, seen)

    with pytest.raises(ConnectionError):
        list(read(fetch))


@pytest.mark.parametrize("read", [one_end, both_ends])
def test_a_reader_that_pauses_is_waited_for_and_one_that_leaves_ends_it(read: Any) -> None:
    listing = Listing({a_row(1, number) for number in range(500)}, size=1)
    pages = read(listing.fetch)
    next(pages)
    running = threading.active_count()
    threading.Event().wait(0.2)
    assert len(listing.asked) <= 2 * (AHEAD + 2)
    pages.close()
    assert threading.active_count() < running
    assert len(listing.asked) <= 2 * (AHEAD + 3)
