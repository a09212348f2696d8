"""`staffeln doctor`: everything a run needs, before it needs it."""

import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import CloudSeen
from staffeln_cli.runtime import Runtime

NAMES = [
    *("configuration", "database", "lock", "mail", "login", "clock", "same cloud", "projects"),
    *("backup service", "quotas", "scratch volumes"),
    *("scratch servers", "catalog", "policy"),
    "policy endpoint",
]


def test_a_healthy_installation_is_ok_in_every_point(doctor: Any) -> None:
    found = doctor()
    assert found.not_ok() == set(), found.checks
    assert [one["name"] for one in found.checks] == NAMES
    assert found.exit_code == 0


def test_people_read_lines_and_quiet_shows_only_trouble(staffeln: Any, doctor: Any) -> None:
    staffeln.set(RETENTION_KEEP_LAST="0")
    lines = staffeln("doctor").stdout.splitlines()
    assert [line for line in lines if line.startswith("ok       login")]
    assert any(line.strip().startswith("→ 1 keeps the last") for line in lines)
    assert not any(line.endswith(" ") for line in lines)
    assert {line[9:25].strip() for line in lines if line[0] != " "} == set(NAMES)
    quiet = staffeln("-q", "doctor").stdout.splitlines()
    assert [line.split()[0] for line in quiet] == ["warning", "→"]


def test_it_changes_neither_the_cloud_nor_the_database(
    staffeln: Any, doctor: Any, cloud: SimCloud
) -> None:
    doctor()
    tokens = [one for one in cloud.requests if one.path.endswith("/auth/tokens")]
    assert {one.method for one in cloud.requests if one not in tokens} == {"GET"}
    assert staffeln("status", "-f", "json").json["cloud"] is None
    assert staffeln("status", "runs", "-f", "json").json == []


def test_a_wrong_configuration_is_told_whole_and_the_rest_left_out(
    staffeln: Any, doctor: Any
) -> None:
    staffeln.set(CLOUD_WORKERS="x", BACKUP_TIMEOUT="y")
    found = doctor()
    assert found.exit_code == 78
    assert len([one for one in found.checks if one["name"] == "configuration"]) == 2
    assert found.levels("database") == {"skipped"}


def test_a_cloud_that_is_down_hides_nothing_else(doctor: Any, cloud: SimCloud) -> None:
    with cloud.down():
        found = doctor()
    assert found.exit_code == 69
    assert found.levels("login") == {"problem"}
    assert found.levels("quotas") == {"skipped"}
    assert found.levels("lock") == found.levels("database") == {"ok"}


