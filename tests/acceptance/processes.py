"""The command line as a process of its own, to be signalled, killed, and listened to."""

import os
import subprocess
import sys
import threading

from staffeln_cli.demo.simcloud import Request, SimCloud
from tests.conftest import Staffeln


def started(staffeln: Staffeln, *arguments: str) -> "subprocess.Popen[str]":
    """A process with this configuration; it goes by the machine's clock."""
    return subprocess.Popen(
        [sys.executable, "-m", "staffeln_cli", *arguments],
        env={**os.environ, **staffeln.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(staffeln: Staffeln, *arguments: str) -> "subprocess.CompletedProcess[str]":
    process = started(staffeln, *arguments)
    stdout, stderr = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def reached(cloud: SimCloud, method: str, path: str, number: int) -> threading.Event:
    """Set when so many requests of this kind have come."""
    event, seen = threading.Event(), []

    def count(request: Request) -> None:
        if request.method == method and path in request.path:
            seen.append(request)
            if len(seen) >= number:
                event.set()

    cloud.on_request = count
    return event
