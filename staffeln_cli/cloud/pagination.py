"""Pages of a listing, fetched ahead of whoever reads them: one after another, or from both ends.

Cinder and Nova find a page by the last row of the one before, so a listing cannot be cut into
parts that are fetched side by side. But it can be walked from its newest and from its oldest row
at once.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import msgspec

from staffeln_cli.errors import ListingIncomplete
from staffeln_cli.model import UnreadableRow
from staffeln_cli.model.text import first_line, quoted

AHEAD = 2
"""Pages that a walk may be ahead of the reader: a thousand rows each, a MiB or so."""

Query = dict[str, str]


class RawLink(msgspec.Struct):
    """A paging link."""

    rel: str = ""
    href: str = ""


class KeystoneLinks(msgspec.Struct):
    """The links of one of Keystone's pages."""

    next: str | None = None


def next_query(links: list[RawLink]) -> dict[str, str] | None:
    """The parameters of the next page; its host and scheme may be a proxy's mistake."""
    for link in links:
        if link.rel == "next":
            return query_of(link.href)
    return None


def query_of(href: str) -> dict[str, str]:
    """The parameters of a link; ListingIncomplete where it is none."""
    try:
        return dict(parse_qsl(urlsplit(href).query, keep_blank_values=True))
    except ValueError as error:
        raise ListingIncomplete(f"a page links to {quoted(href)}: {first_line(error)}") from error


class Page(Protocol):
    """Rows with an `id` and, where both ends are walked from, a `created_at`."""

    rows: list[Any]
    links: list[RawLink]
    unreadable: list[UnreadableRow]


class Progress:
    """Notices a listing that leads in a circle: such a one is not complete, and never ends."""

    def __init__(self) -> None:
        self._asked: set[tuple[tuple[str, str], ...]] = set()

    def ask(self, query: Query) -> None:
        """Note which page is asked for next; ListingIncomplete when it was asked for before."""
        key = tuple(sorted(query.items()))
        if key in self._asked:
            raise ListingIncomplete(f"a listing leads back to a page of its own: {query}")
        self._asked.add(key)

    @staticmethod
    def check(query: Query, following: Query | None, *, has_news: bool) -> None:
        """ListingIncomplete for a page without a new row that leads on."""
        if following is not None and not has_news:
            raise ListingIncomplete(f"a page of a listing has no new row, but leads on: {query}")


Fetch = Callable[[Query, Sequence[str]], Page]
"""One page; given are also the ids of the page before, in case the row that marks it is gone."""


def in_order(fetch: Fetch, query: Query) -> Iterator[list[Any]]:
    """The rows of each page, in the order of the listing."""
    with _Ahead([_Walk(fetch, query)], lambda: False) as pages:
        for _, rows in pages:
            yield rows


def from_both_ends(
    fetch: Fetch, newest_first: Query, oldest_first: Query, *, ahead: int = AHEAD
) -> Iterator[list[Any]]:
    """The rows of each page as they come, every row once: the middle comes last.

    It is complete once the walks have passed each other by more than a moment: of what was created
    at the moment where they meet, each may have seen a part. `created_at` is compared as text,
    which a service always writes in one form.
    """
    first = fetch(newest_first, ())
    following = next_query(first.links)
    if following is None:
        yield first.rows
        return
    newest = _Walk(fetch, following, first.rows, newest_first)
    oldest = _Walk(fetch, oldest_first)
    others = {newest: oldest, oldest: newest}
    covered = {newest: _Covered(str.__gt__, first.rows), oldest: _Covered(str.__lt__)}
    with _Ahead([newest, oldest], lambda: "" < newest.reached < oldest.reached, ahead) as pages:
        yield first.rows
        for walk, rows in pages:
            yield [row for row in rows if row not in covered[others[walk]]]
            covered[walk].add(rows)


class _Walk:
    """A chain of pages, each found by the last row of the one before."""

    def __init__(
        self, fetch: Fetch, query: Query, before: Sequence[Any] = (), asked: Query | None = None
    ) -> None:
        """`before` are the rows of a page that came before the first one, `asked` its query."""
        self._fetch = fetch
        self._progress = Progress()
        if asked is not None:
            self._progress.ask(asked)
        self._query: Query | None = query
        self._seen = [row.id for row in before]
        self.reached = before[-1].created_at if before else ""
        """When the last row so far was created, where that is told."""

    def __iter__(self) -> Iterator[list[Any]]:
        while self._query is not None:
            query, seen = self._query, set(self._seen)
            self._progress.ask(query)
            page = self._fetch(query, self._seen)
            self._seen = [row.id for row in page.rows]
            self._query = next_query(page.links)
            has_news = bool(page.unreadable) or not seen.issuperset(self._seen)
            self._progress.check(query, self._query, has_news=has_news)
            if page.rows:
                self.reached = getattr(page.rows[-1], "created_at", "")
            yield page.rows


class _Covered:
    """What a walk has shown already: all that is `beyond` a moment, and some of that moment."""

    def __init__(self, beyond: Callable[[str, str], bool], rows: Sequence[Any] = ()) -> None:
        self._beyond = beyond
        self._moment = ""
        self._ids: set[str] = set()
        self.add(rows)

    def __contains__(self, row: Any) -> bool:
        if not self._moment:
            return False
        return self._beyond(row.created_at, self._moment) or row.id in self._ids

    def add(self, rows: Sequence[Any]) -> None:
        """The next page of the walk."""
        if not rows:
            return
        if rows[-1].created_at != self._moment:
            self._moment = rows[-1].created_at
            self._ids.clear()
        self._ids.update(row.id for row in rows if row.created_at == self._moment)


class _Ahead:
    """Walks that go on in threads, as far ahead of the reader as there is room."""

    def __init__(
        self, walks: Sequence[_Walk], is_complete: Callable[[], bool], ahead: int = AHEAD
    ) -> None:
        self._room = {walk: threading.Semaphore(ahead) for walk in walks}
        self._is_complete = is_complete
        self._pages: SimpleQueue[tuple[_Walk, list[Any]] | None] = SimpleQueue()
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(len(walks), thread_name_prefix="pages")

    def __enter__(self) -> "_Ahead":
        self._going = [self._pool.submit(self._go, walk) for walk in self._room]
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._pool.shutdown()

    def __iter__(self) -> Iterator[tuple[_Walk, list[Any]]]:
        """Pages of all walks as they come; an error in one of them ends all."""
        for _ in self._going:
            while (taken := self._pages.get()) is not None:
                self._room[taken[0]].release()
                yield taken
        for one in self._going:
            one.result()

    def _go(self, walk: _Walk) -> None:
        try:
            for rows in walk:
                self._pages.put((walk, rows))
                self._room[walk].acquire()
                if self._closing.is_set() or self._is_complete():
                    return
        except BaseException:
            self._close()
            raise
        finally:
            self._pages.put(None)

    def _close(self) -> None:
        self._closing.set()
        for room in self._room.values():
            room.release()
