"""Run the benchmarks, or those named: `python -m tests.bench collect`."""

import importlib
import os
import sys

from tests.bench.measure import say

ALL = ("start_up", "collect", "memory", "starting", "retain", "policy", "status", "catalog")


def main() -> None:
    for name in sys.argv[1:] or ALL:
        importlib.import_module(f"tests.bench.{name}").main()
        say("load of this machine, of 1 and 15 minutes", *_load())


def _load() -> tuple[str, str]:
    """What tells a figure of an idle machine from one of a busy machine."""
    last_minute, _, quarter = os.getloadavg()
    return f"{last_minute:.1f}", f"{quarter:.1f}"


if __name__ == "__main__":
    main()
