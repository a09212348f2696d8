"""`retain --dry-run` over a million backups: time and peak memory."""

import json
import os
import sqlite3
import sys
from pathlib import Path

from tests.bench.measure import Cloud, cloud, run, say, title

SERVERS, VOLUMES, BACKUPS = 10_000, 10, 10


def main() -> None:
    number = int(os.environ.get("STAFFELN_TEST_BACKUPS", SERVERS * VOLUMES * BACKUPS))
    servers = max(1, number // (VOLUMES * BACKUPS))
    with cloud(servers, VOLUMES, latency=0.0, backups=BACKUPS) as sim:
        _measure(sim, servers * VOLUMES * BACKUPS)


def _measure(sim: Cloud, number: int) -> None:
    title(f"retain --dry-run, {number:,} backups (spec 8: a million in 30 s and 500 MiB)")
    environ = {**sim.fresh("retain"), "STAFFELN_RETENTION_BRAKE": "1"}
    staffeln = [sys.executable, "-m", "staffeln_cli"]
    run([*staffeln, "collect"], environ)
    listed = run([sys.executable, "-m", "tests.bench.bare", "backups"], sim.environ)
    _own(Path(environ["STAFFELN_DATABASE_URL"].removeprefix("sqlite:///")), listed.output)
    figures = run([*staffeln, "retain", "--dry-run", "-f", "json"], environ)
    counts = json.loads(figures.output)["counts"]
    say("bare client: the same pages", f"{listed.wall:.1f} s", f"{listed.memory:.0f} MiB")
    say("staffeln", f"{figures.wall:.1f} s", f"{figures.memory:.0f} MiB", f"CPU {figures.cpu:.1f}")
    say("kept and expired", f"{counts['kept']:,}", f"{counts['expired']:,}")


def _own(database: Path, listed: str) -> None:
    """Let the database know all backups as Staffeln's own."""
    rows = [json.loads(line) for line in listed.splitlines() if line.startswith("[")]
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM backups")
        connection.executemany(
            "INSERT INTO backups (id, name, backup_id, volume_id, project_id, kind, started_at,"
            " finished_at, planned_at, volume_name, server_name, state, origin, attempt, size_gib)"
            " VALUES (?1, ?1, ?1, ?2, ?3, ?4, ?5, ?5, ?5, '', '', 'available', 'scheduled', 1, 1)",
            rows,
        )
