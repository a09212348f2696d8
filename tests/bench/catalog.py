"""`catalog save` and `catalog check` of a million backups, each with an export record.

STAFFELN_TEST_BACKUPS makes it smaller.
"""

import os
import tempfile
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.bench.measure import run, say, title
from tests.bench.status import BACKUPS, STAFFELN, VOLUMES, seed

_RECORD_BYTES = 600
"""As Cinder's records are, of a volume with short names."""
_RECORDS = """
INSERT INTO export_records
    (backup_id, volume_id, project_id, backup_service, backup_url, fetched_at)
SELECT backup_id, volume_id, project_id, 'cinder.backup.drivers.posix.PosixBackupDriver',
    hex(randomblob(:bytes / 2)), started_at
FROM backups WHERE backup_id IS NOT NULL
"""


def main() -> None:
    number = int(os.environ.get("STAFFELN_TEST_BACKUPS", BACKUPS))
    with tempfile.TemporaryDirectory() as folder:
        url, file = f"sqlite:///{folder}/catalog.db", str(Path(folder) / "catalog.gz")
        environ = {"STAFFELN_DATABASE_URL": url, "OS_CLOUD": "none"}
        environ["STAFFELN_LOCK_URL"] = f"file://{folder}/locks"
        run([*STAFFELN, "db", "upgrade"], environ)
        seed(url, number, max(1, VOLUMES * number // BACKUPS))
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text(_RECORDS), {"bytes": _RECORD_BYTES})
        engine.dispose()
        title(f"catalog of {number:,} backups (200 MiB)")
        for words in (("save", file), ("check", file)):
            figures = run([*STAFFELN, "catalog", *words], environ)
            memory = f"{figures.memory:.0f} MiB"
            say(f"catalog {words[0]}", f"{figures.wall:.1f} s", f"CPU {figures.cpu:.1f} s", memory)
        say("file", f"{Path(file).stat().st_size / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
