"""catalog rebuild: a catalog from what Cinder's posix driver leaves in the backup store."""

import json
from pathlib import Path
from typing import Any

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, reasons, records, rounds
from tests.conftest import Staffeln

KEPT = (
    *("id", "name", "volume_id", "project_id", "created_at", "size", "parent_id"),
    *("num_dependent_backups", "data_timestamp"),
)


def written(cloud: SimCloud, store: Path) -> list[Path]:
    """The files of each backup as cinder:cinder/backup/chunkeddriver.py writes them."""
    found = []
    for backup in cloud.backups():
        folder = store / backup["id"][:2] / backup["id"][2:4] / backup["id"]
        folder.mkdir(parents=True)
        prefix = folder / f"volume_{backup['volume_id']}_20261127_backup_{backup['id']}"
        volume = {
            "project_id": backup["project_id"],
            "user_id": backup["user_id"],
            "size": backup["size"],
            "availability_zone": "nova",
            "encryption_key_id": None,
            "status": "backing-up",
        }
        metadata = {
            "version": "1.0.0",
            "backup_id": backup["id"],
            "volume_id": backup["volume_id"],
            "backup_name": backup["name"],
            "backup_description": None,
            "created_at": f"{backup['created_at']:%Y-%m-%d %H:%M:%S}+00:00",
            "objects": [{f"{prefix.name}-00001": {"offset": 0, "length": 1, "md5": ""}}],
            "parent_id": backup["parent_id"],
            "volume_meta": json.dumps({"version": 2, "volume-base-metadata": volume}),
        }
        Path(f"{prefix}_metadata").write_text(json.dumps(metadata))
        Path(f"{prefix}_sha256file").write_text("{}")
        found.append(prefix)
    return found


def kept(cloud: SimCloud) -> list[dict[str, Any]]:
    return sorted(({key: row[key] for key in KEPT} for row in cloud.backups()), key=repr)


def test_what_the_store_has_is_imported_with_its_chains(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    staffeln.set(CATALOG_RECORDS="false")
    a_volume(cloud)
    rounds(staffeln, cloud, 3)
    prefixes, before, ours = written(cloud, tmp_path / "store"), kept(cloud), records(staffeln)
    cloud.things.lose_backups()
    cloud.people.grant("backup", "shop", "admin")
    file = str(tmp_path / "found.jsonl.gz")
    rebuild = staffeln(
        "catalog", "rebuild", "--store", str(tmp_path / "store"), file, "-f", "json"
    )
    assert (rebuild.exit_code, rebuild.counts) == (0, {"backups": 3, "failed": 0})
    assert staffeln("catalog", "check", file, "-f", "json").counts["problems"] == 0
    done = staffeln("catalog", "import", file, "-f", "json")
    assert (done.exit_code, done.counts["imported"]) == (0, 3)
    assert kept(cloud) == before
    assert records(staffeln) == ours
    containers = {row["id"]: row["container"] for row in cloud.backups()}
    assert containers == {
        prefix.parent.name: str(prefix.parent.relative_to(tmp_path / "store"))
        for prefix in prefixes
    }


def test_files_that_are_not_whole_are_named_and_the_others_are_taken(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 3)
    first, second, _ = written(cloud, tmp_path / "store")
    Path(f"{first}_sha256file").unlink()
    Path(f"{second}_metadata").write_text("{")
    rebuild = staffeln(
        *("catalog", "rebuild", "--store", str(tmp_path / "store")),
        *(str(tmp_path / "found"), "-f", "json"),
    )
    assert (rebuild.exit_code, rebuild.counts) == (3, {"backups": 1, "failed": 2})
    assert any("was not finished" in reason for reason in reasons(rebuild))


def test_a_store_that_is_not_there_is_named(staffeln: Staffeln, tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    rebuild = staffeln("catalog", "rebuild", "--store", missing, str(tmp_path / "found"))
    assert rebuild.exit_code == 69
    assert missing in rebuild.stderr
