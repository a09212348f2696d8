"""The page model, from which HTML and plain text are rendered with the same content."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from itertools import groupby

from staffeln_cli.config.rules import zone_named

ROWS = 12
"""Rows of one list; further items are named in one paragraph."""
_NAMES = 300
"""Names in one paragraph; some mail programs cut mails at 100 KB."""
_SHORT = 32
"""Characters that fit beside a name, also on a phone."""
When = Callable[[datetime | None], str]
"""Formats times."""


@dataclass(frozen=True, slots=True)
class Row:
    """One item: its name and what it belongs to; on the right, its values."""

    name: str
    below: str = ""
    right: str = ""
    right_below: str = ""
    note: str = ""
    """A remark below, in full width."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows with something in common, which the heading names."""

    rows: Sequence[Row] = ()
    heading: str = ""
    more: str = ""
    """The items that did not fit into the rows."""


@dataclass(frozen=True, slots=True)
class Bar:
    """How full something is; without a percentage if there is no limit."""

    label: str
    figure: str
    colour: str
    percent: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page. The tone is that of its title: none, `fair` or `bad`."""

    title: str
    figure: str = ""
    tone: str = ""
    blocks: Sequence[Block] = ()
    bars: Sequence[Bar] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure at the top."""

    figure: int
    label: str
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page, the verdict first. `tone` is `good`, `fair` or `bad`."""

    subject: str
    kicker: str
    name: str
    period: str
    tone: str
    headline: str
    tiles: Sequence[Tile] = ()
    sections: Sequence[Section] = ()
    footer: str = ""


def listed(rows: Sequence[Row], heading: str = "") -> Block:
    """A block with the first items as rows, and the others by name."""
    rest = rows[ROWS:]
    names = "; ".join(
        (f"{below}: " if below else "") + ", ".join(row.name for row in some)
        for below, some in groupby(rest[:_NAMES], key=lambda row: row.below)
    )
    more = f"; and {len(rest) - _NAMES:,} more" if len(rest) > _NAMES else ""
    return Block(rows[:ROWS], heading, f"also {names}{more}" if rest else "")


def noted(row: Row, text: str) -> Row:
    """The row with a remark, placed according to its length."""
    place = "right_below" if len(text) <= _SHORT else "note"
    return replace(row, **{place: text})


def writing(timezone: str | None) -> When:
    """Format times in this time zone, always with the offset from UTC."""
    return partial(_written, zone_named(timezone))


def _written(zone: tzinfo, moment: datetime | None) -> str:
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    if zone is UTC:
        return f"{local:%Y-%m-%d %H:%M} UTC"
    return local.isoformat(sep=" ", timespec="minutes")


def lasting(start: datetime | None, end: datetime | None) -> str:
    """A length of time in its two largest units."""
    if start is None or end is None:
        return ""
    seconds = max(0, round((end - start) / timedelta(seconds=1)))
    for unit, size, smaller, part in (("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size:,} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"
