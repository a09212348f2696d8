"""Filling a cloud, emptying it, and serving one in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import openstack
import pytest

from staffeln_cli.demo.simcloud.generating import Size, fill

if TYPE_CHECKING:
    from staffeln_cli.demo.simcloud import SimCloud
    from tests.integration.simcloud.conftest import Client, LogIn


def test_a_reset_cloud_is_as_it_was_at_first(cloud: SimCloud, sim: Client) -> None:
    def state() -> tuple[object, ...]:
        identity = cloud.world.identity
        people = list(identity.projects), list(identity.users), list(identity.grants)
        return (
            people,
            cloud.settings.finish_after,
            cloud.servers(),
            cloud.volumes(),
            cloud.backups(),
        )

    first = state()
    cloud.people.add_project("alpha")
    cloud.things.add_backup(cloud.things.add_volume("v", server=cloud.things.add_server("s")))
    cloud.settings.finish_after = timedelta(0)
    cloud.faults.fail_next("GET", "/volumes", status=500, times=9)
    sim.volume_api("GET", "/volumes/detail")
    assert state() != first
    cloud.reset()
    assert state() == first
    assert cloud.requests == []
    assert sim.volume_api("GET", "/volumes/detail").status_code == 200


def test_every_user_is_in_the_clouds_yaml(cloud: SimCloud, log_in: LogIn) -> None:
    project = cloud.people.add_project("alpha")
    cloud.people.add_user("alice", password="a")
    cloud.people.add_user("nobody", password="n")
    cloud.people.grant("alice", "alpha", "member")
    assert log_in("alice").connection.current_project_id == project
    assert "nobody" not in cloud.clouds_yaml()


def test_the_operator_is_a_member_of_a_new_project_unless_told_otherwise(
    cloud: SimCloud, sim: Client
) -> None:
    cloud.people.add_project("alpha")
    cloud.people.add_project("beta", operated=False)
    projects = sim.identity_api("/auth/projects").json()["projects"]
    assert {project["name"] for project in projects} == {"backup", "alpha"}


def test_a_history_of_backups_can_be_written(cloud: SimCloud) -> None:
    volume = cloud.things.add_volume("v")
    start = cloud.now() - timedelta(days=3)
    ids = [
        cloud.things.add_backup(
            volume, incremental=day > 0, created_at=start + timedelta(days=day)
        )
        for day in range(3)
    ]
    rows = cloud.backups(volume_id=volume)
    assert [row["id"] for row in rows] == ids
    assert [row["parent_id"] for row in rows] == [None, *ids[:2]]
    assert [row["num_dependent_backups"] for row in rows] == [1, 1, 0]


def test_an_incremental_needs_a_parent_in_history_as_well(cloud: SimCloud) -> None:
    with pytest.raises(ValueError, match="no backup is available"):
        cloud.things.add_backup(cloud.things.add_volume("v"), incremental=True)


def test_a_parent_is_removed_by_force_only(cloud: SimCloud) -> None:
    volume = cloud.things.add_volume("v")
    full = cloud.things.add_backup(volume)
    cloud.things.add_backup(volume, incremental=True)
    with pytest.raises(ValueError, match="incremental backups exist"):
        cloud.things.remove_backup(full)
    cloud.things.remove_backup(full, force=True)
    assert len(cloud.backups()) == 1


def test_a_volume_can_belong_to_several_servers(cloud: SimCloud, sim: Client) -> None:
    servers = [cloud.things.add_server("a"), cloud.things.add_server("b")]
    volume = cloud.things.add_volume("v", server=servers)
    row = sim.volume_api("GET", f"/volumes/{volume}").json()["volume"]
    assert [attachment["server_id"] for attachment in row["attachments"]] == servers
    assert (row["status"], row["multiattach"]) == ("in-use", True)
    attached = sim.compute_api(f"/servers/{servers[1]}").json()["server"]
    assert [one["id"] for one in attached["os-extended-volumes:volumes_attached"]] == [volume]


def test_an_unknown_name_is_an_error_of_the_test(cloud: SimCloud) -> None:
    with pytest.raises(LookupError, match="0 things are called 'nowhere'"):
        cloud.things.add_server("s", project="nowhere")


def test_copies_can_be_kept_and_changed(cloud: SimCloud) -> None:
    cloud.things.add_volume("v", metadata={"a": "b"})
    copy = cloud.volumes()[0]
    copy["metadata"]["a"] = "changed"
    assert cloud.volumes()[0]["metadata"] == {"a": "b"}


def test_a_generated_cloud_has_the_size_asked_for(cloud: SimCloud) -> None:
    fill(cloud, Size(servers=5, volumes_per_server=2, projects=2, backups_per_volume=3))
    assert (len(cloud.servers()), len(cloud.volumes()), len(cloud.backups())) == (5, 10, 30)
    assert len(cloud.volumes(project_id=cloud.world.project("project-00001").id)) == 4
    assert sum(row["is_incremental"] for row in cloud.backups()) == 20


def test_a_cloud_serves_from_its_own_process_until_told_to_end(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "staffeln_cli.demo.simcloud",
        "--servers",
        "2",
        "--latency",
        "0",
    ]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout
        lines = iter(process.stdout.readline, "    identity_api_version: 3\n")
        (tmp_path / "clouds.yaml").write_text("".join(lines))
        loader = openstack.config.OpenStackConfig(
            config_files=[str(tmp_path / "clouds.yaml")], load_envvars=False
        )
        connection = openstack.connection.Connection(config=loader.get_one("sim"))
        assert len(list(connection.compute.servers(all_projects=True))) == 2
        connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
