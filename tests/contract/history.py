"""A short history of a small cloud, in which every command has something to say in JSON.

There are successes, failures, a skipped volume, a pinned backup, a chain, and a backup that the
database does not know.
"""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from staffeln_cli.demo.simcloud import SimCloud
from tests.build import MARKED
from tests.conftest import Staffeln

STAFFELN_2 = (
    "CREATE TABLE backup_data (id INTEGER PRIMARY KEY, backup_id TEXT, project_id TEXT,"
    " volume_id TEXT, instance_id TEXT, backup_completed INTEGER, incremental BOOLEAN)",
    "CREATE TABLE queue_data (id INTEGER PRIMARY KEY, backup_id TEXT, project_id TEXT,"
    " volume_id TEXT, instance_id TEXT, backup_status INTEGER, volume_name TEXT,"
    " instance_name TEXT, incremental BOOLEAN, reason TEXT)",
)
"""The tables of vexxhost/staffeln:staffeln/db/sqlalchemy/models.py."""


@dataclass
class Heard:
    """What the commands printed in JSON, and the exit codes with which they ended."""

    staffeln: Staffeln
    documents: dict[str, list[Any]] = field(default_factory=dict)
    exit_codes: dict[str, set[int]] = field(default_factory=dict)

    def __call__(self, words: str, *values: str, when: str = "") -> Any:
        """Run a command with options, whose values come last; keep what it prints."""
        name = f"{words} ({when})" if when else words
        answer = self.staffeln(*words.split(), *values, "-f", "json")
        document = json.loads(answer.stdout)
        self.documents.setdefault(name, []).append(document)
        self.exit_codes.setdefault(name, set()).add(answer.exit_code)
        return document


@dataclass(frozen=True)
class Volumes:
    """The ids of the volumes by what is special about them."""

    usual: str
    with_bad_retention: str
    in_error: str
    skipped: str
    unprotected: str


def told(cloud: SimCloud, staffeln: Staffeln, folder: Path) -> Heard:
    """Let the history happen, and return what was printed meanwhile."""
    heard = Heard(staffeln)
    staffeln.set(RETENTION_KEEP_LAST="0", RETENTION_TIME="3d", BACKUP_FULL_BACKUP_DEPTH="1")
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    heard("config check")
    volumes = _populate(cloud)
    _first_day(cloud, heard, volumes)
    _nights(cloud, heard)
    _looks(heard, volumes)
    _by_hand(cloud, heard, volumes)
    _removals(cloud, heard, volumes)
    _foreign_backups(cloud, heard, volumes, folder)
    _disappearances(cloud, heard, volumes)
    _catalogs(heard, folder)
    _outages(cloud, heard)
    return heard


def _populate(cloud: SimCloud) -> Volumes:
    """One project is as it should be, one gives the operator no role, one is not protected."""
    cloud.people.add_project("shop")
    cloud.people.add_project("closed", operated=False)
    cloud.people.add_project("lab")
    web = cloud.things.add_server("web", project="shop", metadata=MARKED)
    typo = {**MARKED, "__staffeln_retention": "30days"}
    database = cloud.things.add_server("database", project="shop", metadata=typo)
    vault = cloud.things.add_server("vault", project="closed", metadata=MARKED)
    unmarked = cloud.things.add_server("test", project="lab")
    cloud.things.add_volume("secrets", server=vault)
    mark = {"skip-volume-backup": "true"}
    return Volumes(
        usual=cloud.things.add_volume("data", server=web),
        with_bad_retention=cloud.things.add_volume("tables", server=database, size_gib=2),
        in_error=cloud.things.add_volume("broken", server=database, status="error"),
        skipped=cloud.things.add_volume("scratch", server=web, metadata=mark),
        unprotected=cloud.things.add_volume("unprotected", server=unmarked),
    )


def _first_day(cloud: SimCloud, heard: Heard, volumes: Volumes) -> None:
    """One backup is refused, one ends in error, one succeeds."""
    heard("collect --dry-run")
    heard("collect")
    heard("backup --dry-run")
    heard("explain", volumes.usual)
    heard("status backups")
    heard("backup")
    heard("status")
    heard("check --dry-run")
    failing = cloud.backups(volume_id=volumes.with_bad_retention)
    cloud.steering.fail_backups("disk full", [one["id"] for one in failing])
    cloud.steering.finish_backups()
    heard("check")
    heard("status")
    cloud.advance(days=1)


def _nights(cloud: SimCloud, heard: Heard) -> None:
    """Each volume gets a full backup and an incremental one, twice."""
    for _ in range(4):
        heard("run --dry-run")
        heard("run")
        cloud.steering.finish_backups()
        heard("check")
        cloud.advance(days=1)
    heard("report --dry-run")
    heard("report")


def _looks(heard: Heard, volumes: Volumes) -> None:
    """A backup is pinned before."""
    backups = heard("status backups")
    pinned = next(one["name"] for one in backups if one["volume_id"] == volumes.usual)
    assert heard.staffeln("keep", pinned, "--note", "before the upgrade").exit_code == 0
    for view in ("volumes", "backups", "projects", "runs", "calendar", "usage"):
        heard(f"status {view}")
    heard("report --evidence")
    heard("status")
    for volume in (volumes.usual, volumes.with_bad_retention, volumes.in_error, volumes.skipped):
        heard("explain", volume)
        heard("explain --offline", volume)
    heard("doctor")


