"""Whether a protected volume is well protected, as reports name it."""

from datetime import datetime

from staffeln_cli.config import Settings
from staffeln_cli.config.rules import schedule
from staffeln_cli.model import InventoryVolume
from staffeln_cli.planning.protection import due
from staffeln_cli.reports.model import ProtectionState


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