def test_a_missing_schema_hides_nothing_else(staffeln: Any, doctor: Any, tmp_path: Path) -> None:
    staffeln.set(DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    found = doctor()
    assert found.exit_code == 78
    assert "run: staffeln db upgrade" in found.said("database")
    assert found.levels("same cloud") == {"skipped"}
    assert found.levels("login") == found.levels("projects") == {"ok"}


def test_a_database_that_cannot_be_reached_is_out_of_reach(staffeln: Any, doctor: Any) -> None:
    staffeln.set(DATABASE_URL="postgresql://u:geheim@127.0.0.1:1/x")
    found = doctor()
    assert found.exit_code == 69
    assert found.levels("database") == {"problem"}
    assert "geheim" not in str(found.checks)


def test_a_database_others_may_read_is_worth_a_warning(
    doctor: Any, staffeln: Any, tmp_path: Path
) -> None:
    (tmp_path / "staffeln.db").chmod(0o644)
    assert "can be read by everybody chmod o-r" in doctor().said("database")


def test_a_lock_that_cannot_be_had_is_out_of_reach(staffeln: Any, doctor: Any) -> None:
    staffeln.set(LOCK_URL="redis://:geheim@127.0.0.1:1/0")
    found = doctor()
    assert found.exit_code == 69
    assert found.levels("lock") == {"problem"}
    assert "geheim" not in str(found.checks)


def test_two_doctors_do_not_quarrel(doctor: Any, staffeln: Any, tmp_path: Path) -> None:
    runtime = Runtime(load(None, staffeln.environ).settings)
    with runtime.lock("doctor"):
        assert doctor().levels("lock") == {"ok"}


def test_a_login_without_admin_is_told_what_to_grant(
    staffeln: Any, doctor: Any, cloud: SimCloud, tmp_path: Path
) -> None:
    cloud.people.add_user("reader", password="secret")
    cloud.people.grant("reader", "alpha", "reader")
    (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml())
    found = doctor("--os-cloud", "reader")
    assert found.exit_code == 78
    assert "openstack role add" in found.said("login")


def test_an_application_credential_is_explained(
    staffeln: Any, doctor: Any, cloud: SimCloud, tmp_path: Path
) -> None:
    credential, secret = cloud.people.add_application_credential("backup", "backup")
    (tmp_path / "clouds.yaml").write_text(
        "clouds:\n  app:\n    auth_type: v3applicationcredential\n"
        f"    auth:\n      auth_url: {cloud.auth_url}\n"
        f"      application_credential_id: {credential}\n"
        f"      application_credential_secret: {secret}\n"
        "    region_name: RegionOne\n"
    )
    found = doctor("--os-cloud", "app")
    assert found.exit_code == 78
    assert "valid for one project only" in found.said("login") + found.said("projects")
    assert secret not in str(found.checks)


def test_an_unknown_cloud_is_a_mistake(doctor: Any) -> None:
    found = doctor("--os-cloud", "nowhere")
    assert found.exit_code == 78
    assert "nowhere" in found.said("login")


def test_a_project_without_a_role_is_worth_a_warning_and_how_to_grant_it(
    doctor: Any, cloud: SimCloud
) -> None:
    beta = cloud.people.add_project("beta", operated=False)
    found = doctor()
    assert found.exit_code == 0
    assert found.levels("projects") == {"warning"}
    assert f"--project {beta} member" in found.said("projects")
    cloud.people.add_project("gamma", operated=False)
    assert "--domain default --inherited member" in doctor().said("projects")


def test_a_project_without_a_role_but_with_volumes_to_protect_is_a_problem(
    staffeln: Any, doctor: Any, cloud: SimCloud
) -> None:
    cloud.people.add_project("beta", operated=False)
    cloud.things.add_server("web", project="beta", metadata={"__staffeln_backup": "true"})
    cloud.things.add_volume("root", server="web")
    assert staffeln("collect").exit_code == 0
    found = doctor()
    assert found.exit_code == 78
    assert found.levels("projects") == {"problem"}


def test_a_project_that_is_disabled_needs_no_role(doctor: Any, cloud: SimCloud) -> None:
    cloud.people.add_project("beta", operated=False, enabled=False)
    assert doctor().levels("projects") == {"ok"}


@pytest.mark.parametrize(
    ("ahead", "level", "code"),
    [
        (timedelta(seconds=5), "ok", 0),
        (timedelta(minutes=-2), "warning", 0),
        (timedelta(minutes=6), "problem", 69),
        (timedelta(days=-400), "problem", 69),
    ],
)
def test_a_clock_that_differs_from_the_clouds_is_noticed(
    staffeln: Any, doctor: Any, cloud: SimCloud, ahead: timedelta, level: str, code: int
) -> None:
    staffeln.clock = lambda: cloud.now() + ahead
    found = doctor()
    assert (found.levels("clock"), found.exit_code) == ({level}, code)


def test_a_database_of_another_cloud_is_noticed(staffeln: Any, doctor: Any) -> None:
    runtime = Runtime(load(None, staffeln.environ).settings)
    other = CloudSeen("other", "RegionTwo", "http://other", "other", "http://other/v3")
    runtime.store.cloud.belongs_to(other)
    runtime.close()
    found = doctor()
    assert found.exit_code == 78
    assert found.levels("same cloud") == {"problem"}


def test_a_backup_service_that_is_down_is_out_of_reach(doctor: Any, cloud: SimCloud) -> None:
    cloud.backup_service_up = False
    found = doctor()
    assert found.exit_code == 69
    assert "is down" in found.said("backup service")


def test_a_quota_too_small_for_the_next_backups_is_worth_a_warning(
    staffeln: Any, doctor: Any, cloud: SimCloud
) -> None:
    cloud.things.add_server("web", project="alpha", metadata={"__staffeln_backup": "true"})
    cloud.things.add_volume("root", server="web", size_gib=20)
    staffeln("collect")
    assert doctor().levels("quotas") == {"ok"}
    cloud.people.set_quota("alpha", backups=0, backup_gigabytes=19)
    found = doctor()
    assert found.exit_code == 0
    assert found.levels("quotas") == {"warning"}
    assert "0 of 0 backups used and 0 of 19 GiB used" in found.said("quotas")
    assert "--backups 1 --backup-gigabytes 20" in found.said("quotas")
    cloud.people.set_quota("alpha", backups=-1, backup_gigabytes=-1)
    assert doctor().levels("quotas") == {"ok"}


def test_a_quota_that_cannot_be_asked_for_is_only_a_warning(
    staffeln: Any, doctor: Any, cloud: SimCloud
) -> None:
    cloud.things.add_server("web", project="alpha", metadata={"__staffeln_backup": "true"})
    cloud.things.add_volume("root", server="web")
    staffeln("collect")
    cloud.faults.fail_next("GET", "/os-quota-sets", status=403)
    assert "quota not known" in doctor().said("quotas")


def test_what_is_seldom_meant_is_said(staffeln: Any, doctor: Any) -> None:
    staffeln.set(SELECT_METADATA_KEY="", RETENTION_KEEP_LAST="0", RETENTION_BRAKE="1")
    found = doctor()
    assert found.exit_code == 0
    said = found.said("configuration")
    assert "EVERY SERVER OF THE CLOUD IS BACKED UP" in said
    assert "retention.keep_last is 0" in said
    assert "retention.brake is 1" in said


def test_one_key_for_two_things_is_a_problem(staffeln: Any, doctor: Any) -> None:
    staffeln.set(RETENTION_METADATA_KEY="__staffeln_backup")
    assert doctor().exit_code == 78


def test_a_file_with_a_password_that_everybody_may_read_is_noticed(
    doctor: Any, tmp_path: Path
) -> None:
    file = tmp_path / "staffeln.toml"
    file.write_text('[mail]\npassword = "geheim"\n')
    file.chmod(0o640)
    assert doctor("--config", str(file)).levels("configuration") == {"ok"}
    file.chmod(0o644)
    found = doctor("--config", str(file))
    assert found.levels("configuration") == {"ok", "warning"}
    assert "mail.password in it is secret" in found.said("configuration")
    file.chmod(0o646)
    assert doctor("--config", str(file)).exit_code == 78


def test_a_policy_endpoint_that_would_refuse_us_is_noticed(staffeln: Any, doctor: Any) -> None:
    staffeln.set(POLICY_TRUSTED_USERS="somebody-else")
    found = doctor()
    assert found.exit_code == 78
    (ours,) = {word for word in found.said("policy").split() if len(word) == 33}
    staffeln.set(POLICY_TRUSTED_USERS=ours.rstrip(","))
    assert doctor().levels("policy") == {"ok"}


def threads_left() -> int:
    """How many there are once their number rests; the cloud's own end a little later."""
    number, seen = -1, threading.active_count()
    while number != seen:
        time.sleep(0.3)
        number, seen = seen, threading.active_count()
    return seen


def test_the_doctor_leaves_no_thread_behind(doctor: Any) -> None:
    doctor()
    before = threads_left()
    doctor()
    assert threads_left() <= before


def test_a_flavor_for_boots_is_looked_up(doctor: Any, staffeln: Any) -> None:
    staffeln.set(VERIFY_BOOT="tiny")
    assert "booted with flavor tiny" in doctor().said("scratch servers")
    staffeln.set(VERIFY_BOOT="huge")
    found = doctor()
    assert found.not_ok() == {"scratch servers"}
    assert "no flavor 'huge'" in found.said("scratch servers")
