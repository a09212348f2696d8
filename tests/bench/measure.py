"""Whole processes measured from outside: wall and CPU time, peak memory, by the kernel."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Figures:
    """One process: seconds of wall and CPU time, MiB of peak memory, and what it printed."""

    wall: float
    cpu: float
    memory: float
    output: str


def run(command: Sequence[str], environ: dict[str, str], *, most: int = -1) -> Figures:
    """Run a command to its end; an exit code other than 0 ends the benchmark.

    Of its output `most` characters are kept: what this process holds, the kernel counts as peak
    memory of the next one, too.
    """
    with tempfile.TemporaryFile("w+") as output:
        began = time.monotonic()
        process = subprocess.Popen(command, env={**os.environ, **environ}, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read(most)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}: {text}")
    return Figures(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def middle(runs: Sequence[Figures], figure: Callable[[Figures], float]) -> float:
    """The median of one figure."""
    return median(figure(one) for one in runs)


def say(what: str, *figures: str) -> None:
    """One line of the result."""
    sys.stdout.write(f"  {what:<46}{'  '.join(f'{one:>12}' for one in figures)}\n")
    sys.stdout.flush()


def title(text: str) -> None:
    """The head of a section."""
    sys.stdout.write(f"\n{text}\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Cloud:
    """A generated cloud in a process of its own, and the environment that leads to it."""

    environ: dict[str, str]
    folder: Path

    def fresh(self, name: str) -> dict[str, str]:
        """The environment with a database of its own, migrated."""
        database = self.folder / f"{name}.db"
        for old in self.folder.glob(f"{name}.db*"):
            old.unlink()
        environ = {**self.environ, "STAFFELN_DATABASE_URL": f"sqlite:///{database}"}
        run([sys.executable, "-m", "staffeln_cli", "db", "upgrade"], environ)
        return environ


@contextmanager
def cloud(
    servers: int, volumes: int, *, latency: float = 0.05, projects: int = 10, backups: int = 0
) -> Iterator[Cloud]:
    """Serve a cloud of so many servers with so many volumes each."""
    command = [sys.executable, "-m", "staffeln_cli.demo.simcloud", "--servers", str(servers)]
    command += ["--volumes-per-server", str(volumes), "--latency", str(latency), "--port", "0"]
    command += ["--projects", str(projects), "--backups-per-volume", str(backups)]
    command += ["--incrementals", "6"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clouds = folder / "clouds.yaml"
        process = subprocess.Popen(command, stdout=clouds.open("w"))
        try:
            while "sim:" not in clouds.read_text():
                if process.poll() is not None:
                    sys.exit("the simulated cloud did not start")
                time.sleep(0.1)
            time.sleep(0.2)
            environ = {"OS_CLIENT_CONFIG_FILE": str(clouds), "OS_CLOUD": "sim"}
            yield Cloud(environ, folder)
        finally:
            process.terminate()
            process.wait()
