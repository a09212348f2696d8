"""SQLite's locks belong to the process: to open and close its file besides drops them all."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from staffeln_cli.model import VolumeId
from staffeln_cli.store import Store
from tests.build import a_record

ROOT = Path(__file__).parents[3]
PLAN = """
import sys
from contextlib import closing
from staffeln_cli.store import Store
from tests.build import a_record
with closing(Store(sys.argv[1])) as store:
    store.lifecycle.plan([a_record(sys.argv[2])])
"""


def plan_elsewhere(url: str, volume: str) -> None:
    """Another process comes, plans a backup, and ends."""
    subprocess.run([sys.executable, "-c", PLAN, url, volume], cwd=ROOT, check=True)


def test_what_is_committed_after_another_process_has_ended_is_not_lost(sqlite_url: str) -> None:
    log = Path(f"{sqlite_url.removeprefix('sqlite:///')}-wal")
    with closing(Store(sqlite_url)) as store:
        with store.database.read() as first, store.database.read() as second:
            for connection in (first, second):
                connection.exec_driver_sql("SELECT count(*) FROM backups").all()
        plan_elsewhere(sqlite_url, "theirs")
        assert log.exists()
        store.lifecycle.plan([a_record("ours")])
        plan_elsewhere(sqlite_url, "theirs too")
        store.lifecycle.plan([a_record("ours too")])
        volumes = [VolumeId(one) for one in ("theirs", "ours", "theirs too", "ours too")]
        assert len(store.records.of_volumes(volumes)) == 4
    with closing(Store(sqlite_url)) as store:
        assert len(store.records.of_volumes(volumes)) == 4
