"""Peak memory of `collect` at 10,000 and at 100,000 volumes."""

import sys

from tests.bench.measure import cloud, run, say, title

VOLUMES = 3
COLLECT = [sys.executable, "-m", "staffeln_cli", "collect"]


def main() -> None:
    title("collect, peak memory (spec 8: 160 MiB at 100,000 volumes, 1.4 times that at 10,000)")
    peaks: dict[str, list[float]] = {"first collect": [], "later collect": []}
    for volumes in (10_000, 100_000):
        with cloud(volumes // VOLUMES, VOLUMES, latency=0.0) as sim:
            environ = sim.fresh("memory")
            for seen in peaks.values():
                seen.append(run(COLLECT, environ, most=0).memory)
    for name, (few, many) in peaks.items():
        say(name, f"{few:.0f} MiB", f"{many:.0f} MiB", f"{many / few:.2f} times")


if __name__ == "__main__":
    main()
