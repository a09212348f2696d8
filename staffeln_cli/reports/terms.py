"""What a report says of retention terms and of protection: invalid, shortened, ended."""

from datetime import datetime

from staffeln_cli.config import Settings
from staffeln_cli.model import InventoryVolume
from staffeln_cli.model.text import one_line
from staffeln_cli.planning.retention.shortening import shortening_ends_at
from staffeln_cli.reports.items import names_of
from staffeln_cli.reports.model import Item


def protection_end(volume: InventoryVolume, project: str = "") -> Item:
    """Which volume lost its protection, when, and why."""
    reason = one_line(volume.skip_reason or "not protected")
    return Item(*names_of(volume), reason, volume.protection_ended_at, project)


def bad_retention(volume: InventoryVolume, project: str = "") -> Item:
    """The retention in metadata that is not valid, and what holds instead."""
    holds = "the default"
    if volume.retention is not None:
        holds = f"the longer of {volume.retention} and the default"
    text = one_line(f"{volume.bad_retention} is no retention; {holds} holds")
    return Item(*names_of(volume), text, project=project)


def shortening(
    volume: InventoryVolume, settings: Settings, now: datetime, project: str = ""
) -> Item:
    """Which retention was shortened, to what, and when that takes effect."""
    default = f"the default, {settings.retention.time}"
    before, after = volume.retention_before or default, volume.retention or default
    text = f"shortened from {before} to {after}: backups may be removed from then on"
    takes_effect_at = _takes_effect_at(volume, settings, now)
    return Item(*names_of(volume), one_line(text), takes_effect_at, project)


def end_of_volume(volume: InventoryVolume, settings: Settings, now: datetime) -> Item:
    """Which volume is gone, and from when on no backup is kept for its sake."""
    text = "the volume is gone: its last backups may be removed from then on"
    return Item(*names_of(volume), text, _takes_effect_at(volume, settings, now))


def _takes_effect_at(volume: InventoryVolume, settings: Settings, now: datetime) -> datetime:
    return shortening_ends_at(volume, settings.retention.grace, now) or now
