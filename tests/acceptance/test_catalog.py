"""catalog save and check: one file that has everything, and the proof that it is whole."""

import gzip
import json
from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, ids, reasons, rounds
from tests.conftest import Staffeln


def test_a_catalog_has_every_record_and_check_proves_it(
    cloud: SimCloud, staffeln_on_each: Staffeln, tmp_path: Path
) -> None:
    staffeln = staffeln_on_each
    a_volume(cloud)
    rounds(staffeln, cloud, 3)
    file = tmp_path / "today.jsonl.gz"
    with cloud.down():
        save = staffeln("catalog", "save", str(file), "-f", "json")
        check = staffeln("catalog", "check", str(file), "-f", "json")
    assert (save.exit_code, check.exit_code) == (0, 0)
    assert (save.counts["backups"], save.counts["records"]) == (3, 3)
    assert check.counts == {"lines": check.counts["lines"], "backups": 3, "problems": 0}
    assert file.stat().st_mode & 0o777 == 0o600

    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    records = [line["row"] for line in lines if line.get("table") == "export_records"]
    assert sorted(row["backup_id"] for row in records) == sorted(ids(cloud))
    assert len(lines) == check.counts["lines"] == lines[-1]["lines"] + 1


def test_a_damaged_file_is_exit_code_3_and_names_the_line(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    file = tmp_path / "today.jsonl.gz"
    staffeln("catalog", "save", str(file))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    check = staffeln("catalog", "check", str(file), "-f", "json")
    assert check.exit_code == 3
    assert check.counts["problems"] == 1
    assert reasons(check)[0].startswith("line ")


@pytest.mark.parametrize("content", [b"", b"no catalog", gzip.compress(b'{"a": 1}\n', mtime=0)])
def test_what_is_no_catalog_gets_a_sentence(
    staffeln: Staffeln, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "a file"
    file.write_bytes(content)
    check = staffeln("catalog", "check", str(file), "-f", "json")
    assert check.exit_code == 3
    assert len(reasons(check)) == 1
    missing = staffeln("catalog", "check", str(tmp_path / "none"), "-f", "json")
    assert missing.exit_code == 3
    assert "cannot be read" in reasons(missing)[0]


def test_with_a_key_a_file_of_somebody_else_is_refused(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    key = tmp_path / "key"
    key.write_text("a secret\n")
    forged, signed = tmp_path / "forged", tmp_path / "signed"
    staffeln("catalog", "save", str(forged))
    staffeln.set(CATALOG_KEY_FILE=str(key))
    staffeln("catalog", "save", str(signed))
    assert staffeln("catalog", "check", str(signed)).exit_code == 0
    refused = staffeln("catalog", "check", str(forged), "-f", "json")
    assert refused.exit_code == 3
    assert "not signed" in reasons(refused)[0]
    key.write_text("another\n")
    assert "another key" in reasons(staffeln("catalog", "check", str(signed), "-f", "json"))[0]
    key.write_text(" \n")
    assert staffeln("catalog", "check", str(signed)).exit_code == 78


def test_an_incremental_without_its_parent_is_named(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    staffeln.set(CATALOG_RECORDS="false")
    rounds(staffeln, cloud, 1)
    full = cloud.backups()[0]
    cloud.things.set_backup(full["id"], status="error")
    cloud.things.set_backup(full["id"], status="available")
    rounds(staffeln, cloud, 1)
    cloud.things.remove_backup(full["id"], force=True)
    staffeln.set(CATALOG_RECORDS="true")
    staffeln("check")
    file = tmp_path / "today.jsonl.gz"
    staffeln("catalog", "save", str(file))
    check = staffeln("catalog", "check", str(file), "-f", "json")
    assert check.exit_code == 3
    assert full["id"] in reasons(check)[0]


def test_run_saves_one_a_day_and_keeps_the_newest(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    folder = tmp_path / "catalogs"
    staffeln.set(CATALOG_PATH=str(folder), CATALOG_KEEP="2")
    for _ in range(4):
        first, second = staffeln("run", "-f", "json"), staffeln("run", "-f", "json")
        assert [len(first.json), len(second.json)] == [6, 5]
        assert first.json[-1]["command"] == "catalog save"
        cloud.advance(days=1)
    kept = sorted(folder.iterdir())
    assert len(kept) == 2
    assert all(staffeln("catalog", "check", str(file)).exit_code == 0 for file in kept)


def test_a_folder_that_cannot_be_written_is_named_and_leaves_nothing(
    staffeln: Staffeln, tmp_path: Path
) -> None:
    target = tmp_path / "no such folder" / "file"
    save = staffeln("catalog", "save", str(target), "-f", "json")
    assert save.exit_code == 69
    assert str(target) in save.stderr
