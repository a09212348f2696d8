"""The oddities of real clouds that Staffeln has to live with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openstack
import pytest
from keystoneauth1 import exceptions
from keystoneauth1.identity import v3

if TYPE_CHECKING:
    from staffeln_cli.demo.simcloud import SimCloud
    from tests.integration.simcloud.conftest import Client, LogIn

LIST = "/backups/detail"


def test_a_foreign_admin_can_break_a_chain(cloud: SimCloud, sim: Client) -> None:
    cloud.people.add_project("alpha")
    volume = cloud.things.add_volume("v", project="alpha")
    full = cloud.things.add_backup(volume)
    child = cloud.things.add_backup(volume, incremental=True)
    assert sim.delete(full).status_code == 202
    cloud.steering.finish_deletions()
    (orphan,) = cloud.backups()
    assert (orphan["id"], orphan["parent_id"]) == (child, full)


def test_in_its_own_project_a_parent_is_safe(cloud: SimCloud, log_in: LogIn) -> None:
    project = cloud.people.add_project("alpha")
    volume = cloud.things.add_volume("v", project="alpha")
    full = cloud.things.add_backup(volume)
    cloud.things.add_backup(volume, incremental=True)
    assert log_in(project=project).delete(full).status_code == 400


def test_others_see_their_own_project_only_and_no_error(cloud: SimCloud, log_in: LogIn) -> None:
    cloud.people.add_project("alpha")
    cloud.people.add_user("alice", password="a")
    cloud.people.grant("alice", "alpha", "member")
    cloud.things.add_volume("hers", project="alpha")
    cloud.things.add_volume("other")
    alice = log_in("alice")
    rows = alice.list_all("/volumes/detail?all_tenants=1", "volumes")
    assert [row["name"] for row in rows] == ["hers"]
    assert "os-vol-host-attr:host" not in rows[0]
    assert alice.compute_api("/servers/detail?all_tenants=1").status_code == 403
    assert alice.identity_api("/projects").status_code == 403


def test_a_reader_changes_nothing(cloud: SimCloud, log_in: LogIn) -> None:
    cloud.people.add_project("alpha")
    cloud.people.add_user("rita", password="r")
    cloud.people.grant("rita", "alpha", "reader")
    volume = cloud.things.add_volume("v", project="alpha")
    backup = cloud.things.add_backup(volume)
    rita = log_in("rita")
    assert rita.create(volume).json()["forbidden"]["message"] == (
        "Policy doesn't allow backup:create to be performed."
    )
    assert rita.delete(backup).status_code == 403
    assert rita.volume_api("GET", f"/backups/{backup}").status_code == 200


def test_a_manual_backup_becomes_the_parent(cloud: SimCloud, sim: Client) -> None:
    volume = cloud.things.add_volume("v")
    cloud.things.add_backup(volume)
    manual = cloud.things.add_backup(volume, incremental=True, name="by hand")
    backup = sim.backup(volume, incremental=True)
    assert cloud.backups(id=backup)[0]["parent_id"] == manual


def test_a_parent_that_is_not_available_is_passed_over(cloud: SimCloud, sim: Client) -> None:
    volume = cloud.things.add_volume("v")
    full = cloud.things.add_backup(volume)
    cloud.things.add_backup(volume, incremental=True, status="error")
    backup = sim.backup(volume, incremental=True)
    assert cloud.backups(id=backup)[0]["parent_id"] == full


def test_an_incremental_may_turn_out_full(cloud: SimCloud, sim: Client) -> None:
    cloud.settings.flip_incrementals = True
    volume = cloud.things.add_volume("v")
    cloud.things.add_backup(volume)
    backup = sim.backup(volume, incremental=True)
    assert cloud.backups(id=backup)[0]["is_incremental"]
    cloud.steering.finish_backups()
    assert not cloud.backups(id=backup)[0]["is_incremental"]


def test_a_grown_volume_fails_its_incremental_later(cloud: SimCloud, sim: Client) -> None:
    volume = cloud.things.add_volume("v", size_gib=1)
    cloud.things.add_backup(volume)
    cloud.things.set_volume(volume, size_gib=2)
    backup = sim.backup(volume, incremental=True)
    cloud.steering.finish_backups()
    (row,) = cloud.backups(id=backup)
    assert row["status"] == "error"
    assert row["fail_reason"] == "Volume size increased since the last backup. Do a full backup."
    assert cloud.volumes(id=volume)[0]["status"] == "available"


def test_quotas_are_413_and_no_throttling(cloud: SimCloud, sim: Client) -> None:
    cloud.people.set_quota("backup", backups=1, backup_gigabytes=1)
    small, large = cloud.things.add_volume("small"), cloud.things.add_volume("large", size_gib=2)
    reply = sim.create(large)
    assert (reply.status_code, reply.headers["Retry-After"]) == (413, "0")
    assert reply.json()["overLimit"]["message"] == (
        "VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes "
        "quota. Requested 2G, quota is 1G and 0G has been consumed."
    )
    sim.backup(small)
    cloud.people.set_quota("backup", backup_gigabytes=-1)
    assert sim.create(large).json()["overLimit"]["message"] == (
        "BackupLimitExceeded: Maximum number of backups allowed (1) exceeded"
    )


def test_while_the_service_is_down_a_deletion_is_404_and_nothing_goes(
    cloud: SimCloud, sim: Client
) -> None:
    backup = cloud.things.add_backup(cloud.things.add_volume("v"))
    cloud.backup_service_up = False
    reply = sim.delete(backup)
    assert reply.status_code == 404
    assert reply.json()["itemNotFound"]["message"] == ("Service cinder-backup could not be found.")
    assert cloud.backups(id=backup)[0]["status"] == "available"
    services = sim.volume_api("GET", "/os-services?binary=cinder-backup").json()["services"]
    assert [service["state"] for service in services] == ["down"]


def test_what_was_under_way_when_the_service_died_has_failed(cloud: SimCloud, sim: Client) -> None:
    early, late = cloud.things.add_volume("early"), cloud.things.add_volume("late")
    first = sim.backup(early)
    cloud.backup_service_up = False
    second = sim.backup(late)
    assert {backup["status"] for backup in cloud.backups()} == {"creating"}
    cloud.backup_service_up = True
    reasons = {backup["id"]: backup["fail_reason"] for backup in cloud.backups(status="error")}
    assert reasons == {
        first: "incomplete backup reset on manager restart",
        second: "Create backup aborted, expected volume status backing-up but got available.",
    }
    assert {volume["status"] for volume in cloud.volumes()} == {"available"}


def test_deletions_are_resumed_when_the_service_is_back(cloud: SimCloud, sim: Client) -> None:
    backup = cloud.things.add_backup(cloud.things.add_volume("v"))
    cloud.settings.delete_after = None
    sim.delete(backup)
    cloud.backup_service_up = False
    cloud.settings.finish_after = None
    assert cloud.backups(status="deleting")
    cloud.backup_service_up = True
    cloud.steering.finish_deletions()
    assert cloud.backups() == []


def test_a_driver_without_force_says_405(cloud: SimCloud, sim: Client) -> None:
    cloud.settings.supports_force_delete = False
    backup = sim.backup(cloud.things.add_volume("v"))
    action: dict[str, object] = {"os-force_delete": {}}
    reply = sim.volume_api("POST", f"/backups/{backup}/action", json=action)
    assert reply.status_code == 405


def test_a_reset_leaves_the_volume_busy(cloud: SimCloud, sim: Client) -> None:
    volume = cloud.things.add_volume("v")
    backup = sim.backup(volume)
    action = {"os-reset_status": {"status": "error"}}
    assert sim.volume_api("POST", f"/backups/{backup}/action", json=action).status_code == 202
    cloud.steering.finish_backups()
    assert cloud.backups(id=backup)[0]["status"] == "error"
    assert cloud.volumes(id=volume)[0]["status"] == "backing-up"


@pytest.mark.parametrize("harm", ["disable project", "revoke role", "disable user"])
def test_a_token_ends_with_what_it_lived_by(cloud: SimCloud, log_in: LogIn, harm: str) -> None:
    cloud.people.add_project("alpha")
    cloud.people.add_user("alice", password="a")
    cloud.people.grant("alice", "alpha", "member")
    alice = log_in("alice")
    assert alice.volume_api("GET", LIST).status_code == 200
    if harm == "disable project":
        cloud.people.disable_project("alpha")
    elif harm == "disable user":
        cloud.people.disable_user("alice")
    else:
        cloud.people.revoke("alice", "alpha", "member")
    with pytest.raises(exceptions.Unauthorized):
        alice.volume_api("GET", LIST)


def test_rescoping_can_be_forbidden(cloud: SimCloud, sim: Client) -> None:
    project = cloud.people.add_project("alpha")
    cloud.settings.allow_rescope = False
    token = sim.connection.auth_token
    assert token
    auth = v3.Token(cloud.auth_url, token, project_id=project)
    with pytest.raises(exceptions.Forbidden, match="rescope a scoped token"):
        auth.get_access(sim.connection.session)


def test_an_application_credential_is_for_one_project_only(cloud: SimCloud) -> None:
    project = cloud.people.add_project("alpha")
    key, secret = cloud.people.add_application_credential("backup", "backup")
    auth = {"auth_url": cloud.auth_url, "application_credential_id": key}
    auth["application_credential_secret"] = secret
    connection = openstack.connect(
        auth_type="v3applicationcredential",
        auth=auth,
        region_name="RegionOne",
        load_envvars=False,
        load_yaml_config=False,
    )
    assert connection.current_project_id == cloud.world.project("backup").id
    token = connection.auth_token
    assert token
    with pytest.raises(exceptions.Forbidden, match="delegated token"):
        v3.Token(cloud.auth_url, token, project_id=project).get_access(connection.session)
    connection.close()


@pytest.mark.parametrize("kind", ["volumev3", "block-storage"])
def test_either_name_of_cinder_is_found_in_the_catalogue(
    cloud: SimCloud, log_in: LogIn, kind: str
) -> None:
    cloud.settings.catalogue_type = kind
    cloud.things.add_volume("v")
    assert len(log_in().list_all("/volumes/detail?all_tenants=1", "volumes")) == 1


def test_a_server_that_dies_leaves_its_volumes(cloud: SimCloud, sim: Client) -> None:
    server = cloud.things.add_server("s")
    volume = cloud.things.add_volume("v", server=server)
    sim.backup(volume)
    cloud.things.remove_server(server)
    cloud.steering.finish_backups()
    (row,) = cloud.volumes()
    assert row["attachments"] == ()
    assert cloud.backups()[0]["status"] == "available"


def test_roles_of_groups_reach_their_members(cloud: SimCloud, log_in: LogIn) -> None:
    project = cloud.people.add_project("alpha")
    cloud.people.add_user("alice", password="a", email="alice@example.org")
    group = cloud.people.add_group("staff")
    cloud.people.add_to_group("staff", "alice")
    cloud.people.grant_group("staff", "alpha", "member")
    assert log_in("alice").connection.current_project_id == project
    sim = log_in()
    (member,) = sim.identity_api(f"/groups/{group}/users").json()["users"]
    assert member["email"] == "alice@example.org"
    rows = sim.identity_api("/role_assignments").json()
    assert [row["group"]["id"] for row in rows["role_assignments"] if "group" in row] == [group]
