"""Many processes at once on one database, some of which are killed."""

import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.resilience.hosts import KILLED, Host, Running

COMMANDS = ("collect", "backup", "backup", "check", "check", "retain")
EXPECTED = frozenset({0, 3, 69})


@dataclass
class Crowd:
    """Eight places at which one command after another is run; some never end by themselves."""

    host: Host
    seed: int = 0
    places: int = 8
    commands: Sequence[str] = COMMANDS
    ends: Counter[int] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)

    def rage(self, seconds: float, runs: int) -> None:
        """Run commands for so long, and so many; half of them are killed on the way."""
        chance = random.Random(self.seed)
        until = time.monotonic() + seconds
        running: list[tuple[Running, float]] = []
        while time.monotonic() < until or self.ends.total() < runs:
            while len(running) < self.places:
                doomed = chance.random() < 0.5
                dies_at = time.monotonic() + (chance.uniform(0.05, 1.5) if doomed else 1e9)
                running.append((self.host.start(chance.choice(self.commands)), dies_at))
            running = [one for one in running if self._goes_on(*one)]
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
