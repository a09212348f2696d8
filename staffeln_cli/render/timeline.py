"""A timeline of a volume's backups: one row per chain, readable without colour."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from staffeln_cli.planning.retention.verdicts import Verdict

_MARKS = {
    # kept, pinned, going, somebody else's: full and incremental
    "kept": ("●", "•", "green"),
    "pinned": ("◆", "◇", "cyan"),
    "going": ("X", "x", "red"),
    "foreign": ("■", "▪", "yellow"),
}
_SEVERAL = "+"
_TICK = 16
"""Cells from one moment on the axis to the next."""
_SHORTEST = timedelta(hours=1)
_DAYS_FROM = timedelta(days=3)


class _Scale(NamedTuple):
    """How moments are written: the first of a row, and those on the axis."""

    start: str
    tick: str
    width: int


_DAYS = _Scale("%Y-%m-%d", "%m-%d", 10)
_HOURS = _Scale("%m-%d %H:%M", "%H:%M", 11)
_FOREIGN_RULES = frozenset({"foreign", "not_ours"})


def timeline(verdicts: Sequence[Verdict], now: datetime, width: int) -> Table:
    """One row per chain, oldest first; the marks are placed by the start of each backup."""
    chains = _chains(verdicts)
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    first = min(now - _SHORTEST, *(verdict.member.started_at for verdict in verdicts))
    span = now - first
    scale = _DAYS if span >= _DAYS_FROM else _HOURS
    room = max(10, width - scale.width - 4)
    table.add_column("chain of", no_wrap=True)
    table.add_column(_axis(first, span, room, scale), no_wrap=True)
    for chain in chains:
        cells = Text("·" * room, style="dim")
        taken: dict[int, Text] = {}
        for verdict in chain:
            moment = min(verdict.member.started_at, now)
            place = int((moment - first) / span * (room - 1))
            taken[place] = _several(taken[place]) if place in taken else _mark(verdict)
        for place in sorted(taken):
            cells = cells[:place] + taken[place] + cells[place + 1 :]
        table.add_row(f"{chain[0].member.started_at:{scale.start}}", cells)
    return table


def legend(verdicts: Sequence[Verdict]) -> Text:
    """The meaning of the marks in the timeline."""
    used = {_class(verdict) for verdict in verdicts}
    text = Text()
    for name, (full, incremental, colour) in _MARKS.items():
        if name in used:
            text.append(f"{full} full {incremental} incremental", style=colour)
            text.append(f" {_WORDS[name]}   ", style="dim")
    return text


_WORDS = {
    "kept": "kept",
    "pinned": "pinned",
    "going": "deleted by the next retain",
    "foreign": "not Staffeln's",
}


def _chains(verdicts: Sequence[Verdict]) -> list[list[Verdict]]:
    """The chains, oldest first; each full backup begins one."""
    chains: list[list[Verdict]] = []
    for verdict in reversed(verdicts):
        if not chains or not verdict.member.backup.is_incremental:
            chains.append([])
        chains[-1].append(verdict)
    return chains


def _class(verdict: Verdict) -> str:
    if not verdict.keep:
        return "going"
    if verdict.rule in _FOREIGN_RULES or verdict.member.record is None:
        return "foreign"
    return "pinned" if verdict.member.record.pinned else "kept"


def _mark(verdict: Verdict) -> Text:
    full, incremental, colour = _MARKS[_class(verdict)]
    return Text(incremental if verdict.member.backup.is_incremental else full, style=colour)


def _several(mark: Text) -> Text:
    """The mark of several backups at one place."""
    return Text(_SEVERAL, style=mark.style)


def _axis(first: datetime, span: timedelta, room: int, scale: _Scale) -> str:
    """Moments above the cells to which they belong, and `now` at the end."""
    text, end = f"{first:{scale.start}}", room - len(" now")
    for place in range(_TICK, end, _TICK):
        label = f"{first + span * place / (room - 1):{scale.tick}}"
        if len(text) < place and place + len(label) <= end:
            text = f"{text:{place}}{label}"
    return f"{text:{max(end, len(text))}} now"
