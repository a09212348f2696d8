"""Bringing backups back, and the volumes that come of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

    from tests.conformance.conftest import Cloud


def restore(cloud: Cloud, backup_id: str, **details: Any) -> requests.Response:
    body = {"restore": details}
    return cloud.volume_api("POST", f"/backups/{backup_id}/restore", json=body)


def finished(cloud: Cloud, backup_id: str, volume_id: str) -> dict[str, Any]:
    """See a restore through, and give the volume."""
    cloud.made.append(volume_id)
    cloud.until(lambda: cloud.backup(backup_id)["status"] == "available")
    cloud.until(lambda: cloud.volume(volume_id)["status"] == "available")
    return cloud.volume(volume_id)


def test_a_restore_makes_a_volume_of_that_name(cloud: Cloud, chain: tuple[str, str]) -> None:
    reply = restore(cloud, chain[1], name=f"{cloud.tag}-restored")
    assert reply.status_code == 202
    answer = reply.json()["restore"]
    assert answer.keys() == {"backup_id", "volume_id", "volume_name"}
    assert answer["volume_name"] == f"{cloud.tag}-restored"
    assert cloud.backup(chain[1])["status"] == "restoring"
    volume = finished(cloud, chain[1], answer["volume_id"])
    assert volume["name"] == f"{cloud.tag}-restored"
    assert volume["os-vol-tenant-attr:tenant_id"] == cloud.project_id
    assert volume["metadata"]["src_backup_id"] == chain[1]


def test_without_a_name_the_volume_gets_that_of_the_first(
    cloud: Cloud, chain: tuple[str, str], volume: str
) -> None:
    answer = restore(cloud, chain[1]).json()["restore"]
    assert answer["volume_name"] == f"restore_backup_{chain[1]}"
    restored = finished(cloud, chain[1], answer["volume_id"])
    assert restored["name"] == cloud.volume(volume)["name"]


def test_a_restore_goes_onto_an_available_volume(cloud: Cloud, chain: tuple[str, str]) -> None:
    target = cloud.a_volume()
    answer = restore(cloud, chain[1], volume_id=target, name="ignored").json()["restore"]
    assert answer["volume_id"] == target
    assert finished(cloud, chain[1], target)["name"] == cloud.tag


def test_while_it_is_restored_a_backup_stays(cloud: Cloud, chain: tuple[str, str]) -> None:
    answer = restore(cloud, chain[1], name=f"{cloud.tag}-restored").json()["restore"]
    again = restore(cloud, chain[1], name=f"{cloud.tag}-again")
    assert again.status_code == 400
    assert again.json()["badRequest"]["message"] == (
        "Invalid backup: Backup status must be available"
    )
    reply = cloud.volume_api("DELETE", f"/backups/{chain[1]}")
    assert reply.json()["badRequest"]["message"] == (
        "Invalid backup: Backup status must be available or error"
    )
    finished(cloud, chain[1], answer["volume_id"])


def test_a_restore_onto_a_volume_in_use_is_refused(cloud: Cloud, chain: tuple[str, str]) -> None:
    rows = cloud.list_all("/volumes/detail", "volumes", all_tenants="1", status="in-use")
    for row in rows[:1]:
        reply = restore(cloud, chain[1], volume_id=row["id"])
        assert reply.status_code == 400
        assert reply.json()["badRequest"]["message"] == (
            "Invalid volume: Volume to be restored to must be available"
        )


def test_a_volume_with_attachments_cannot_be_deleted(cloud: Cloud) -> None:
    rows = cloud.list_all("/volumes/detail", "volumes", all_tenants="1", status="in-use")
    for row in rows[:1]:
        reply = cloud.volume_api("DELETE", f"/volumes/{row['id']}")
        assert reply.status_code == 400
        message: str = reply.json()["badRequest"]["message"]
        assert message.startswith("Invalid volume: Volume status must be available or error or ")


def test_one_request_makes_a_volume_of_a_backup(cloud: Cloud, chain: tuple[str, str]) -> None:
    wanted = {
        "name": f"{cloud.tag}-made",
        "size": 1,
        "backup_id": chain[1],
        "metadata": {"a": "b"},
    }
    reply = cloud.volume_api("POST", "/volumes", json={"volume": wanted})
    assert reply.status_code == 202
    volume_id = reply.json()["volume"]["id"]
    action = {"os-set_bootable": {"bootable": True}}
    flagged = cloud.volume_api("POST", f"/volumes/{volume_id}/action", json=action)
    assert flagged.status_code == 200
    volume = finished(cloud, chain[1], volume_id)
    assert (volume["name"], volume["bootable"]) == (f"{cloud.tag}-made", "true")
    assert volume["metadata"]["a"] == "b"


def test_a_volume_of_a_backup_that_is_busy_is_refused(
    cloud: Cloud, chain: tuple[str, str]
) -> None:
    answer = restore(cloud, chain[1], name=f"{cloud.tag}-restored").json()["restore"]
    wanted = {"name": f"{cloud.tag}-made", "size": 1, "backup_id": chain[1]}
    reply = cloud.volume_api("POST", "/volumes", json={"volume": wanted})
    assert reply.status_code == 400
    finished(cloud, chain[1], answer["volume_id"])


def test_a_volume_of_a_type_that_is_unknown_is_refused(cloud: Cloud) -> None:
    wanted = {"name": cloud.tag, "size": 1, "volume_type": "no-such-type"}
    reply = cloud.volume_api("POST", "/volumes", json={"volume": wanted})
    assert reply.status_code == 404
    assert "no-such-type" in reply.json()["itemNotFound"]["message"]
