"""Run the benchmarks, or those named: `python -m tests.bench collect`."""

import importlib
import sys

ALL = ("start_up", "collect", "memory", "starting", "retain", "policy", "status", "catalog")


def main() -> None:
    for name in sys.argv[1:] or ALL:
        importlib.import_module(f"tests.bench.{name}").main()


if __name__ == "__main__":
    main()
