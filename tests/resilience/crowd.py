"""Many processes at once on one database, some of which are killed."""

import math
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.resilience.hosts import KILLED, Host, Running

COMMANDS = ("collect", "backup", "backup", "check", "check", "retain", "report")
EXPECTED = frozenset({0, 3, 69})


@dataclass
class Crowd:
    """Eight places at which one command after another is run; some never end by themselves."""

    host: Host
    seed: int = 0
    places: int = 8
    commands: Sequence[str] = COMMANDS
    latest_death: float = 0.8
    """Seconds after which the doomed are dead."""
    longest_pause: float = 0
    """Seconds that a place may be empty, so that others on this machine get their turn."""
    ends: Counter[int] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)

    def rage(self, seconds: float, runs: int, enough: Callable[[], bool] = lambda: True) -> None:
        """Run commands for so long, and so many, and until it is enough, but no longer than thrice
        the time; half of them are killed on the way.
        """
        chance = random.Random(self.seed)
        until = time.monotonic() + seconds
        running: list[tuple[Running, float]] = []
        free_at = [0.0] * self.places
        latest = until + 2 * seconds
        while (moment := time.monotonic()) < until or not (
            self.ends.total() >= runs and (moment > latest or enough())
        ):
            for place in [one for one in free_at if one <= moment]:
                free_at.remove(place)
                is_doomed = chance.random() < 0.5
                dies_at = chance.uniform(0.05, self.latest_death) if is_doomed else math.inf
                running.append((self.host.start(chance.choice(self.commands)), moment + dies_at))
            running = [one for one in running if self._goes_on(*one)]
            for _ in range(self.places - len(running) - len(free_at)):
                free_at.append(moment + chance.uniform(0, self.longest_pause))
            time.sleep(0.01)
        for run, _ in running:
            run.wait()
            self._note(run)

    def _goes_on(self, run: Running, dies_at: float) -> bool:
        if run.poll() is not None:
            self._note(run)
            return False
        if time.monotonic() >= dies_at:
            run.signal(signal.SIGKILL)
            run.wait()
            self._note(run)
            return False
        return True

    def _note(self, run: Running) -> None:
        code = run.wait()
        self.ends[code] += 1
        if code not in EXPECTED | {KILLED}:
            self.trouble.append(f"{code}: {run.stderr}")
