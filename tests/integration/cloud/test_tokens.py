"""Tokens that end, cannot be exchanged, or turn out to be weaker than they were."""

import json
from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.errors import CloudUnavailable, NotAdmin
from tests.acceptance.builders import (
    a_volume,
    backed_up,
    reasons,
    records,
    rounds,
    sent,
    some_volumes,
    states,
    volumes,
)
from tests.conftest import Staffeln


@pytest.mark.parametrize("command", ["collect", "backup", "check", "retain"])
def test_a_token_that_ends_in_the_middle_is_renewed(
    cloud: SimCloud, staffeln: Staffeln, command: str
) -> None:
    staffeln.set(RETENTION_KEEP_LAST="0", RETENTION_TIME="1d")
    some_volumes(cloud, 3)
    rounds(staffeln, cloud, 1)
    staffeln.cycle("collect", *(["backup"] if command == "check" else []))

    def expire(request: Request) -> None:
        if "/auth/tokens" not in request.path:
            cloud.on_request = None
            cloud.steering.expire_tokens()

    cloud.on_request = expire
    answer = staffeln(command, "-f", "json")
    assert (answer.exit_code, reasons(answer)) == (0, [])
    assert cloud.on_request is None


def test_every_request_may_meet_an_ended_token_and_no_backup_is_made_twice(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 4, project="one")
    some_volumes(cloud, 4, project="two")
    staffeln("collect")
    met = set()

    def expire(request: Request) -> None:
        if request.method == "POST" and "/backups" in request.path:
            volume = request.body["backup"]["volume_id"]
            if volume not in met:
                met.add(volume)
                cloud.steering.expire_tokens()

    cloud.on_request = expire
    for _ in range(8):
        staffeln("backup")
        cloud.advance(minutes=1)
        staffeln("check")
    assert len({one["volume_id"] for one in cloud.backups()}) == len(cloud.backups()) == 8


@pytest.mark.parametrize(
    ("times", "exit_code", "state"),
    [(1, 0, "creating"), (1000, 3, "planned")],
)
def test_a_token_that_cannot_be_renewed_for_a_refused_request_leaves_no_unknown_result(
    cloud: SimCloud, staffeln: Staffeln, times: int, exit_code: int, state: str
) -> None:
    a_volume(cloud)
    staffeln("collect")
    refused: list[Request] = []

    def expire(request: Request) -> None:
        is_create = request.method == "POST" and "/backups" in request.path
        is_exchange = request.method == "POST" and '"token": {' in json.dumps(request.body)
        if (is_create or (refused and is_exchange)) and len(refused) <= times:
            refused.append(request)
            cloud.steering.expire_tokens()

    cloud.on_request = expire
    answer = staffeln("backup", "-f", "json")
    cloud.on_request = None
    assert (answer.exit_code, states(staffeln)) == (exit_code, [state])
    assert all("not done: Keystone gives no token" in reason for reason in reasons(answer))


@pytest.mark.parametrize(
    ("times", "retried_for", "exit_code", "state"),
    [(5, "60s", 0, "creating"), (1000, "0s", CloudUnavailable.exit_code, "planned")],
)
def test_a_login_token_that_keystone_does_not_know_is_no_missing_role(
    cloud: SimCloud, staffeln: Staffeln, times: int, retried_for: str, exit_code: int, state: str
) -> None:
    staffeln.set(CLOUD_RETRY_TIMEOUT=retried_for)
    a_volume(cloud)
    staffeln("collect")
    met: list[Request] = []

    def expire(request: Request) -> None:
        is_exchange = request.method == "POST" and '"token": {' in json.dumps(request.body)
        if is_exchange and len(met) < times:
            met.append(request)
            cloud.steering.expire_tokens()

    cloud.on_request = expire
    assert staffeln("backup").exit_code == exit_code
    cloud.on_request = None
    assert (len(met) >= 2, states(staffeln)) == (True, [state])


