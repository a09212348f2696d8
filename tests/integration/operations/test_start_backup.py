"""One request to Cinder for a backup: refusals, and answers that are lost."""

import sqlite3
from contextlib import closing

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from tests.acceptance.builders import (
    a_volume,
    ids,
    reasons,
    sent,
    some_volumes,
    states,
    twice,
)
from tests.conftest import Staffeln


def test_over_quota_fails_with_the_reason_and_the_projects_others_wait(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 5, project="poor")
    some_volumes(cloud, 2, project="rich")
    cloud.people.set_quota("poor", backups=1)
    staffeln("collect")
    answer = staffeln("backup", "-f", "json")
    assert answer.exit_code == 3
    assert (answer.counts["started"], answer.counts["failed"]) == (3, 1)
    assert answer.counts["deferred"] == 3
    assert "Maximum number of backups allowed (1) exceeded" in reasons(answer)[0]
    assert sorted(states(staffeln)) == ["creating"] * 3 + ["failed"] + ["planned"] * 3


def test_over_the_quota_of_gigabytes_names_the_figures(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, size_gib=8)
    cloud.people.set_quota("shop", backup_gigabytes=7)
    staffeln("collect")
    assert "quota is 7G" in reasons(staffeln("backup", "-f", "json"))[0]


def test_a_volume_deleted_since_collect_is_cancelled_without_a_fuss(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume, _ = some_volumes(cloud, 2)
    staffeln("collect")
    cloud.things.remove_volume(volume)
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (0, 1)
    assert sorted(states(staffeln)) == ["cancelled", "creating"]


def test_a_busy_volume_is_planned_again_and_left_alone_for_a_while(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln("collect")
    cloud.things.set_volume(volume, status="extending")
    assert staffeln("backup", "-f", "json").exit_code == 0
    assert states(staffeln) == ["planned"]
    cloud.things.set_volume(volume, status="in-use")
    assert staffeln("backup", "-f", "json").counts["deferred"] == 1
    cloud.advance(minutes=5)
    assert staffeln("backup", "-f", "json").counts["started"] == 1


def test_a_volume_that_broke_since_collect_fails_with_its_status(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln("collect")
    cloud.things.set_volume(volume, status="error")
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["failed"]) == (3, 1)
    assert '"error"' in reasons(answer)[0]


def test_no_role_in_a_project_fails_its_volumes_and_no_others(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.people.add_project("closed", operated=False)
    some_volumes(cloud, 2, project="closed")
    some_volumes(cloud, 2, project="open")
    staffeln("collect")
    answer = staffeln("backup", "-f", "json")
    assert (answer.counts["started"], answer.counts["failed"]) == (2, 2)
    assert all("role member" in reason for reason in reasons(answer))


def test_a_reader_cannot_back_up_and_is_told_so(cloud: SimCloud, staffeln: Staffeln) -> None:
    cloud.people.add_project("shop", operated=False)
    cloud.people.grant("backup", "shop", "reader")
    a_volume(cloud)
    staffeln("collect")
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["failed"]) == (3, 1)
    assert "403" in reasons(answer)[0]


def test_a_request_to_slow_down_leaves_the_backup_planned(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln("collect")
    cloud.faults.fail_next("POST", "/backups", status=429, headers={"Retry-After": "1"})
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["deferred"]) == (0, 1)
    assert states(staffeln) == ["planned"]


@pytest.mark.parametrize("acting", [False, True])
def test_a_create_whose_answer_is_lost_is_never_sent_twice_on_a_guess(
    cloud: SimCloud, staffeln: Staffeln, acting: bool
) -> None:
    a_volume(cloud)
    staffeln("collect")
    cloud.faults.lose_reply_next("POST", "/backups", acting=acting)
    answer = staffeln("backup", "-f", "json")
    assert answer.exit_code == 3
    assert states(staffeln) == ["starting"]
    staffeln.cycle("check", "backup")  # the claim still stands: nothing is touched
    assert states(staffeln) == ["starting"]
    cloud.advance(minutes=1)
    check = staffeln("check", "-f", "json")
    assert check.counts["adopted"] == int(acting)
    twice(staffeln, cloud, "check")
    staffeln("backup")
    assert len(cloud.backups()) == 1
    cloud.steering.finish_backups()
    assert staffeln("check", "-f", "json").counts["available"] == 1
    assert states(staffeln) == ["available"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_leaves_doubt_that_check_resolves(
    cloud: SimCloud, staffeln: Staffeln, status: int
) -> None:
    a_volume(cloud)
    staffeln("collect")
    cloud.faults.fail_next("POST", "/backups", status=status)
    staffeln("backup")
    assert len(sent(cloud, "POST", "/backups")) == 1
    assert states(staffeln) == ["starting"]
    cloud.advance(minutes=1)
    twice(staffeln, cloud, "check")
    staffeln("backup")
    assert states(staffeln) == ["creating"]


def test_a_backup_that_a_lagging_service_hides_is_adopted_and_not_made_twice(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln("collect")
    cloud.faults.lose_reply_next("POST", "/backups", acting=True)
    staffeln("backup")
    cloud.advance(minutes=1)
    (backup,) = ids(cloud)
    cloud.faults.omit_next("/backups", [backup])
    staffeln.cycle("check", "backup")
    assert states(staffeln) == ["starting"]
    cloud.advance(minutes=11)
    assert staffeln("check", "-f", "json").counts["adopted"] == 1
    assert (ids(cloud), states(staffeln)) == ([backup], ["creating"])


def test_a_refusal_to_a_process_that_was_overtaken_is_named_and_ends_nothing_of_the_others(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln("collect")
    file = staffeln.environ["STAFFELN_DATABASE_URL"].removeprefix("sqlite:///")

    def overtake(request: Request) -> None:
        if request.method == "POST" and request.path.endswith("/backups"):
            with closing(sqlite3.connect(file)) as database, database:
                database.execute("UPDATE backups SET claimed_by = 'another run'")

    cloud.on_request = overtake
    cloud.faults.fail_next("POST", "/backups", status=400)
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["failed"]) == (3, 0)
    assert states(staffeln) == ["starting"]
