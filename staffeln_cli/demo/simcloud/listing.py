"""Pages of a Cinder listing: filtered, sorted, and continued after a marker."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlencode

from staffeln_cli.demo.simcloud.calls import Call
from staffeln_cli.demo.simcloud.errors import not_found, refused
from staffeln_cli.demo.simcloud.filters import Kind, Wanted, wanted
from staffeln_cli.demo.simcloud.tables import Key, Row, Table

R = TypeVar("R", bound=Row)
YOUNGEST = "\uffff"


@dataclass(frozen=True)
class Page:
    """One page of rows, and the links that lead on from it."""

    rows: list[Any]
    links: list[dict[str, str]]


def page(call: Call, kind: Kind, table: Table[R], here: str) -> Page:
    """Answer one page. A full page always has a link to the next one, even if that is empty."""
    want = wanted(call, kind)
    keys = _sort_keys(call, kind)
    limit = limit_of(call)
    marker = call.query.get("marker")
    after = table.get(marker)
    if marker and (after is None or want.project_id not in (None, after.project_id)):
        raise not_found(kind.name, marker)
    rows = _rows(table, want, keys, after)
    found = list(islice(rows, limit))
    links = []
    if limit and len(found) == limit:
        query = {k: v for k, v in call.query.items() if k != "marker"} | {"marker": found[-1].id}
        links = [{"rel": "next", "href": f"{here}?{urlencode(query)}"}]
    return Page(found, links)


def limit_of(call: Call) -> int:
    most = call.world.settings.max_limit
    try:
        limit = int(call.query.get("limit", most))
    except ValueError:
        raise refused(400, "limit param must be an integer") from None
    if limit < 0:
        raise refused(400, "limit param must be positive")
    return min(limit, most)


def _sort_keys(call: Call, kind: Kind) -> list[tuple[str, bool]]:
    """Give columns and whether each descends; age and id always end the list."""
    keys = []
    for part in call.query.get("sort", "").split(","):
        name, _, direction = part.strip().partition(":")
        if not name:
            continue
        if (direction or "desc") not in ("asc", "desc"):
            message = "Unknown sort direction, must be 'desc' or 'asc'."
            raise refused(400, f"Invalid input received: {message}")
        if name not in kind.columns:
            raise refused(400, "Invalid input received: Invalid sort key")
        keys.append((name, direction != "asc"))
    descends = keys[0][1] if keys else True
    present = {column for column, _ in keys}
    return keys + [(c, descends) for c in ("created_at", "id") if c not in present]


def _rows(
    table: Table[R], want: Wanted, keys: list[tuple[str, bool]], after: R | None
) -> Iterator[R]:
    if want.nothing:
        return iter(())
    chosen = _by_index(table, want)
    by_age = keys[:2] in (
        [("created_at", True), ("id", True)],
        [("created_at", False), ("id", False)],
    )
    if chosen is None and by_age:
        ages = _aged(table, want, descends=keys[0][1], after=after)
        aged = (table[row_id] for _, row_id in ages)
        return filter(want.fits, aged) if want.equal else aged
    if chosen is None:
        return _remembered(table, want, keys, after)
    rows = _sorted(_fitting(chosen, want), keys)
    return iter(_after(rows, after, keys))


def _fitting(rows: Iterable[R], want: Wanted) -> list[R]:
    return [row for row in rows if want.project_id in (None, row.project_id) and want.fits(row)]


def _remembered(
    table: Table[R], want: Wanted, keys: list[tuple[str, bool]], after: R | None
) -> Iterator[R]:
    """Sort once for all pages of a listing, as long as the table stays as it is."""
    manner = (table.revision, want.project_id, tuple(want.equal.items()), tuple(keys))
    if table.remembered is None or table.remembered[0] != manner:
        rows = _sorted(_fitting(table, want), keys)
        table.remembered = (manner, rows, {row.id: place for place, row in enumerate(rows)})
    _, rows, places = table.remembered
    if after is not None and after.id not in places:
        return iter(_after(rows, after, keys))
    return islice(rows, places[after.id] + 1 if after else 0, None)


def _by_index(table: Table[R], want: Wanted) -> list[R] | None:
    if "id" in want.equal:
        row = table.get(str(want.equal["id"]))
        return [row] if row else []
    found = [table.find(c, v) for c, v in want.equal.items() if table.narrows(c, v)]
    return min(found, key=len) if found else None


def _aged(table: Table[R], want: Wanted, *, descends: bool, after: R | None) -> Iterator[Key]:
    """Walk the rows by age from the marker on, without sorting."""
    ages = table.ages(want.project_id)
    low, high = 0, len(ages)
    if after is not None and descends:
        high = bisect_left(ages, (after.created_at, after.id))
    elif after is not None:
        low = bisect_right(ages, (after.created_at, after.id))
    positions = range(high - 1, low - 1, -1) if descends else range(low, high)
    return (ages[position] for position in positions)


def _sorted(rows: Iterable[R], keys: list[tuple[str, bool]]) -> list[R]:
    ordered = list(rows)
    for column, descends in reversed(keys):
        ordered.sort(key=lambda row: _comparable(row, column), reverse=descends)
    return ordered


def _comparable(row: object, column: str) -> tuple[bool, Any]:
    value = getattr(row, column)
    return (value is not None, value if value is not None else "")


def _after(rows: list[R], after: R | None, keys: list[tuple[str, bool]]) -> list[R]:
    """Go on behind the marker, which itself need not fit the filters any more."""
    if after is None:
        return rows
    if all(row.id != after.id for row in rows):
        rows = _sorted([*rows, after], keys)
    position = next(place for place, row in enumerate(rows) if row.id == after.id)
    return rows[position + 1 :]
