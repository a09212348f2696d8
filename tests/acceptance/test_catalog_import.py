"""catalog import: after Cinder has lost its rows, every backup is there again as it was."""

from pathlib import Path
from typing import Any

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.demo.simcloud.world import BackupHost
from tests.acceptance.builders import (
    a_volume,
    ids,
    reasons,
    records,
    rounds,
    sent,
    some_volumes,
    states,
    twice,
)
from tests.conftest import Answer, Staffeln, migrate, staffeln_on

KEPT = (
    "id",
    "name",
    "volume_id",
    "project_id",
    "created_at",
    "size",
    "metadata",
    "parent_id",
    "num_dependent_backups",
)


def saved(staffeln: Staffeln, folder: Path) -> str:
    file = str(folder / "catalog.jsonl.gz")
    assert staffeln("catalog", "save", file).exit_code == 0
    return file


def kept(cloud: SimCloud) -> list[dict[str, Any]]:
    """What a backup has to have again after an import."""
    return sorted(({key: row[key] for key in KEPT} for row in cloud.backups()), key=repr)


def import_(staffeln: Staffeln, file: str, *options: str) -> Answer:
    return staffeln("catalog", "import", file, "-f", "json", *options)


def grant(cloud: SimCloud, *projects: str) -> None:
    for project in projects:
        cloud.people.grant("backup", project, "admin")


def test_every_backup_returns_with_its_id_project_chain_and_quota(
    cloud: SimCloud, staffeln_on_each: Staffeln, tmp_path: Path
) -> None:
    staffeln = staffeln_on_each
    some_volumes(cloud, 2, project="shop")
    some_volumes(cloud, 2, project="bank")
    rounds(staffeln, cloud, 3)
    file, before, usage = saved(staffeln, tmp_path), kept(cloud), dict(cloud.world.usage)
    cloud.things.lose_backups()
    twice(staffeln, cloud, "check", "--confirm")
    assert set(states(staffeln)) == {"missing"}
    grant(cloud, "shop", "bank")
    done = import_(staffeln, file)
    assert (done.exit_code, done.counts["imported"]) == (0, 12)
    assert kept(cloud) == before
    assert cloud.world.usage == usage
    assert set(states(staffeln)) == {"available"}

    again = import_(staffeln, file)
    assert again.counts == {"imported": 0, "present": 12, "blocked": 0, "failed": 0}
    rounds(staffeln, cloud, 1)
    newest = cloud.backups()[-1]
    assert newest["parent_id"] in {row["id"] for row in before}


def test_a_project_without_the_role_is_blocked_and_the_commands_are_named(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud, project="shop")
    a_volume(cloud, "other", project="bank")
    rounds(staffeln, cloud, 2)
    file = saved(staffeln, tmp_path)
    cloud.things.lose_backups()
    grant(cloud, "bank")
    done = import_(staffeln, file)
    assert done.exit_code == 3
    assert done.counts == {"imported": 2, "present": 0, "blocked": 2, "failed": 0}
    shop = cloud.world.project("shop").id
    user = cloud.world.user("backup").id
    assert reasons(done)[0].endswith(f"openstack role add --user {user} --project {shop} admin")
    shown = staffeln("catalog", "import", file)
    bank = cloud.world.project("bank").id
    assert f"role add --user {user} --project {shop} admin" in shown.stderr

    grant(cloud, "shop")
    done = staffeln("catalog", "import", file)
    assert done.exit_code == 0
    assert f"role remove --user {user} --project {shop} admin" in done.stdout
    assert f"--project {bank}" not in done.stdout