def _by_hand(cloud: SimCloud, heard: Heard, volumes: Volumes) -> None:
    """A restore that works and one that cannot, and the same for backups of chosen volumes."""
    heard("restore --dry-run --volume", volumes.usual)
    heard("restore --volume", volumes.usual)
    heard("restore --at 2001-01-01 --volume", volumes.usual)
    cloud.steering.finish_restores()
    heard("backup --full --dry-run --volume", volumes.usual)
    heard("backup --full --volume", volumes.usual)
    heard("backup --incremental --volume", volumes.unprotected)
    cloud.steering.finish_backups()
    heard("check")
    _prove(cloud, heard, volumes)


def _prove(cloud: SimCloud, heard: Heard, volumes: Volumes) -> None:
    """A restore drill that goes well, and one of a backup whose data is damaged."""
    cloud.settings.restore_pace = timedelta(0)
    heard("verify --dry-run")
    heard("verify --volume", volumes.usual)
    newest = cloud.backups(volume_id=volumes.with_bad_retention)[-1]
    cloud.things.set_backup(newest["id"], spoiled=True)
    heard("verify --volume", volumes.with_bad_retention)
    heard("status")
    heard("status volumes")
    cloud.things.set_backup(newest["id"], spoiled=False)


def _removals(cloud: SimCloud, heard: Heard, volumes: Volumes) -> None:
    """One backup cannot be deleted, one is pinned, the others go."""
    cloud.advance(days=30)
    heard("explain", volumes.usual)
    heard("retain --dry-run")
    newest = cloud.backups(volume_id=volumes.with_bad_retention)[-1]
    cloud.faults.fail_next(
        "DELETE", newest["id"], status=400, body={"badRequest": {"message": "no"}}
    )
    heard("retain")
    cloud.steering.finish_deletions()
    heard("check")
    heard("status backups")
    heard("status")


def _foreign_backups(cloud: SimCloud, heard: Heard, volumes: Volumes, folder: Path) -> None:
    """Backups that another database knows: a lost one of Staffeln, one of Staffeln 2."""
    unknown = {"staffeln:record": "0" * 32}
    cloud.things.add_backup(volumes.usual, name="of-a-lost-database", metadata=unknown)
    heard("doctor --orphans")
    heard("doctor --orphans --adopt")
    url = f"sqlite:///{folder / 'staffeln-2.db'}"
    _write_staffeln_2(
        url, cloud.things.add_backup(volumes.usual, name="of-staffeln-2"), "not-in-cinder"
    )
    heard("db rebind")
    heard("db import-staffeln --dry-run", url)
    heard("db import-staffeln", url)
    heard("db import-staffeln", url)


def _write_staffeln_2(url: str, *backup_ids: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in STAFFELN_2:
            connection.execute(text(statement))
        for backup_id in backup_ids:
            insert = "INSERT INTO backup_data (backup_id, backup_completed) VALUES (:id, 1)"
            connection.execute(text(insert), {"id": backup_id})
    engine.dispose()


def _disappearances(cloud: SimCloud, heard: Heard, volumes: Volumes) -> None:
    """A volume, a backup and a project vanish from the cloud."""
    for one in cloud.backups(name="of-staffeln-2"):
        cloud.things.remove_backup(one["id"])
    cloud.things.remove_volume(volumes.usual)
    cloud.things.remove_volume(volumes.in_error)
    cloud.people.remove_project("closed")
    for _ in range(2):
        cloud.advance(days=1)
        heard("collect")
        heard("check")
    heard("explain", volumes.usual)
    heard("status volumes")
    heard("status volumes --gone")
    heard("status projects")
    heard("status backups")


def _catalogs(heard: Heard, folder: Path) -> None:
    """One is saved, checked and imported; one is made of a backup store that is empty."""
    file, rebuilt, store = folder / "saved.jsonl.gz", folder / "rebuilt.jsonl.gz", folder / "store"
    store.mkdir()
    heard("catalog save", str(file))
    heard("catalog check", str(file))
    heard("catalog import --dry-run", str(file))
    heard("catalog import", str(file))
    heard("catalog rebuild --store", str(store), str(rebuilt))
    file.write_bytes(file.read_bytes()[:-20])
    heard("catalog check", str(file))


def _outages(cloud: SimCloud, heard: Heard) -> None:
    """The cloud does not answer, then the mail server; then the configuration is wrong."""
    with cloud.down():
        for command in ("collect", "check", "run", "doctor"):
            heard(command, when="the cloud is down")
    heard("status runs")
    heard.staffeln.set(MAIL_SENDER="backup@example.org", MAIL_HOST="127.0.0.1", MAIL_PORT="1")
    heard("report", when="the mail server is down")
    heard.staffeln.set(CLOUD_WORKERS="none")
    for command in ("collect", "run", "doctor"):
        heard(command, when="the configuration is wrong")
