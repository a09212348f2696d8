"""Hosts that run Staffeln in processes of their own: to be watched, stopped and killed."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from tests.resilience import process
from tests.resilience.process import Conditions, Death

_numbers = count(1)
_servers = multiprocessing.get_context("forkserver")
_servers.set_forkserver_preload(list(process.PRELOAD))
PATIENCE = 60
KILLED = -signal.SIGKILL


@dataclass
class Running:
    """A process of Staffeln."""

    pid: int
    output: Path
    _wait: Callable[[float], int | None] = field(repr=False)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Until it ends; its exit code, negative after a signal."""
        code = self._wait(timeout)
        if code is None:
            self.signal(signal.SIGKILL)
            self._wait(PATIENCE)
            raise TimeoutError(f"process {self.pid} does not end: {self.stderr}")
        return code

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._wait(0)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it: not one more instruction of its own is carried out."""
        self.signal(signal.SIGKILL)

    @property
    def stdout(self) -> str:
        """What it has answered."""
        return self.output.with_suffix(".out").read_text()

    @property
    def stderr(self) -> str:
        """What it has complained of."""
        return self.output.with_suffix(".err").read_text()

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Host:
    """One host: its configuration and what is wrong with it."""

    environ: Mapping[str, str]
    folder: Path
    conditions: Conditions = field(default_factory=Conditions)

    def under(self, **conditions: Any) -> "Host":
        """The same host under other conditions."""
        return replace(self, conditions=replace(self.conditions, **conditions))

    def set(self, **settings: str) -> "Host":
        """The same host, configured differently: `set(BACKUP_MIN_INTERVAL="0s")`."""
        more = {f"STAFFELN_{key}": value for key, value in settings.items()}
        return replace(self, environ={**self.environ, **more})

    def start(self, *arguments: str) -> Running:
        """Start a command, by forking a process that has everything loaded."""
        output = self.folder / f"run{next(_numbers)}"
        child = _servers.Process(
            target=process.main, args=(arguments, dict(self.environ), output, self.conditions)
        )
        child.start()

        def wait(timeout: float) -> int | None:
            child.join(timeout)
            return child.exitcode

        return Running(child.pid or 0, output, wait)

    def start_afresh(self, *arguments: str) -> Running:
        """Start a command as cron does; conditions are not understood."""
        output = self.folder / f"run{next(_numbers)}"
        with (
            output.with_suffix(".out").open("wb") as stdout,
            output.with_suffix(".err").open("wb") as stderr,
        ):
            child = subprocess.Popen(
                [sys.executable, "-m", "staffeln_cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=dict(self.environ),
            )

        def wait(timeout: float) -> int | None:
            try:
                return child.wait(timeout)
            except subprocess.TimeoutExpired:
                return None

        return Running(child.pid, output, wait)

    def run(self, *arguments: str) -> Running:
        """Run a command to its end, whatever that is."""
        running = self.start(*arguments)
        running.wait()
        return running

    def run_to_death(self, command: str, commit: int, *, after: bool) -> bool:
        """Run a command that dies at a commit; False if it ended before that."""
        death = Death(commit, after)
        return self.under(death=death).start(command).wait() == KILLED
