"""Which volumes are paused, and what people are told about it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from staffeln_cli.model import InventoryVolume
from staffeln_cli.model.pauses import Pause, PauseScope
from staffeln_cli.planning.calendar import ProtectedVolume


class Pauses:
    """The pauses that hold at a moment; one whose end has passed does not."""

    def __init__(self, pauses: Iterable[Pause], now: datetime) -> None:
        held = (one for one in pauses if one.until is None or one.until > now)
        self._held = {(one.scope, one.item_id): one for one in held}

    def __iter__(self) -> Iterator[Pause]:
        return iter(self._held.values())

    def __bool__(self) -> bool:
        return bool(self._held)

    def of(self, volume: InventoryVolume | ProtectedVolume) -> Pause | None:
        """The pause that a volume is under, the narrowest one."""
        if not self._held:  # as nearly always, and there may be very many volumes
            return None
        for key in (
            (PauseScope.VOLUME, volume.volume_id),
            (PauseScope.SERVER, volume.server_id or "-"),
            (PauseScope.PROJECT, volume.project_id),
            (PauseScope.ALL, ""),
        ):
            if key in self._held:
                return self._held[key]
        return None


NO_PAUSES = Pauses((), datetime.max.replace(tzinfo=UTC))


def described(pause: Pause) -> str:
    """A pause in one sentence: what, since when, until when, who, why."""
    end = f" until {_minute(pause.until)}" if pause.until is not None else ""
    why = f": {pause.reason}" if pause.reason else ""
    return f"{pause.target} is paused since {_minute(pause.since)}{end} by {pause.paused_by}{why}"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
