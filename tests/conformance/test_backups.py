"""Making, refusing and removing backups, word for word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import requests

    from tests.conformance.conftest import Cloud

MISSING = "00000000-0000-0000-0000-000000000000"
HAS_CHILDREN = "Invalid backup: Incremental backups exist for this backup."
NOT_FINAL = "Invalid backup: Backup status must be available or error"
NO_PARENT = "Invalid backup: No backups available to do an incremental backup."


def refusal(reply: requests.Response, status: int = 400) -> str:
    """Check the shape of a refusal, and give its words."""
    assert reply.status_code == status, reply.text
    ((name, fault),) = reply.json().items()
    assert name == {400: "badRequest", 404: "itemNotFound", 413: "overLimit"}[status]
    assert fault["code"] == status
    return str(fault["message"])


def test_an_accepted_backup_has_an_id_a_name_and_links(cloud: Cloud) -> None:
    volume = cloud.a_volume()
    reply = cloud.create(volume, name=f"  {cloud.tag}  ", metadata={"tool": "staffeln"})
    assert reply.status_code == 202
    accepted = reply.json()["backup"]
    assert accepted.keys() == {"id", "name", "links"}
    assert accepted["name"] == cloud.tag
    backup = cloud.backup(accepted["id"])
    assert (backup["status"], backup["size"]) == ("creating", 1)
    assert cloud.volume(volume)["status"] == "backing-up"


def test_while_a_backup_is_creating_nothing_else_can_be_done(cloud: Cloud) -> None:
    volume = cloud.a_volume()
    backup = cloud.create(volume).json()["backup"]["id"]
    assert refusal(cloud.create(volume, force=True)) == (
        "Invalid volume: Volume to be backed up must be available or in-use, "
        'but the current status is "backing-up".'
    )
    assert refusal(cloud.volume_api("DELETE", f"/backups/{backup}")) == NOT_FINAL
    cloud.until(lambda: cloud.backup(backup)["status"] == "available")
    assert cloud.volume(volume)["status"] == "available"


def test_a_first_incremental_is_refused(cloud: Cloud) -> None:
    assert refusal(cloud.create(cloud.a_volume(), incremental=True)) == NO_PARENT


def test_the_kind_is_written_on_both_ends_of_a_chain(cloud: Cloud, chain: tuple[str, str]) -> None:
    full, incremental = (cloud.backup(backup_id) for backup_id in chain)
    assert (full["is_incremental"], incremental["is_incremental"]) == (False, True)
    assert (full["has_dependent_backups"], incremental["has_dependent_backups"]) == (True, False)
    assert full["data_timestamp"] == full["created_at"]


def test_a_parent_cannot_be_deleted(cloud: Cloud, chain: tuple[str, str]) -> None:
    assert refusal(cloud.volume_api("DELETE", f"/backups/{chain[0]}")) == HAS_CHILDREN


def test_a_parent_cannot_be_deleted_by_force(cloud: Cloud, chain: tuple[str, str]) -> None:
    action: dict[str, Any] = {"os-force_delete": {}}
    reply = cloud.volume_api("POST", f"/backups/{chain[0]}/action", json=action)
    assert refusal(reply) == HAS_CHILDREN


def test_a_parent_cannot_be_deleted_while_its_child_is_creating(cloud: Cloud) -> None:
    volume = cloud.a_volume()
    full = cloud.a_backup(volume)
    child = cloud.create(volume, incremental=True).json()["backup"]["id"]
    assert refusal(cloud.volume_api("DELETE", f"/backups/{full}")) == HAS_CHILDREN
    cloud.until(lambda: cloud.backup(child)["status"] == "available")
    cloud.remove(child)
    assert cloud.backup(full)["has_dependent_backups"] is False
    cloud.remove(full)


def test_another_projects_token_may_break_a_chain(cloud: Cloud, elsewhere: Cloud) -> None:
    volume = elsewhere.a_volume()
    full = elsewhere.a_backup(volume)
    child = elsewhere.a_backup(volume, incremental=True)
    assert refusal(elsewhere.volume_api("DELETE", f"/backups/{full}")) == HAS_CHILDREN
    cloud.remove(full)
    assert elsewhere.backup(child)["is_incremental"] is True
    elsewhere.remove(child)


def test_another_projects_backup_is_no_parent(cloud: Cloud, elsewhere: Cloud) -> None:
    volume = elsewhere.a_volume()
    elsewhere.a_backup(volume)
    assert refusal(cloud.create(volume, incremental=True)) == NO_PARENT


def test_a_backup_belongs_to_the_tokens_project(cloud: Cloud, elsewhere: Cloud) -> None:
    backup = cloud.a_backup(elsewhere.a_volume())
    assert cloud.backup(backup)["os-backup-project-attr:project_id"] == cloud.project_id
    cloud.remove(backup)


def test_a_deleted_backup_is_deleting_then_gone(cloud: Cloud) -> None:
    backup = cloud.a_backup(cloud.a_volume())
    cloud.remove(backup)
    message = f"Backup {backup} could not be found."
    assert refusal(cloud.volume_api("GET", f"/backups/{backup}"), 404) == message
    assert refusal(cloud.volume_api("DELETE", f"/backups/{backup}"), 404) == message


def test_a_volume_in_use_wants_force(cloud: Cloud) -> None:
    rows = cloud.list_all("/volumes/detail", "volumes", all_tenants="1", status="in-use")
    if not rows:
        pytest.skip("the cloud has no volume in use")
    assert refusal(cloud.create(rows[0]["id"])) == (
        "Invalid volume: Backing up an in-use volume must use the force flag."
    )


@pytest.mark.parametrize("backup_id", [MISSING, "nonsense"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_backup_is_404(cloud: Cloud, method: str, backup_id: str) -> None:
    reply = cloud.volume_api(method, f"/backups/{backup_id}")
    assert refusal(reply, 404) == f"Backup {backup_id} could not be found."


def test_an_unknown_volume_is_404(cloud: Cloud) -> None:
    assert refusal(cloud.create(MISSING), 404) == f"Volume {MISSING} could not be found."


LONG = "x" * 256
INVALID: list[tuple[dict[str, Any], str]] = [
    ({"volume_id": "nonsense"}, "volume_id. Value: nonsense. 'nonsense' is not a 'uuid'"),
    ({"name": LONG}, f"name. Value: {LONG}. '{LONG}' is too long"),
    ({"name": 5}, "name. Value: 5. 5 is not of type 'string', 'null'"),
    ({"metadata": {"a": 1}}, "a. Value: 1. 1 is not of type 'string'"),
    ({"metadata": {"a": LONG}}, f"a. Value: {LONG}. '{LONG}' is too long"),
    (
        {"metadata": {"a%": "b"}},
        "metadata. Value: {'a%': 'b'}. 'a%' does not match any of the regexes: "
        "'^[a-zA-Z0-9-_:. /]{1,255}$'",
    ),
    (
        {"incremental": "maybe"},
        "incremental. Value: maybe. 'maybe' is not one of [True, 'True', 'TRUE', 'true', '1', "
        "'ON', 'On', 'on', 'YES', 'Yes', 'yes', 'y', 't', False, 'False', 'FALSE', 'false', '0', "
        "'OFF', 'Off', 'off', 'NO', 'No', 'no', 'n', 'f']",
    ),
]


@pytest.mark.parametrize(("details", "words"), INVALID)
def test_a_body_is_checked_first(cloud: Cloud, details: dict[str, Any], words: str) -> None:
    reply = cloud.create(**({"volume_id": MISSING} | details))
    assert refusal(reply) == f"Invalid input for field/attribute {words}"


def test_unknown_properties_are_refused(cloud: Cloud) -> None:
    body = {"backup": {"volume_id": MISSING, "colour": "blue"}}
    assert refusal(cloud.volume_api("POST", "/backups", json=body)) == (
        f"Invalid input for field/attribute backup. Value: {body['backup']}. "
        "Additional properties are not allowed ('colour' was unexpected)"
    )


def test_metadata_is_unknown_before_3_43(cloud: Cloud) -> None:
    body = {"backup": {"volume_id": MISSING, "metadata": {"a": "b"}}}
    words = "Additional properties are not allowed ('metadata' was unexpected)"
    assert refusal(cloud.volume_api("POST", "/backups", "3.42", json=body)).endswith(words)


def test_a_body_without_its_key_is_refused(cloud: Cloud) -> None:
    reply = cloud.volume_api("POST", "/backups", json={"volume_id": MISSING})
    assert refusal(reply) == "'backup' is a required property"
    reply = cloud.volume_api("POST", "/backups", json={"backup": {}})
    assert refusal(reply) == (
        "Invalid input for field/attribute backup. Value: {}. 'volume_id' is a required property"
    )


def test_a_backup_charges_the_whole_volume(cloud: Cloud) -> None:
    def used() -> tuple[int, int]:
        path = f"/os-quota-sets/{cloud.project_id}?usage=True"
        quota = cloud.volume_api("GET", path).json()["quota_set"]
        assert quota["backups"].keys() == {"limit", "in_use", "reserved"}
        assert quota["id"] == cloud.project_id
        return quota["backups"]["in_use"], quota["backup_gigabytes"]["in_use"]

    volume = cloud.a_volume()
    count, gigabytes = used()
    full, incremental = cloud.a_backup(volume), cloud.a_backup(volume, incremental=True)
    assert used() == (count + 2, gigabytes + 2)
    cloud.remove(incremental)
    cloud.remove(full)
    assert used() == (count, gigabytes)


def test_a_reset_changes_the_status_alone(cloud: Cloud) -> None:
    backup = cloud.a_backup(cloud.a_volume())
    action = {"os-reset_status": {"status": "error"}}
    reply = cloud.volume_api("POST", f"/backups/{backup}/action", json=action)
    assert reply.status_code == 202
    cloud.until(lambda: cloud.backup(backup)["status"] == "error")
    assert cloud.backup(backup)["fail_reason"] is None
    cloud.remove(backup)


def test_only_available_and_error_can_be_reset_to(cloud: Cloud, chain: tuple[str, str]) -> None:
    action = {"os-reset_status": {"status": "creating"}}
    reply = cloud.volume_api("POST", f"/backups/{chain[0]}/action", json=action)
    assert refusal(reply) == (
        "Backup status: creating is invalid, valid statuses are: ['available', 'error']."
    )


def test_an_unknown_action_is_refused(cloud: Cloud, chain: tuple[str, str]) -> None:
    reply = cloud.volume_api("POST", f"/backups/{chain[0]}/action", json={"dance": {}})
    words = "There is no such action: dance. Verify the request body and Content-Type header"
    assert refusal(reply) == f"{words} and try again."


def test_force_removes_a_backup_that_is_creating(cloud: Cloud) -> None:
    volume = cloud.a_volume()
    backup = cloud.create(volume).json()["backup"]["id"]
    action: dict[str, Any] = {"os-force_delete": {}}
    reply = cloud.volume_api("POST", f"/backups/{backup}/action", json=action)
    if reply.status_code == 405:
        pytest.skip("the backup driver knows no force")
    assert reply.status_code == 202
    path = f"/backups/{backup}"
    cloud.until(lambda: cloud.volume_api("GET", path).status_code == 404)
    cloud.until(lambda: cloud.volume(volume)["status"] == "available")


def test_an_error_can_be_deleted(cloud: Cloud) -> None:
    backup = cloud.a_backup(cloud.a_volume())
    action = {"os-reset_status": {"status": "error"}}
    cloud.volume_api("POST", f"/backups/{backup}/action", json=action)
    cloud.until(lambda: cloud.backup(backup)["status"] == "error")
    cloud.remove(backup)


def test_backups_survive_their_volume(cloud: Cloud) -> None:
    volume = cloud.a_volume()
    backup = cloud.a_backup(volume)
    assert cloud.volume_api("DELETE", f"/volumes/{volume}").status_code == 202
    cloud.until(lambda: cloud.volume_api("GET", f"/volumes/{volume}").status_code == 404)
    assert cloud.backup(backup)["status"] == "available"
    message = f"Volume {volume} could not be found."
    assert refusal(cloud.create(volume, incremental=True), 404) == message
    cloud.remove(backup)
