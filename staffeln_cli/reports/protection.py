"""What a report says of the protection of each volume: unsafe, waiting, left out."""

from collections.abc import Collection, Iterable
from datetime import datetime

from staffeln_cli.config import Settings
from staffeln_cli.config.rules import schedule
from staffeln_cli.model import InventoryVolume, VolumeId
from staffeln_cli.model.text import one_line
from staffeln_cli.planning.protection import due
from staffeln_cli.reports.items import grouped, names_of
from staffeln_cli.reports.model import Grouped, Item, ProtectionState, Unsafe


def protection_state(
    volume: InventoryVolume, *, restorable: bool, settings: Settings, now: datetime
) -> ProtectionState | None:
    """Why a protected volume is not well protected; None if it is, or if it is not selected."""
    if not volume.protected:
        return None
    if volume.unrestorable_since is not None:
        return ProtectionState.UNRESTORABLE
    if due.is_overdue(volume, now, schedule(settings)):
        return ProtectionState.OVERDUE
    if restorable:
        return None
    is_new = volume.last_success_at is None and not volume.failures
    return ProtectionState.WAITING if is_new else ProtectionState.UNRESTORABLE


def unsafe_of(
    volume: InventoryVolume,
    state: ProtectionState,
    restorable: Collection[VolumeId],
    unfinished: Collection[VolumeId],
) -> Unsafe:
    """A protected volume that is not well protected, and why."""
    why = _why(
        volume,
        is_restorable=volume.volume_id in restorable,
        on_its_way=volume.volume_id in unfinished,
    )
    return Unsafe(*names_of(volume), why, volume.last_success_at, state)


def _why(volume: InventoryVolume, *, is_restorable: bool, on_its_way: bool) -> str:
    if volume.failures:
        tries = (
            "its last backup" if volume.failures == 1 else f"its last {volume.failures} backups"
        )
        return f"{tries} failed{', another is on its way' if on_its_way else ''}"
    if volume.unrestorable_since is not None:
        return f"no backup of it can be restored{', another is on its way' if on_its_way else ''}"
    if volume.last_success_at is None:
        return "its first backup is on its way" if on_its_way else "no backup was started so far"
    if not is_restorable:
        return "no backup of it is left"
    return "its next backup is on its way" if on_its_way else "no backup was started in time"


def skipped_of(volumes: Iterable[InventoryVolume]) -> list[Grouped]:
    """The volumes that are not protected, by reason."""
    return grouped(
        (one_line(volume.skip_reason or "not protected"), Item(*names_of(volume)))
        for volume in volumes
        if not volume.protected
    )
