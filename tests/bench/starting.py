"""Starting backups with 16 workers beside a client that sends one request after another.

Whole processes are measured, start-up included, and rates compared.
"""

import json
import sys

from tests.bench.measure import Cloud, Figures, cloud, run, say, title

SERVERS = 1280
SEQUENTIAL = 160
LATENCY = 0.1


def main() -> None:
    with cloud(SEQUENTIAL, 1, latency=LATENCY, projects=1) as sim:
        sequential = run([sys.executable, "-m", "tests.bench.bare", "create"], sim.environ)
    for projects in (1, 10):
        with cloud(SERVERS, 1, latency=LATENCY, projects=projects) as sim:
            _compare(sim, projects, sequential)


def _compare(sim: Cloud, projects: int, sequential: Figures) -> None:
    title(
        f"starting {SERVERS} backups of {projects} project(s), 100 ms latency (spec 8: 12 times)"
    )
    environ = {
        **sim.fresh("starting"),
        "STAFFELN_CLOUD_WORKERS": "16",
        "STAFFELN_BACKUP_MAX_IN_FLIGHT": "2000",
        "STAFFELN_BACKUP_MAX_IN_FLIGHT_PER_PROJECT": "2000",
    }
    staffeln = [sys.executable, "-m", "staffeln_cli"]
    run([*staffeln, "collect"], environ)
    figures = run([*staffeln, "backup", "-f", "json"], environ)
    outcome = json.loads(figures.output)
    if outcome["counts"]["started"] != SERVERS:
        sys.exit(f"not all were started: {outcome}")
    slow, fast = SEQUENTIAL / sequential.wall, SERVERS / figures.wall
    say("bare client, one request after another", f"{sequential.wall:.2f} s", f"{slow:.1f} /s")
    say("staffeln: wall, rate, CPU, requests", f"{figures.wall:.2f} s", f"{fast:.1f} /s",
        f"{figures.cpu:.2f} s", str(outcome["api_requests"]))  # fmt: skip
    say("times as fast", f"{fast / slow:.1f}")
