"""One of many that want the same lock: `racer.py SERVICE NAME SECONDS WITNESS`.

Says `ready`, waits for a line, then takes and releases the lock over and over. Whoever holds it
creates the witness file, which must not exist. Says how often it held the lock.
"""

import os
import random
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

from staffeln_cli.errors import LockHeld
from staffeln_cli.locks import held
from staffeln_cli.store import Leases
from tests.integration.locks.services import service_of


def say(text: object) -> None:
    print(text, flush=True)  # noqa: T201


def hold_once(service: str | Leases, name: str, witness: Path) -> int:
    try:
        # A lease so long that a busy machine cannot make it run out.
        with held(service, name, owner=str(os.getpid()), lease=timedelta(seconds=60)):
            os.close(os.open(witness, os.O_CREAT | os.O_EXCL))
            time.sleep(0.01)
            witness.unlink()
    except LockHeld:
        return 0
    return 1


def main(url: str, name: str, seconds: str, witness: str) -> None:
    service = service_of(url)
    hold_once(service, f"{name}-warm-up-{os.getpid()}", Path(f"{witness}-{os.getpid()}"))
    say("ready")
    sys.stdin.readline()
    until = time.monotonic() + float(seconds)
    times = 0
    while time.monotonic() < until:
        times += hold_once(service, name, Path(witness))
        time.sleep(random.uniform(0, 0.02))
    say(times)


if __name__ == "__main__":
    signal.alarm(60)  # Whatever the test forgets.
    main(*sys.argv[1:])
