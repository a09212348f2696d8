"""`collect` beside a bare client that fetches and parses the same pages."""

import json
import sys

from tests.bench.measure import Cloud, Figures, cloud, middle, run, say, title

RUNS = 3


def main() -> None:
    for servers in (1_000, 10_000):
        with cloud(servers, 3) as sim:
            _compare(sim, servers)


def _compare(sim: Cloud, servers: int) -> None:
    title(f"collect, {servers:,} servers, {3 * servers:,} volumes, 50 ms latency (spec 8)")
    bare: list[Figures] = []
    first: list[Figures] = []
    later: list[Figures] = []
    for number in range(RUNS):
        bare.append(run([sys.executable, "-m", "tests.bench.bare"], sim.environ))
        environ = sim.fresh(f"run{number}")
        command = [sys.executable, "-m", "staffeln_cli", "collect", "-f", "json"]
        first.append(run(command, environ))
        later.append(run(command, environ))
    say("", "wall", "cpu", "memory", "requests")
    for name, runs in (("bare client", bare), ("first collect", first), ("later collect", later)):
        outcome = runs[-1].output.strip()
        requests = json.loads(outcome)["api_requests"] if outcome.startswith("{") else "-"
        say(
            name,
            f"{middle(runs, lambda one: one.wall):.2f} s",
            f"{middle(runs, lambda one: one.cpu):.2f} s",
            f"{middle(runs, lambda one: one.memory):.0f} MiB",
            str(requests),
        )
    for name, runs in (("first", first), ("later", later)):
        wall = middle(runs, lambda one: one.wall) / middle(bare, lambda one: one.wall)
        cpu = middle(runs, lambda one: one.cpu) / middle(bare, lambda one: one.cpu)
        say(f"{name} collect / bare (bound 0.6, 2.5)", f"{wall:.2f}", f"{cpu:.2f}")


if __name__ == "__main__":
    main()
