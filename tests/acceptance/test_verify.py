"""Restore drills: what is proven, what a failed one leads to, and that nothing is left of any."""

from collections.abc import Iterator
from datetime import timedelta
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
    volumes,
)
from tests.conftest import Answer, Staffeln

NOTHING = {"drills": 0, "passed": 0, "failed": 0, "cancelled": 0, "running": 0}


@pytest.fixture(autouse=True)
def restores_take_no_time(cloud: SimCloud) -> Iterator[None]:
    cloud.restore_pace = timedelta(0)
    yield


def verify(staffeln: Staffeln, *options: str) -> Answer:
    return staffeln("verify", "-f", "json", *options)


def counted(**counts: int) -> dict[str, int]:
    return NOTHING | counts


def scratch(cloud: SimCloud) -> list[dict[str, Any]]:
    return [one for one in cloud.volumes() if (one["name"] or "").startswith("staffeln-drill-")]


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


def test_those_without_proof_come_first_and_then_the_oldest_proof(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    first, second, third = some_volumes(cloud, 3)
    rounds(staffeln, cloud, 1)
    for volume in (second, first):
        assert verify(staffeln, "--volume", volume).counts == counted(drills=1, passed=1)
        cloud.advance(days=1)
    order = []
    for _ in range(3):
        plan = verify(staffeln, "--dry-run", "--count", "1").json["decisions"]
        assert verify(staffeln, "--count", "1").exit_code == 0
        cloud.advance(hours=1)
        backup_id = plan[0]["id"]
        order += [one["volume_id"] for one in records(staffeln) if one["backup_id"] == backup_id]
    assert order == [third, second, first]


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


def test_the_bounds_of_a_pass_hold(cloud: SimCloud, staffeln: Staffeln) -> None:
    some_volumes(cloud, 3, size_gib=4)
    rounds(staffeln, cloud, 1)
    for bound, begun in (({"VERIFY_COUNT": "2"}, 2), ({"VERIFY_MAX_GIB": "8"}, 2)):
        staffeln.set(**{"VERIFY_COUNT": "5", "VERIFY_MAX_GIB": "1000", **bound})
        assert verify(staffeln, "--dry-run").counts["drills"] == begun
    staffeln.set(VERIFY_MAX_GIB="1000")
    cloud.set_quota("backup", gigabytes=3)
    answer = verify(staffeln)
    assert (answer.exit_code, answer.counts) == (0, NOTHING)


def test_a_quota_that_is_used_up_meanwhile_cancels_and_fails_nothing(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.fail_next("POST", "/volumes", status=413, headers={"Retry-After": "0"})
    answer = verify(staffeln)
    assert (answer.exit_code, answer.counts) == (0, counted(drills=1, cancelled=1))
    assert volumes(staffeln)[volume]["proven_at"] is None
    assert staffeln("status", "--nagios").exit_code == 0


def test_a_restore_that_fails_twice_has_failed_and_the_older_chain_is_tried(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="1")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 4)
    made = [one["backup_id"] for one in records(staffeln)]
    cloud.set_backup(made[2], spoiled=True)  # the full backup of the newest chain
    answer = verify(staffeln)
    assert (answer.exit_code, answer.counts) == (
        3,
        counted(drills=3, failed=1, cancelled=1, passed=1),
    )
    (failure,) = answer.json["failures"]
    assert (failure["kind"], failure["id"]) == ("backup", made[3])
    assert "error_restoring" in failure["reason"]
    assert "none is proven" in failure["reason"]
    assert scratch(cloud) == []
    assert volumes(staffeln)[volume]["proven_at"] is not None


def test_after_a_failed_drill_the_next_backup_is_a_full_one_at_once(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 2)
    backed_up(staffeln, cloud)
    newest = records(staffeln)[-1]
    assert newest["kind"] == "incremental"
    assert verify(staffeln).counts["passed"] == 1
    cloud.set_backup(newest["backup_id"], spoiled=True)
    failed = verify(staffeln)
    assert failed.exit_code == 3
    assert "none is proven" in reasons(failed)[0], "the proof of the same chain counts no more"
    assert staffeln("status", "-f", "json").json["proofs"]["proven"] == 0
    nagios = staffeln("status", "--nagios")
    assert (nagios.exit_code, "drill" in nagios.stdout) == (2, True)
    cloud.advance(minutes=1)
    assert staffeln("collect", "-f", "json").counts["planned"] == 1
    backed_up(staffeln, cloud)
    assert records(staffeln)[-1]["kind"] == "full"
    assert staffeln("status", "--nagios").exit_code == 2, "it is not proven yet"
    cloud.advance(hours=1)
    assert staffeln("collect", "-f", "json").counts["planned"] == 0
    assert verify(staffeln).counts == counted(drills=1, passed=1)
    assert staffeln("status", "--nagios").exit_code == 0
    assert volumes(staffeln)[volume]["proven_at"] is not None


def test_an_incremental_that_was_planned_on_the_failed_chain_becomes_full(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.set_backup(records(staffeln)[0]["backup_id"], spoiled=True)
    staffeln("collect")
    assert records(staffeln)[-1]["kind"] == "incremental"
    assert verify(staffeln).exit_code == 3
    assert records(staffeln)[-1]["kind"] == "full"


def test_a_restart_of_cinder_backup_cancels_the_drill_and_it_is_tried_again(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    failed: list[str] = []

    def restart(request: Any) -> None:
        if request.method == "GET" and scratch(cloud) and not failed:
            failed.extend(cloud.fail_restores())

    cloud.restore_pace = timedelta(seconds=1)
    cloud.on_request = restart
    answer = verify(staffeln)
    assert len(failed) == 1
    assert (answer.exit_code, answer.counts) == (0, counted(drills=2, cancelled=1, passed=1))
    assert scratch(cloud) == []


def test_the_reply_to_the_restore_is_lost_and_the_volume_is_found_by_its_name(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.lose_reply_next("POST", "/volumes", acting=True)
    answer = verify(staffeln)
    assert (answer.exit_code, answer.counts) == (0, counted(drills=1, passed=1))
    assert len(sent(cloud, "POST", "/volumes")) == 1
    assert scratch(cloud) == []


def test_a_restored_volume_that_differs_has_failed(cloud: SimCloud, staffeln: Staffeln) -> None:
    cloud.volume_types = {"lvm": False, "luks": True}
    a_volume(cloud, encrypted=True, volume_type="luks")
    rounds(staffeln, cloud, 1)

    def spoil(request: Any) -> None:
        for one in scratch(cloud):
            cloud.set_volume(one["id"], encrypted=False)

    cloud.on_request = spoil
    answer = verify(staffeln)
    assert (answer.exit_code, answer.counts["failed"]) == (3, 1)
    assert "encryption is False, not True" in reasons(answer)[0]


def test_while_a_backup_is_restored_its_chain_is_left_alone(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    """And as soon as the restore is over, all goes on as it would have."""
    staffeln.set(RETENTION_TIME="1d", RETENTION_KEEP_LAST="0", VERIFY_TIME_BUDGET="1s")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.restore_pace = timedelta(hours=20)
    answer = verify(staffeln)
    assert (answer.exit_code, answer.counts) == (0, counted(drills=1, running=1))
    assert staffeln("collect", "-f", "json").counts["planned"] == 0
    waiting = staffeln("backup", "--volume", volume, "-f", "json")
    assert (waiting.exit_code, waiting.counts["deferred"]) == (0, 1)
    assert any("restored" in one["reason"] for one in waiting.json["decisions"])
    assert staffeln("retain", "-f", "json").counts["deleting"] == 0
    assert cloud.refused_deletes() == []
    cloud.advance(hours=21)
    assert verify(staffeln).counts["passed"] == 1
    backed_up(staffeln, cloud)
    assert [one["kind"] for one in records(staffeln)] == ["full", "incremental"]
    assert scratch(cloud) == []


def test_a_drill_that_outlasts_the_pass_is_gone_on_with_by_check_or_the_next_pass(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(VERIFY_TIME_BUDGET="1s")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.restore_pace = timedelta(hours=5)
    assert verify(staffeln).counts == counted(drills=1, running=1)
    staffeln("check")
    assert len(scratch(cloud)) == 1
    cloud.advance(hours=6)
    for _ in range(2):
        assert staffeln("check").exit_code == 0
    assert scratch(cloud) == []
    assert volumes(staffeln)[volume]["proven_at"] is not None


def test_scratch_volumes_that_are_left_over_are_removed_and_others_are_not(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    names: list[str] = []

    def note(request: Any) -> None:
        names.extend(one["name"] for one in scratch(cloud))

    cloud.on_request = note
    assert verify(staffeln).exit_code == 0
    cloud.on_request = None
    cloud.add_volume(names[0], project="backup")
    cloud.add_volume("staffeln-drill-of-somebody-else", project="backup")
    cloud.add_volume("a volume of ours", project="backup")
    assert verify(staffeln).exit_code == 0
    left = cloud.volumes(project_id=cloud.world.project("backup").id)
    assert [one["name"] for one in left] == [
        "staffeln-drill-of-somebody-else",
        "a volume of ours",
    ]


def test_expected_recovery_times_are_those_of_restores(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    """Chains of 1, 4 and 7 backups, restored with real durations."""
    staffeln.set(VERIFY_MAX_IN_FLIGHT="3")
    pace, gib = 0.15, 20
    names = {"short": 1, "middle": 4, "long": 7}
    for day in range(7):
        for name, length in names.items():
            if length == 7 - day:
                a_volume(cloud, name, size_gib=gib)
        rounds(staffeln, cloud, 1)
    cloud.restore_pace = timedelta(seconds=pace)
    assert verify(staffeln).counts == counted(drills=3, passed=3)
    shown = staffeln("status", "-f", "json").json["proofs"]
    rates = {one["chain_length"]: one["seconds_per_gib"] for one in shown["recovery"]}
    assert rates.keys() == {1, 4, 7}
    for length, rate in rates.items():
        assert rate == pytest.approx(pace * length, rel=0.25), rates
    assert "3 of 3 volumes proven in the last 100d" in staffeln("status").stdout
    plan = staffeln("restore", "--volume", "long", "--dry-run", "-f", "json").json
    assert "takes about" in plan["decisions"][0]["reason"]
    explained = staffeln("explain", "long", "-f", "json").json
    assert explained["proven_at"] is not None
    assert explained["recovery_seconds"] == pytest.approx(pace * 7 * gib, rel=0.25)
    assert "restored for proof" in staffeln("explain", "long").stdout


def test_explain_and_the_report_tell_of_a_failed_drill(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "orders")
    rounds(staffeln, cloud, 1)
    cloud.set_backup(records(staffeln)[0]["backup_id"], spoiled=True)
    assert verify(staffeln).exit_code == 3
    assert "A restore drill of it FAILED" in staffeln("explain", "orders").stdout
    assert "a restore drill of the last chain failed" in staffeln("explain", "orders").stdout


def test_doctor_lists_scratch_volumes_that_are_left(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.add_volume("staffeln-drill-unknown", project="backup")
    checks = {one["name"]: one for one in staffeln("doctor", "-f", "json").json}
    assert checks["scratch volumes"]["level"] == "warning"
    assert "staffeln-drill-unknown" in checks["scratch volumes"]["text"]
