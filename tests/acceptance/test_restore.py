"""Backups brought back: which, to where, and what is said when it cannot be done."""

from typing import Any

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import (
    a_volume,
    backed_up,
    changes,
    everything,
    reasons,
    records,
    rounds,
    sent,
    some_volumes,
)
from tests.build import MARKED
from tests.conftest import Answer, Staffeln

MISSING = "00000000-0000-0000-0000-000000000000"


def restored(answer: Answer) -> list[str]:
    """Which backups the outcome says it restored."""
    return [one["id"] for one in answer.json["decisions"]]


def new_volumes(cloud: SimCloud) -> list[dict[str, Any]]:
    return [one for one in cloud.volumes() if "_restored_" in (one["name"] or "")]


@pytest.mark.parametrize("by", ["name", "backup_id"])
def test_a_backup_becomes_a_new_volume_in_its_own_project(
    cloud: SimCloud, staffeln: Staffeln, by: str
) -> None:
    old = a_volume(cloud, "orders", project="shop")
    rounds(staffeln, cloud, 1)
    backup = records(staffeln)[0]
    answer = staffeln("restore", backup[by], "-f", "json")
    assert (answer.exit_code, answer.counts) == (0, {"restoring": 1, "restored": 0, "failed": 0})
    assert restored(answer) == [backup["backup_id"]]
    (new,) = new_volumes(cloud)
    assert new["project_id"] == cloud.world.project("shop").id
    assert new["name"].startswith("orders_restored_")
    assert new["id"] != old
    assert new["id"] in answer.json["decisions"][0]["reason"]


def test_in_text_it_says_what_became_which_volume(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud, "orders")
    rounds(staffeln, cloud, 1)
    answer = staffeln("restore", records(staffeln)[0]["name"], "--name", "orders-again")
    assert answer.exit_code == 0
    (new,) = [one for one in cloud.volumes() if one["name"] == "orders-again"]
    assert f"to volume orders-again ({new['id']})" in " ".join(answer.stdout.split())


def test_the_newest_of_a_volume_is_taken_or_the_newest_before_a_moment(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 3)
    made = records(staffeln)
    at = cloud.backups(id=made[1]["backup_id"])[0]["created_at"].strftime("%Y-%m-%dT%H:%M:%SZ")
    for options, expected in (
        ((), made[2]),
        (("--at", at), made[1]),
        (("--at", at.replace("Z", "+01:00")), made[0]),
        (("--at", at.removesuffix("Z")), made[1]),
    ):
        answer = staffeln("restore", "--volume", volume, *options, "--dry-run", "-f", "json")
        assert restored(answer) == [expected["backup_id"]], options
    answer = staffeln("restore", "--volume", volume, "--at", "2001-01-01", "-f", "json")
    assert (answer.exit_code, answer.counts["failed"]) == (3, 1)
    assert reasons(answer) == [
        "has no backup from before 2001-01-01 00:00 UTC that can surely be restored"
    ]


def test_a_volume_may_be_named_as_people_call_it(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud, "orders")
    a_volume(cloud, "twin")
    cloud.things.add_volume("twin", project="shop")
    rounds(staffeln, cloud, 1)
    answer = staffeln("restore", "--volume", "orders", "--dry-run", "-f", "json")
    assert len(restored(answer)) == 1
    for name, said in (("twin", "2 volumes are named 'twin'"), ("none", "no volume 'none'")):
        answer = staffeln("restore", "--volume", name)
        assert (answer.exit_code, said in answer.stderr) == (2, True)


def test_all_volumes_of_a_server_come_back_also_when_all_is_gone(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.people.add_project("shop")
    server = cloud.things.add_server("web", project="shop", metadata=MARKED)
    names = ("root", "data", "logs")
    ids = [cloud.things.add_volume(name, project="shop", server=server) for name in names]
    a_volume(cloud, "somebody-elses")
    rounds(staffeln, cloud, 1)
    cloud.things.remove_server(server)
    for one in ids:
        cloud.things.remove_volume(one)
    staffeln("collect")
    answer = staffeln("restore", "--server", server, "-f", "json")
    assert (answer.exit_code, answer.counts["restoring"]) == (0, 3)
    assert sorted(one["name"].split("_")[0] for one in new_volumes(cloud)) == sorted(names)


def test_a_chain_that_is_broken_is_passed_over_for_one_that_is_whole(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="1")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 4)
    made = records(staffeln)
    cloud.things.remove_backup(made[2]["backup_id"], force=True)
    answer = staffeln("restore", "--volume", volume, "--dry-run", "-f", "json")
    assert restored(answer) == [made[1]["backup_id"]]


def test_a_backup_made_by_hand_can_be_restored_as_well(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    by_hand = cloud.things.add_backup(volume, name="by-hand")
    for options in ((by_hand,), ("--volume", volume)):
        answer = staffeln("restore", *options, "--dry-run", "-f", "json")
        assert restored(answer) == [by_hand]


def test_a_dry_run_changes_nothing(cloud: SimCloud, staffeln: Staffeln, database_url: str) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    before = everything(database_url)
    cloud.requests.clear()
    answer = staffeln("restore", "--volume", volume, "--dry-run", "--wait")
    assert answer.exit_code == 0
    assert "restore (dry run): 1 restoring" in answer.stdout
    assert changes(cloud) == []
    assert everything(database_url) == before


def test_what_cinder_refuses_is_named_and_the_others_go_on(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 2)
    rounds(staffeln, cloud, 1)
    first, second = (one["backup_id"] for one in records(staffeln))
    assert staffeln("restore", first).exit_code == 0
    answer = staffeln("restore", first, second, "-f", "json")
    assert (answer.exit_code, answer.counts["restoring"], answer.counts["failed"]) == (3, 1, 1)
    assert "is in status restoring" in reasons(answer)[0]
    assert answer.json["failures"][0]["id"] == first


@pytest.mark.parametrize(
    "options", [("nothing-like-it",), (MISSING,), ("--server", "none"), ("../volumes",)]
)
def test_what_does_not_exist_is_named_before_anything_is_done(
    cloud: SimCloud, staffeln: Staffeln, options: tuple[str, ...]
) -> None:
    a_volume(cloud)
    backed_up(staffeln, cloud)
    good = records(staffeln)[0]["backup_id"]
    answer = staffeln("restore", good, *options)
    assert answer.exit_code == 2
    assert options[-1] in answer.stderr
    assert sent(cloud, "POST", "/volumes") == []


def test_a_plan_is_nothing_to_restore(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    staffeln("collect")
    answer = staffeln("restore", records(staffeln)[0]["name"])
    assert answer.exit_code == 2
    assert "is planned: Cinder has nothing to restore" in " ".join(answer.stderr.split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Name a BACKUP"),
        (("one", "--at", "2026-11-22"), "--at needs --volume or --server"),
        (("--volume", "v", "--at", "yesterday"), "'yesterday' is not a time; use 2026-11-22"),
        (("one", "two", "--name", "n"), "--name is for one volume"),
        (("--server", "s", "--name", "n"), "--name is for one volume"),
    ],
)
def test_wrong_usage_is_told(staffeln: Staffeln, options: tuple[str, ...], said: str) -> None:
    answer = staffeln("restore", *options)
    assert answer.exit_code == 2
    assert said in " ".join(answer.stderr.split())
