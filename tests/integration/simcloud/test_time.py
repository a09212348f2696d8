"""The cloud's own clock, and work that ends by it or when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import openstack
import pytest

from staffeln_cli.demo import simcloud

if TYPE_CHECKING:
    from staffeln_cli.demo.simcloud import SimCloud
    from tests.integration.simcloud.conftest import Client

THEN = datetime(2020, 2, 29, 22, 0, 0, 999, tzinfo=UTC)


def test_a_cloud_started_at_a_time_stays_there_until_it_is_moved(tmp_path: Path) -> None:
    with simcloud.serving(now=THEN) as cloud:
        volume = cloud.things.add_volume("v")
        (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml())
        loader = openstack.config.OpenStackConfig(
            config_files=[str(tmp_path / "clouds.yaml")], load_envvars=False
        )
        connection = openstack.connection.Connection(config=loader.get_one("sim"))
        reply = connection.block_storage.get(f"/volumes/{volume}")
        assert reply.json()["volume"]["created_at"] == "2020-02-29T22:00:00.000000"
        assert parsedate_to_datetime(reply.headers["Date"]) == THEN.replace(microsecond=0)
        assert cloud.advance(days=1) == THEN + timedelta(days=1)
        connection.close()
    assert len([r for r in cloud.requests if r.path.endswith("/auth/tokens")]) == 1


def test_a_clock_can_be_given() -> None:
    with simcloud.serving(clock=lambda: THEN) as cloud:
        assert cloud.now() == THEN
        cloud.advance(timedelta(hours=1), minutes=5)
        assert cloud.now() == THEN + timedelta(minutes=65)


def test_a_frozen_clock_runs_again_from_where_it_stood(cloud: SimCloud) -> None:
    cloud.freeze(THEN)
    assert cloud.now() == cloud.now() == THEN
    cloud.thaw()
    assert THEN <= cloud.now() < THEN + timedelta(minutes=1)


def test_a_reset_brings_the_time_back(cloud: SimCloud) -> None:
    cloud.freeze(THEN)
    cloud.reset()
    assert abs(cloud.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_date_header_is_the_clouds(cloud: SimCloud, sim: Client) -> None:
    cloud.advance(days=3)
    date = parsedate_to_datetime(sim.volume_api("GET", "/volumes/detail").headers["Date"])
    assert abs(date - datetime.now(UTC) - timedelta(days=3)) < timedelta(minutes=1)


def test_tokens_end_by_the_clouds_clock(cloud: SimCloud, sim: Client) -> None:
    sim.volume_api("GET", "/volumes/detail")
    cloud.advance(cloud.settings.token_lifetime)
    assert sim.volume_api("GET", "/volumes/detail").status_code == 200
    assert [request.status for request in cloud.requests[-3:]] == [401, 201, 200]


def test_a_backup_is_creating_until_told_to_finish(cloud: SimCloud, sim: Client) -> None:
    server = cloud.things.add_server("s")
    volume = cloud.things.add_volume("v", server=server)
    backup = sim.backup(volume)
    cloud.advance(days=1)
    assert cloud.backups()[0]["status"] == "creating"
    assert cloud.volumes()[0]["status"] == "backing-up"
    assert cloud.steering.finish_backups() == [backup]
    assert cloud.backups()[0]["status"] == "available"
    assert cloud.volumes()[0]["status"] == "in-use"


def test_a_backup_finishes_by_the_clock_if_told_so(cloud: SimCloud, sim: Client) -> None:
    cloud.freeze()
    cloud.settings.finish_after = timedelta(minutes=10)
    sim.backup(cloud.things.add_volume("v"))
    cloud.advance(minutes=9)
    assert cloud.backups()[0]["status"] == "creating"
    cloud.advance(minutes=1)
    assert cloud.backups()[0]["status"] == "available"


def test_only_the_named_backups_finish(cloud: SimCloud, sim: Client) -> None:
    first, second = (sim.backup(cloud.things.add_volume(name)) for name in "ab")
    cloud.steering.finish_backups([second])
    assert {b["id"]: b["status"] for b in cloud.backups()} == {
        first: "creating",
        second: "available",
    }


def test_a_stuck_backup_stays_creating(cloud: SimCloud, sim: Client) -> None:
    backup = sim.backup(cloud.things.add_volume("v"))
    cloud.steering.stuck(backup)
    cloud.settings.finish_after = timedelta(0)
    assert cloud.steering.finish_backups() == []
    assert cloud.backups()[0]["status"] == "creating"


def test_a_backup_that_is_to_fail_fails_when_it_ends(cloud: SimCloud, sim: Client) -> None:
    cloud.steering.fail_next_backup("no space left")
    sim.backup(cloud.things.add_volume("v"))
    sim.backup(cloud.things.add_volume("w"))
    assert {backup["status"] for backup in cloud.backups()} == {"creating"}
    cloud.steering.finish_backups()
    (failed,) = cloud.backups(status="error")
    assert failed["fail_reason"] == "no space left"


def test_running_backups_can_be_made_to_fail(cloud: SimCloud, sim: Client) -> None:
    sim.backup(cloud.things.add_volume("v"))
    cloud.steering.fail_backups("x" * 300)
    (failed,) = cloud.backups(status="error")
    assert failed["fail_reason"] == "x" * 255
    assert cloud.volumes()[0]["status"] == "available"


def test_a_deletion_is_over_by_the_next_request(cloud: SimCloud, sim: Client) -> None:
    volume = cloud.things.add_volume("v")
    full, child = (
        cloud.things.add_backup(volume),
        cloud.things.add_backup(volume, incremental=True),
    )
    assert sim.delete(child).status_code == 202
    assert sim.delete(full).status_code == 202
    assert cloud.backups() == []


def test_a_deletion_can_take_its_time(cloud: SimCloud, sim: Client) -> None:
    cloud.settings.delete_after = None
    volume = cloud.things.add_volume("v")
    full, child = (
        cloud.things.add_backup(volume),
        cloud.things.add_backup(volume, incremental=True),
    )
    sim.delete(child)
    assert cloud.backups(status="deleting")
    assert sim.delete(full).status_code == 400
    assert cloud.steering.finish_deletions() == [child]
    assert sim.delete(full).status_code == 202


@pytest.mark.parametrize("status", ["error", "error_deleting"])
def test_a_deletion_can_fail(cloud: SimCloud, sim: Client, status: str) -> None:
    cloud.settings.delete_after = None
    sim.delete(cloud.things.add_backup(cloud.things.add_volume("v")))
    cloud.steering.fail_deletions("the store is read-only", status=status)
    (row,) = cloud.backups()
    assert (row["status"], row["fail_reason"]) == (status, "the store is read-only")


def test_a_restore_ends_when_told(cloud: SimCloud, sim: Client) -> None:
    backup = cloud.things.add_backup(cloud.things.add_volume("v"))
    path = f"/backups/{backup}/restore"
    answer = sim.volume_api("POST", path, json={"restore": {"name": "new"}}).json()["restore"]
    assert cloud.volumes(id=answer["volume_id"])[0]["status"] == "restoring-backup"
    cloud.steering.finish_restores()
    assert cloud.volumes(id=answer["volume_id"])[0]["status"] == "available"
    sim.volume_api("POST", path, json={"restore": {"volume_id": answer["volume_id"]}})
    cloud.steering.fail_restores()
    assert cloud.volumes(id=answer["volume_id"])[0]["status"] == "error_restoring"
    assert cloud.backups()[0]["status"] == "available"
