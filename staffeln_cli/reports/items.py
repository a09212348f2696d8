"""The lines of a report: what a volume or a record is called, printable on one line."""

import re
from collections.abc import Iterable
from datetime import datetime

from staffeln_cli.model import BackupRecord, InventoryVolume
from staffeln_cli.model.text import one_line
from staffeln_cli.reports.model import Grouped, Item

_FIGURES = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+")
_AND_ALIKE = " (and alike, with other figures)"


def item_of(
    record: BackupRecord, note: str | None, at: datetime | None, project: str = ""
) -> Item:
    """A line about a backup."""
    return Item(*names_of(record), one_line(note or ""), at, one_line(project))


def names_of(thing: InventoryVolume | BackupRecord) -> tuple[str, str]:
    """The volume and its server."""
    return one_line(thing.volume_name) or thing.volume_id, one_line(thing.server_name)


def reason_of(record: BackupRecord) -> str:
    """Why a backup failed."""
    return one_line(record.reason or "no reason was given")


def grouped(items: Iterable[tuple[str, Item]]) -> list[Grouped]:
    """Items by reason; reasons that differ only in Cinder's sizes and ids count as the same."""
    groups: dict[str, list[tuple[str, Item]]] = {}
    for reason, item in items:
        groups.setdefault(_FIGURES.sub("#", reason), []).append((reason, item))
    found = [
        Grouped(
            members[0][0] + (_AND_ALIKE if len({reason for reason, _ in members}) > 1 else ""),
            [item for _, item in members],
        )
        for members in groups.values()
    ]
    return sorted(found, key=lambda group: (-len(group.items), group.reason))
