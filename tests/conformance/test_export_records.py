"""Cinder's rows of backups, carried out of it and offered to it again."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conformance.conftest import Cloud


def export(cloud: Cloud, backup_id: str) -> dict[str, Any]:
    reply = cloud.volume_api("GET", f"/backups/{backup_id}/export_record")
    assert reply.status_code == 200
    record: dict[str, Any] = reply.json()["backup-record"]
    assert record.keys() == {"backup_service", "backup_url"}
    return record


def row(record: dict[str, Any]) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.b64decode(record["backup_url"]))
    return decoded


def test_a_record_names_the_parent_which_no_view_shows(
    cloud: Cloud, chain: tuple[str, str]
) -> None:
    full, incremental = (row(export(cloud, backup_id)) for backup_id in chain)
    assert (full["id"], full["parent_id"]) == (chain[0], None)
    assert (incremental["parent_id"], incremental["id"]) == chain
    assert incremental["project_id"] == cloud.project_id
    assert incremental["volume_id"] == full["volume_id"]
    assert incremental["service_metadata"]


def test_a_record_that_is_fetched_moves_the_time_of_the_last_update(
    cloud: Cloud, chain: tuple[str, str]
) -> None:
    before = cloud.backup(chain[1])
    cloud.until(lambda: bool(export(cloud, chain[1])))
    after = cloud.backup(chain[1])
    assert after["updated_at"] >= before["updated_at"]
    assert {**after, "updated_at": None} == {**before, "updated_at": None}


def test_a_record_of_a_backup_that_exists_is_refused_and_changes_nothing(
    cloud: Cloud, chain: tuple[str, str]
) -> None:
    record = export(cloud, chain[1])
    before = cloud.backup(chain[1])
    reply = cloud.volume_api("POST", "/backups/import_record", json={"backup-record": record})
    assert reply.status_code == 400
    assert reply.json()["badRequest"]["message"] == (
        "Invalid backup: Backup already exists in database."
    )
    assert cloud.backup(chain[1]) == before


def test_what_is_no_record_is_refused(cloud: Cloud) -> None:
    record = {"backup_service": "a.Driver", "backup_url": "bm90IGpzb24="}
    reply = cloud.volume_api("POST", "/backups/import_record", json={"backup-record": record})
    assert reply.status_code == 400
    assert "Can't parse backup record" in reply.json()["badRequest"]["message"]


def test_enabling_a_backup_host_that_is_enabled_changes_nothing(cloud: Cloud) -> None:
    query = {"binary": "cinder-backup"}
    host = cloud.volume_api("GET", "/os-services", params=query).json()["services"][0]
    body = {"binary": "cinder-backup", "host": host["host"]}
    reply = cloud.volume_api("PUT", "/os-services/enable", json=body)
    assert reply.status_code == 200
    assert reply.json()["status"] == host["status"] == "enabled"
