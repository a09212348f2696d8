"""Restore drills: which backups are proven, within which bounds, and what a restore takes."""

from datetime import timedelta
from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import (
    a_volume,
    changes,
    everything,
    records,
    rounds,
    sent,
    some_volumes,
    volumes,
)
from tests.acceptance.drills import counted, scratch, verify
from tests.conftest import Staffeln

pytestmark = pytest.mark.usefixtures("restores_take_no_time")


def test_a_backup_is_restored_in_our_own_project_and_nothing_is_left(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud, size_gib=3, bootable=True)
    rounds(staffeln, cloud, 2)
    before = cloud.volumes(project_id=cloud.world.project("shop").id)
    cloud.requests.clear()
    answer = verify(staffeln)
    assert (answer.exit_code, answer.counts) == (0, counted(drills=1, passed=1))
    (made,) = sent(cloud, "POST", "/volumes")[:1]
    wanted = made.body["volume"]
    assert made.project_id == cloud.world.project("backup").id
    assert wanted["name"].startswith("staffeln-drill-")
    assert wanted["metadata"]["staffeln:drill"] in wanted["name"]
    assert (wanted["size"], wanted["backup_id"]) == (3, records(staffeln)[-1]["backup_id"])
    assert scratch(cloud) == []
    assert cloud.volumes(project_id=cloud.world.project("shop").id) == before
    assert volumes(staffeln)[volume]["proven_at"] is not None


def test_a_drill_takes_few_requests(cloud: SimCloud, staffeln: Staffeln) -> None:
    some_volumes(cloud, 3, bootable=True)
    rounds(staffeln, cloud, 1)
    cloud.requests.clear()
    answer = verify(staffeln)
    assert answer.counts == counted(drills=3, passed=3)
    assert len(cloud.requests) <= 3 * 12


def test_what_to_prove_can_be_named(cloud: SimCloud, staffeln: Staffeln) -> None:
    orders = a_volume(cloud, "orders")
    a_volume(cloud, "mail", project="lab")
    rounds(staffeln, cloud, 2)
    backup = records(staffeln)[0]
    server = cloud.servers(name="orders-server")[0]["id"]
    for options in (
        ("--volume", "orders"),
        ("--server", server),
        ("--project", "shop"),
        ("--backup", backup["name"]),
    ):
        plan = verify(staffeln, *options, "--dry-run").json["decisions"]
        assert len(plan) == 1, options
        chosen = {one["backup_id"]: one["volume_id"] for one in records(staffeln)}
        assert {chosen[plan[0]["id"]]} <= {orders, backup["volume_id"]}
    for unknown in (("--volume", "x"), ("--project", "x"), ("--server", "x"), ("--backup", "x")):
        assert staffeln("verify", *unknown).exit_code == 2


def test_a_dry_run_says_what_would_be_proven_and_changes_nothing(
    cloud: SimCloud, staffeln: Staffeln, sqlite_url: str
) -> None:
    some_volumes(cloud, 2)
    rounds(staffeln, cloud, 1)
    before = everything(sqlite_url)
    cloud.requests.clear()
    answer = verify(staffeln, "--dry-run")
    assert answer.counts == counted(drills=2)
    assert "never proven" in answer.json["decisions"][0]["reason"]
    assert changes(cloud) == []
    assert everything(sqlite_url) == before


def test_old_drills_are_forgotten_but_for_the_newest_of_a_volume(
    cloud: SimCloud, staffeln: Staffeln, sqlite_url: str
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    for _ in range(2):
        assert verify(staffeln).exit_code == 0
    assert len(everything(sqlite_url)["drills"]) == 2
    cloud.advance(days=91)
    staffeln("retain")
    assert len(everything(sqlite_url)["drills"]) == 1


def test_the_time_to_restore_a_server_is_that_of_its_volumes_together(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud, "data", size_gib=10)
    cloud.things.add_volume("logs", project="shop", server="data-server", size_gib=20)
    rounds(staffeln, cloud, 1)
    cloud.settings.restore_pace = timedelta(seconds=0.02)
    assert verify(staffeln).counts == counted(drills=2, passed=2)
    alone = [staffeln("explain", name, "-f", "json").json for name in ("data", "logs")]
    total = sum(one["recovery_seconds"] for one in alone)
    assert alone[0]["server_recovery_seconds"] == pytest.approx(total, rel=0.01)
    assert "all volumes of its server takes" in staffeln("explain", "data").stdout
    rows = staffeln("status", "volumes", "-f", "json").json
    assert sum(one["recovery_seconds"] for one in rows) == pytest.approx(total, rel=0.01)
    plan = staffeln("restore", "--server", "data-server", "--dry-run", "-f", "json").json
    assert plan["counts"]["restoring"] == 2
    assert [one["name"] for one in plan["decisions"]][-1] == "all of them"
    assert "one after another" in plan["decisions"][-1]["reason"]
    staffeln("report", "--project", "shop", "--preview", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text()
    assert "Expected time to restore" in page
    assert "data-server" in page
