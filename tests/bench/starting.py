"""Starting backups with 16 workers beside a client that sends one request after another."""

import json
import sys

from tests.bench.measure import Cloud, cloud, run, say, title

SERVERS = 320
LATENCY = 0.1


def main() -> None:
    for projects in (1, 10):
        with cloud(SERVERS, 1, latency=LATENCY, projects=projects) as sim:
            _compare(sim, projects)


def _compare(sim: Cloud, projects: int) -> None:
    title(
        f"starting {SERVERS} backups of {projects} project(s), 100 ms latency (spec 8: 12 times)"
    )
    environ = {
        **sim.fresh("starting"),
        "STAFFELN_CLOUD_WORKERS": "16",
        "STAFFELN_BACKUP_MAX_IN_FLIGHT": "1000",
        "STAFFELN_BACKUP_MAX_IN_FLIGHT_PER_PROJECT": "1000",
    }
    staffeln = [sys.executable, "-m", "staffeln_cli"]
    run([*staffeln, "collect"], environ)
    outcome = json.loads(run([*staffeln, "backup", "-f", "json"], environ).output)
    started, took = outcome["counts"]["started"], outcome["duration_s"]
    sequential = started * LATENCY
    say("started, seconds, requests", str(started), f"{took:.2f} s", str(outcome["api_requests"]))
    say("times as fast as one after another", f"{sequential / took:.1f}")