def test_where_tokens_may_not_be_exchanged_the_password_is_used(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.settings.allow_rescope = False
    volume = a_volume(cloud)
    assert backed_up(staffeln, cloud).counts["available"] == 1
    assert cloud.backups()[0]["project_id"] == cloud.world.volume(volume).project_id


def test_where_tokens_may_not_be_exchanged_a_missing_role_is_still_told_from_it(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.settings.allow_rescope = False
    cloud.people.add_project("closed", operated=False)
    a_volume(cloud, project="closed")
    staffeln("collect")
    assert "role member" in reasons(staffeln("backup", "-f", "json"))[0]


def with_application_credential(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path, project: str
) -> None:
    """Log in by an application credential of the operator on this project."""
    key, secret = cloud.people.add_application_credential("backup", project)
    (tmp_path / "clouds.yaml").write_text(
        f"""clouds:
  sim:
    auth_type: v3applicationcredential
    auth:
      auth_url: {cloud.auth_url}
      application_credential_id: {key}
      application_credential_secret: {secret}
    region_name: RegionOne
"""
    )


def test_an_application_credential_can_look_and_back_up_its_own_project(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud, "mine", project="backup")
    with_application_credential(cloud, staffeln, tmp_path, "backup")
    assert backed_up(staffeln, cloud).counts["available"] == 1


def test_an_application_credential_is_told_why_it_cannot_act_for_other_projects(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    with_application_credential(cloud, staffeln, tmp_path, "backup")
    staffeln("collect")
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["failed"]) == (3, 1)
    assert "application credential" in reasons(answer)[0]
    assert "password" in reasons(answer)[0]


def demote(cloud: SimCloud) -> None:
    """The operator keeps a role in its project, but no longer admin."""
    cloud.people.grant("backup", "backup", "member")
    cloud.people.revoke("backup", "backup", "admin")


def test_a_token_that_is_no_longer_admin_is_no_evidence_of_absence(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 3)
    rounds(staffeln, cloud, 1)

    def once(request: Request) -> None:
        if "/volumes/detail" in request.path:
            cloud.on_request = None
            demote(cloud)
            cloud.steering.expire_tokens()

    cloud.on_request = once
    answer = staffeln("collect", "-f", "json")
    assert answer.exit_code == NotAdmin.exit_code
    assert answer.counts["gone"] == 0
    assert [one["protected"] for one in volumes(staffeln).values()] == [True] * 3


@pytest.mark.parametrize("path", ["/backups/detail", "/backups/"])
def test_a_check_that_lost_admin_declares_nothing_missing(
    cloud: SimCloud, staffeln: Staffeln, path: str
) -> None:
    some_volumes(cloud, 2)
    rounds(staffeln, cloud, 1)
    staffeln.cycle("collect", "backup")
    if path == "/backups/":
        cloud.things.remove_backup(cloud.backups()[0]["id"], force=True)

    def once(request: Request) -> None:
        if path in request.path and (path != "/backups/" or "detail" not in request.path):
            cloud.on_request = None
            demote(cloud)
            cloud.steering.expire_tokens()

    cloud.on_request = once
    assert staffeln("check").exit_code == NotAdmin.exit_code
    assert {one["state"] for one in records(staffeln)} == {"available", "creating"}


def test_one_token_serves_a_whole_pass(cloud: SimCloud, staffeln: Staffeln) -> None:
    for number in range(5):
        some_volumes(cloud, 2, project=f"project-{number}")
    cloud.requests.clear()
    staffeln("collect")
    assert len(sent(cloud, "POST", "/auth/tokens")) == 1


def test_a_proxy_of_the_environment_is_used(
    cloud: SimCloud, staffeln: Staffeln, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert staffeln("collect").exit_code == 0
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # where nobody listens
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    cloud.requests.clear()
    assert staffeln("collect").exit_code == CloudUnavailable.exit_code
    assert list(cloud.requests) == []


def test_a_user_without_admin_is_told_what_to_grant(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    cloud.people.add_project("shop")
    cloud.people.add_user("modest", password="pw")
    cloud.people.grant("modest", "shop", "member")
    (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml())
    answer = staffeln("--os-cloud", "modest", "collect")
    assert answer.exit_code == NotAdmin.exit_code
    for word in ("member", "admin", "openstack role add"):
        assert word in answer.stderr


def test_another_role_may_be_the_one_that_shows_all_projects(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(CLOUD_ADMIN_ROLES="auditor")
    answer = staffeln("collect")
    assert answer.exit_code == NotAdmin.exit_code
    assert "auditor" in answer.stderr
