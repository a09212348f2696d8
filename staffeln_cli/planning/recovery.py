"""Recovery times: how long a restore is expected to take, by what restore drills have measured."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from staffeln_cli.model import Drill, ServerId
from staffeln_cli.model.durations import Duration


class RecoveryTime(NamedTuple):
    """How long a restore is expected to take, in seconds."""

    median: float
    shortest: float
    longest: float
    drills: int
    """From how many measured restores it is known."""

    @property
    def text(self) -> str:
        """The median, and how far the measured restores lie apart."""
        return f"{self.about} ({self.range})" if self.range else self.about

    @property
    def about(self) -> str:
        """The median."""
        return f"about {rounded(self.median)}"

    @property
    def range(self) -> str:
        """How far the measured restores lie apart; empty where they do not."""
        shortest, longest = rounded(self.shortest), rounded(self.longest)
        return "" if shortest == longest else f"{shortest} to {longest}"


class RecoveryRates:
    """Seconds per GiB of the restores that drills have measured, by the length of the chain."""

    _ENOUGH = 3

    def __init__(self, drills: Iterable[Drill]) -> None:
        self._rates: dict[int, list[float]] = {}
        for drill in drills:
            if drill.restoring_seconds is not None and drill.size_gib > 0:
                seconds = drill.restoring_seconds + (drill.waiting_seconds or 0.0)
                rate = seconds / drill.size_gib
                self._rates.setdefault(drill.chain_length, []).append(rate)

    def __bool__(self) -> bool:
        """Whether any restore was measured."""
        return bool(self._rates)

    def by_chain_length(self) -> dict[int, float]:
        """The median for each length that was measured."""
        return {length: _median(self._rates[length]) for length in sorted(self._rates)}

    def expected(self, size_gib: int, chain_length: int) -> RecoveryTime | None:
        """What a restore takes; None while no drill has measured any.

        Of a length with few measurements, the range is the widest of all lengths.
        """
        if not self._rates:
            return None
        nearest = min(self._rates, key=lambda length: (abs(length - chain_length), -length))
        rates = self._rates[nearest]
        everything = [rate for some in self._rates.values() for rate in some]
        spread = rates if len(rates) >= self._ENOUGH and nearest == chain_length else everything
        return RecoveryTime(
            _median(rates) * size_gib, min(spread) * size_gib, max(spread) * size_gib, len(rates)
        )


def together(times: Sequence[RecoveryTime]) -> RecoveryTime | None:
    """How long it takes to restore several volumes; None if nothing is known of any.

    Expected is one after another, since how many the backup service restores at once is not
    known; the shortest time is that of the longest restore, with all of them at once.
    """
    if not times:
        return None
    return RecoveryTime(
        median=sum(one.median for one in times),
        shortest=max(one.shortest for one in times),
        longest=sum(one.longest for one in times),
        drills=min(one.drills for one in times),
    )


class ServerRecovery(NamedTuple):
    """How long it takes to restore a server."""

    name: str
    volumes: int
    time: RecoveryTime


def by_server(
    volumes: Iterable[tuple[ServerId | None, str, RecoveryTime | None]],
) -> list[ServerRecovery]:
    """The servers of which the times of all volumes are known, by name."""
    groups: dict[ServerId, list[tuple[str, RecoveryTime | None]]] = {}
    for server_id, name, time in volumes:
        if server_id is not None:
            groups.setdefault(server_id, []).append((name, time))
    found: list[ServerRecovery] = []
    for group in groups.values():
        times = [time for _, time in group if time is not None]
        total = together(times) if len(times) == len(group) else None
        if total is not None:
            found.append(ServerRecovery(group[0][0], len(group), total))
    return sorted(found)


def rounded(seconds: float) -> Duration:
    """To the second, and from ten minutes on to the minute."""
    unit = 1 if seconds < 600 else 60
    return Duration(exact=timedelta(seconds=max(1, round(seconds / unit)) * unit))


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
