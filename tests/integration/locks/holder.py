"""One run that takes a lock: `holder.py SERVICE NAME OWNER SECONDS`.

Says `held`, or which error. Then answers each line on stdin: `ask` with what `still_held` says;
anything else, the end included, makes it release the lock and say `released`.
"""

import signal
import sys
from datetime import timedelta

from staffeln_cli.errors import StaffelnError
from staffeln_cli.locks import held
from tests.integration.locks.services import service_of


def say(text: object) -> None:
    print(text, flush=True)  # noqa: T201


def main(service: str, name: str, owner: str, seconds: str) -> None:
    with held(
        service_of(service), name, owner=owner, lease=timedelta(seconds=float(seconds))
    ) as lock:
        say("held")
        while sys.stdin.readline().strip() == "ask":
            say(lock.still_held())
    say("released")


if __name__ == "__main__":
    signal.alarm(60)  # Whatever the test forgets.
    try:
        main(*sys.argv[1:])
    except StaffelnError as error:
        say(type(error).__name__)
