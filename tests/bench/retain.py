"""`retain --dry-run` over a million backups: time and peak memory, and where the time goes.

STAFFELN_TEST_BACKUPS makes it smaller; with STAFFELN_TEST_POSTGRESQL=1 the database is PostgreSQL.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.bare import PATIENCE
from tests.bench.measure import Cloud, cloud, run, say, title
from tests.services.postgres import a_postgres

SERVERS, VOLUMES, BACKUPS = 10_000, 10, 10
STAFFELN = [sys.executable, "-m", "staffeln_cli"]
UNRESTORABLE = [sys.executable, "-m", "tests.bench.bare"]
STEPS = [sys.executable, "-m", "tests.bench.retain_steps"]


def main() -> None:
    number = int(os.environ.get("STAFFELN_TEST_BACKUPS", SERVERS * VOLUMES * BACKUPS))
    servers = max(1, number // (VOLUMES * BACKUPS))
    with cloud(servers, VOLUMES, latency=0.0, backups=BACKUPS) as sim, _database(sim) as database:
        _measure(sim, database, servers * VOLUMES * BACKUPS)


@contextmanager
def _database(sim: Cloud) -> Iterator[dict[str, str]]:
    """The environment with an empty database; five days and no brake, so that a third goes."""
    policy = {"STAFFELN_RETENTION_BRAKE": "1", "STAFFELN_RETENTION_TIME": "5d"}
    policy["STAFFELN_CLOUD_REQUEST_TIMEOUT"] = f"{PATIENCE}s"  # as long as the bare client waits
    if os.environ.get("STAFFELN_TEST_POSTGRESQL") != "1":
        yield {**sim.fresh("retain"), **policy}
        return
    with a_postgres(durable=True) as server:
        environ = {**sim.environ, **policy, "STAFFELN_DATABASE_URL": server.url}
        environ["STAFFELN_LOCK_URL"] = f"file://{sim.folder}/locks"
        run([*STAFFELN, "db", "upgrade"], environ)
        yield environ


def _measure(sim: Cloud, environ: dict[str, str], number: int) -> None:
    kind = environ["STAFFELN_DATABASE_URL"].partition(":")[0]
    title(f"retain --dry-run, {number:,} backups, {kind} (spec 8: a million in 30 s and 500 MiB)")
    run([*STAFFELN, "collect"], environ)
    run([*STEPS, "seed"], environ)
    os.sync()  # a GiB was just written: the passes shall not wait for that
    # Its first page has the simulated cloud sort a million rows, which is nobody's time here.
    run([*UNRESTORABLE, "one page of backups"], sim.environ)
    listed = run([*UNRESTORABLE, "backups"], sim.environ, most=0)
    say("bare client: the same pages", f"{listed.wall:.1f} s", f"{listed.memory:.0f} MiB")
    for shape in ("json", "text"):
        one = run([*STAFFELN, "retain", "--dry-run", "-f", shape], environ, most=2000)
        figures = f"{one.wall:.1f} s", f"{one.memory:.0f} MiB", f"CPU {one.cpu:.1f} s"
        say(f"staffeln, {shape}", *figures, f"{one.wall / listed.wall:.2f} x bare")
        if shape == "json":
            counts = json.loads(one.output.partition(', "decisions"')[0] + "}")["counts"]
    say("kept and expired", f"{counts['kept']:,}", f"{counts['expired']:,}")
    steps = json.loads(run(STEPS, environ).output)
    say("CPU of each step, in one thread", *(f"{k} {v:.1f} s" for k, v in steps.items()))