def test_a_dry_run_counts_names_quotas_and_keys_and_changes_nothing(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.things.set_backup(ids(cloud)[0], encryption_key_id="a-key")
    rounds(staffeln, cloud, 1)
    staffeln.set(CATALOG_PER_PASS="1")
    file = saved(staffeln, tmp_path)
    cloud.things.lose_backups()
    cloud.people.set_quota("shop", backups=1)
    grant(cloud, "shop")
    dry = import_(staffeln, file, "--dry-run")
    assert (dry.exit_code, dry.counts["imported"]) == (0, 2)
    assert "its quota backups is 1 and it needs 2" in str(dry.json)
    assert not cloud.backups()
    assert not sent(cloud, "POST", "import_record")


def test_only_the_chosen_project_returns(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud, project="shop")
    a_volume(cloud, "other", project="bank")
    rounds(staffeln, cloud, 1)
    file = saved(staffeln, tmp_path)
    cloud.things.lose_backups()
    grant(cloud, "shop", "bank")
    done = import_(staffeln, file, "--project", "bank")
    assert done.counts["imported"] == 1
    assert {row["project_id"] for row in cloud.backups()} == {cloud.world.project("bank").id}


def test_what_retention_has_deleted_since_does_not_return(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="0", RETENTION_TIME="36h")
    a_volume(cloud)
    rounds(staffeln, cloud, 4)
    file = saved(staffeln, tmp_path)
    staffeln("retain")
    left = ids(cloud)
    assert len(left) < 4
    cloud.things.lose_backups()
    grant(cloud, "shop")
    assert import_(staffeln, file).counts["imported"] == len(left)
    assert ids(cloud) == left


def test_backups_of_others_in_chains_of_ours_return_too(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    foreign = cloud.things.add_backup("data")
    rounds(staffeln, cloud, 2)
    file, before = saved(staffeln, tmp_path), kept(cloud)
    cloud.things.lose_backups()
    grant(cloud, "shop")
    assert import_(staffeln, file).counts["imported"] == 3
    assert foreign in ids(cloud)
    assert kept(cloud) == before


def test_records_go_to_hosts_of_their_own_zone_and_the_others_are_enabled_again(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    file, before = saved_in_two_zones(cloud, staffeln, tmp_path)
    done = import_(staffeln, file)
    assert (done.exit_code, done.counts["imported"]) == (0, 4)
    assert places(cloud) == before
    assert [host.is_enabled for host in cloud.settings.backup_hosts] == [True, True, False]
    assert cloud.settings.backup_hosts[2].reason == "its disks are replaced"


def places(cloud: SimCloud) -> dict[str, tuple[str, str]]:
    """On which host, in which zone, each backup is."""
    return {row["id"]: (row["host"], row["availability_zone"]) for row in cloud.backups()}


def saved_in_two_zones(
    cloud: SimCloud, staffeln: Staffeln, folder: Path
) -> tuple[str, dict[str, tuple[str, str]]]:
    """A catalog of four lost backups, two in the store of each of two hosts, and their places."""
    some_volumes(cloud, 4)
    staffeln.set(CATALOG_RECORDS="false")
    rounds(staffeln, cloud, 1)
    for number, backup_id in enumerate(ids(cloud)):
        host, zone = ("first", "az1") if number % 2 else ("second", "az2")
        cloud.things.set_backup(backup_id, host=host, availability_zone=zone)
    with_zones(cloud)
    staffeln.set(CATALOG_RECORDS="true")
    staffeln("check")
    file, before = saved(staffeln, folder), places(cloud)
    cloud.things.lose_backups()
    grant(cloud, "shop")
    return file, before


def with_zones(cloud: SimCloud) -> None:
    cloud.settings.backup_hosts = (
        BackupHost("first", "az1"),
        BackupHost("second", "az2"),
        BackupHost("third", "az3", is_enabled=False, reason="its disks are replaced"),
    )


def test_without_a_host_of_their_zone_records_are_named_and_none_goes_elsewhere(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    file = saved(staffeln, tmp_path)
    cloud.things.lose_backups()
    with_zones(cloud)
    grant(cloud, "shop")
    done = import_(staffeln, file)
    assert (done.exit_code, done.counts["failed"]) == (3, 1)
    assert "no backup host of zone nova" in reasons(done)[0]
    assert not cloud.backups()
    assert all(host.is_enabled for host in cloud.settings.backup_hosts[:2])


def test_an_import_that_cinder_refuses_stops_its_chain_only(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    staffeln.set(CLOUD_WORKERS="1")
    some_volumes(cloud, 2)
    rounds(staffeln, cloud, 3)
    file = saved(staffeln, tmp_path)
    cloud.things.lose_backups()
    grant(cloud, "shop")
    cloud.faults.fail_next("POST", "/import_record", status=503)
    done = import_(staffeln, file)
    assert done.exit_code == 3
    assert done.counts == {"imported": 3, "present": 0, "blocked": 0, "failed": 3}
    assert import_(staffeln, file).counts == {
        "imported": 3, "present": 3, "blocked": 0, "failed": 0,
    }  # fmt: skip


def test_with_an_empty_database_the_state_returns_and_nothing_is_planned_twice(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 3, days=1)
    staffeln("keep", ids(cloud)[0], "--note", "for the auditors")
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    staffeln("check")
    file, before, ours = saved(staffeln, tmp_path), kept(cloud), records(staffeln)
    cloud.things.lose_backups()
    grant(cloud, "shop")
    empty = f"sqlite:///{tmp_path / 'empty.db'}"
    migrate(empty)
    anew = staffeln_on(empty, cloud, tmp_path)
    done = import_(anew, file, "--state")
    assert (done.exit_code, done.counts["imported"]) == (0, 4)
    assert kept(cloud) == before
    assert records(anew) == ours
    assert anew("collect", "-f", "json").counts["planned"] == 0
    assert anew("check", "-f", "json").exit_code == 0

    full = import_(anew, file, "--state")
    assert full.exit_code == 78
    assert "is not empty" in full.stderr


def test_a_damaged_file_brings_nothing_back(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 2)
    file = saved(staffeln, tmp_path)
    content = bytearray(Path(file).read_bytes())
    content[-1] ^= 1
    Path(file).write_bytes(content)
    cloud.things.lose_backups()
    grant(cloud, "shop")
    empty = f"sqlite:///{tmp_path / 'empty.db'}"
    migrate(empty)
    for command in (staffeln, staffeln_on(empty, cloud, tmp_path)):
        options = ["--state"] if command is not staffeln else []
        done = import_(command, file, *options)
        assert done.exit_code == 3
        assert "line " in done.stderr
    assert not cloud.backups()
    assert records(staffeln_on(empty, cloud, tmp_path)) == []


def test_where_cinder_does_not_switch_hosts_zones_are_imported_one_by_one(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    file, before = saved_in_two_zones(cloud, staffeln, tmp_path)
    cloud.settings.switches_hosts = False
    done = import_(staffeln, file)
    assert (done.exit_code, done.counts["imported"], done.counts["blocked"]) == (3, 0, 4)
    assert "stop cinder-backup on second" in reasons(done)[0]
    assert all(host.is_enabled for host in cloud.settings.backup_hosts if host.name != "third")

    cloud.settings.backup_hosts = cloud.settings.backup_hosts[:1]
    assert import_(staffeln, file).counts["imported"] == 2
    with_zones(cloud)
    cloud.settings.backup_hosts = cloud.settings.backup_hosts[1:]
    assert import_(staffeln, file).counts["imported"] == 2
    assert places(cloud) == before
