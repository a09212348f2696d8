"""A backup is only made in the project that owns the volume, and each project keeps its terms."""

import sqlite3
from contextlib import closing

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from tests.acceptance.builders import (
    a_volume,
    backed_up,
    everything,
    ids,
    records,
    rounds,
    sent,
    some_volumes,
    states,
    volumes,
)
from tests.build import MARKED
from tests.conftest import Staffeln


def transfer(cloud: SimCloud, volume: str, project: str, **metadata: str) -> str:
    """Transfer a volume, and attach it to a marked server of its new owner."""
    if project not in {one.name for one in cloud.world.identity.projects.values()}:
        cloud.people.add_project(project)
    cloud.things.transfer_volume(volume, project)
    server = cloud.things.add_server(
        f"{project}-server", project=project, metadata=MARKED | metadata
    )
    cloud.things.attach(volume, server)
    return cloud.world.project(project).id


def owners(cloud: SimCloud) -> list[str]:
    """The names of the projects that own the backups, oldest first."""
    names = {one.id: one.name for one in cloud.world.identity.projects.values()}
    return [names[one["project_id"]] for one in cloud.backups()]


@pytest.fixture(params=["member", "admin"])
def login(request: pytest.FixtureRequest, cloud: SimCloud) -> str:
    """A login with least rights in the projects, or one that is admin everywhere."""
    role: str = request.param
    if role == "admin":
        for project in ("shop", "bank"):
            cloud.people.add_project(project)
            cloud.people.grant("backup", project, "admin")
    return role


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize("others", [0, 5])
def test_a_plan_is_not_carried_out_in_the_project_that_the_volume_has_left(
    cloud: SimCloud, staffeln: Staffeln, others: int
) -> None:
    volume = a_volume(cloud)
    some_volumes(cloud, others)
    staffeln("collect")
    bank = transfer(cloud, volume, "bank")
    answer = staffeln("run", "-f", "json")
    assert answer.exit_code == 0
    assert sorted(owners(cloud)) == ["bank"] + ["shop"] * others
    ended = next(one for one in records(staffeln) if one["state"] == "cancelled")
    assert ended["reason"] == f"the volume now belongs to project bank ({bank})"


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize("others", [0, 5])
def test_the_owner_is_asked_for_before_a_backup_is(
    cloud: SimCloud, staffeln: Staffeln, others: int
) -> None:
    volume = a_volume(cloud)
    some_volumes(cloud, others)
    staffeln("collect")
    transfer(cloud, volume, "bank")
    assert staffeln("backup").exit_code == 0
    assert owners(cloud) == ["shop"] * others
    ended = next(one for one in records(staffeln) if one["volume_id"] == volume)
    assert ended["state"] == "cancelled"
    assert "now belongs to project" in ended["reason"]
    staffeln("collect")
    found = [one["state"] for one in records(staffeln) if one["volume_id"] == volume]
    assert sorted(found) == ["cancelled", "planned"]
    backed_up(staffeln, cloud)
    assert owners(cloud).count("bank") == 1


def test_many_backups_of_one_project_cost_two_listings_of_its_volumes(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_MAX_IN_FLIGHT_PER_PROJECT="30")
    some_volumes(cloud, 12)
    staffeln("collect")
    cloud.requests.clear()
    staffeln("backup")
    assert len(sent(cloud, "POST", "/backups")) == 12
    assert len(sent(cloud, "GET", "/volumes")) == 2  # before the first request and after the last


def transferred_meanwhile(cloud: SimCloud, volume: str) -> None:
    """The volume changes hands between the listing of its project and the request for a backup."""
    cloud.people.add_project("bank")
    for project in ("shop", "bank"):
        cloud.people.grant("backup", project, "admin")

    def hand_over(request: Request) -> None:
        if request.method == "POST" and request.path.endswith("/backups"):
            cloud.on_request = None
            transfer(cloud, volume, "bank")

    cloud.on_request = hand_over


@pytest.mark.parametrize("ad_hoc", [False, True])
def test_a_backup_made_of_the_new_owners_data_in_the_former_project_is_removed(
    cloud: SimCloud, staffeln: Staffeln, *, ad_hoc: bool
) -> None:
    ids = some_volumes(cloud, 3)
    staffeln("collect")
    transferred_meanwhile(cloud, ids[0])
    chosen = [word for one in ids for word in ("--volume", one)] if ad_hoc else []
    answer = staffeln("backup", *chosen, "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (3, 3)
    (failure,) = answer.json["failures"]
    assert failure["id"] == ids[0]
    assert "now belongs to project" in failure["reason"]
    staffeln("check")
    assert sorted(one["volume_id"] for one in cloud.backups()) == sorted(ids[1:])
    backed_up(staffeln, cloud)
    assert owners(cloud) == ["shop", "shop", "bank"]


def transferred_once_complete(cloud: SimCloud, volume: str, starts: int) -> None:
    """All backups are complete, then the volume changes hands, then its owner is asked for."""
    posted = []

    def hand_over(request: Request) -> None:
        if request.method == "POST" and request.path.endswith("/backups"):
            posted.append(request)
        elif len(posted) == starts and "/volumes" in request.path:
            cloud.on_request = None
            cloud.steering.finish_backups()
            transfer(cloud, volume, "bank")

    cloud.on_request = hand_over


def test_a_backup_that_was_complete_before_its_volume_left_is_named_and_stays(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume, *_ = some_volumes(cloud, 3)
    staffeln("collect")
    transferred_once_complete(cloud, volume, 3)
    answer = staffeln("backup", "-f", "json")
    assert "perhaps since before its backup was started" in answer.json["failures"][0]["reason"]
    staffeln("check")
    backed_up(staffeln, cloud)
    assert sorted(owners(cloud)) == ["bank", "shop", "shop", "shop"]
    assert states(staffeln) == ["available"] * 4


def test_a_backup_that_a_node_hides_when_it_is_to_be_removed_is_removed_by_check(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    ids = some_volumes(cloud, 3)
    staffeln("collect")
    transferred_meanwhile(cloud, ids[0])
    hand_over = cloud.on_request
    assert hand_over is not None

    def hand_over_and_hide(request: Request) -> None:
        hand_over(request)
        if cloud.on_request is None:
            cloud.on_request = hide

    def hide(request: Request) -> None:
        if request.method == "GET" and f"/volumes/{ids[0]}" in request.path:
            cloud.on_request = None
            (made,) = (one["id"] for one in cloud.backups() if one["volume_id"] == ids[0])
            text = f"Backup {made} could not be found."
            body = {"itemNotFound": {"code": 404, "message": text}}
            cloud.faults.fail_next("GET", f"/backups/{made}", status=404, body=body)

    cloud.on_request = hand_over_and_hide
    staffeln("backup")
    staffeln.cycle("check", "check")
    assert sorted(one["volume_id"] for one in cloud.backups()) == sorted(ids[1:])


def dies_after_start(cloud: SimCloud, staffeln: Staffeln, volume: str) -> None:
    """A pass during which a volume changes hands, and that can ask for no owner any more."""
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    staffeln("collect")
    transferred_meanwhile(cloud, volume)
    hand_over = cloud.on_request
    assert hand_over is not None

    def hand_over_and_fall_silent(request: Request) -> None:
        hand_over(request)
        if cloud.on_request is None:
            cloud.faults.fail_next("GET", "/volumes", status=503, times=99)

    cloud.on_request = hand_over_and_fall_silent
    staffeln("backup")
    cloud.faults.clear()
    cloud.requests.clear()


def looked_up(cloud: SimCloud) -> list[str]:
    """What `check` asked for about volumes: listings of projects, and single volumes."""
    paths = [one.path.partition("/volumes")[2] for one in sent(cloud, "GET", "/volumes")]
    return sorted(path.strip("/") for path in paths)


def test_check_removes_what_a_dead_process_made_of_the_new_owners_data(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    ids = some_volumes(cloud, 3)
    dies_after_start(cloud, staffeln, ids[0])
    answer = staffeln("check", "-f", "json")
    assert (answer.exit_code, answer.counts["failed"]) == (3, 1)
    (failure,) = answer.json["failures"]
    assert failure["id"] == ids[0]
    assert "and did when the backup was started, which is removed" in failure["reason"]
    assert looked_up(cloud) == sorted(["", ids[0]])  # one listing, and the suspect
    staffeln("check")
    assert sorted(one["volume_id"] for one in cloud.backups()) == sorted(ids[1:])
    backed_up(staffeln, cloud)
    assert owners(cloud) == ["shop", "shop", "bank"]


def test_what_was_made_of_the_new_owners_data_is_no_backup_although_it_is_finished(
    cloud: SimCloud, staffeln: Staffeln, sqlite_url: str
) -> None:
    ids = some_volumes(cloud, 3)
    dies_after_start(cloud, staffeln, ids[0])
    cloud.faults.fail_next("POST", "/action", status=500)
    staffeln("check")
    with closing(sqlite3.connect(sqlite_url.partition("///")[2])) as database, database:
        # As it was when the process died before it asked for the deletion.
        database.execute("UPDATE backups SET state = 'failed', remains = 1 WHERE remains")
    cloud.steering.finish_backups()
    staffeln.cycle("check", "check")
    assert states(staffeln).count("available") == 2
    assert sorted(one["volume_id"] for one in cloud.backups()) == sorted(ids[1:])


def test_check_asks_for_no_owner_twice_and_of_no_process_that_has_asked(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    ids = some_volumes(cloud, 3)
    dies_after_start(cloud, staffeln, ids[0])
    staffeln("check")
    a_volume(cloud, "other")
    staffeln.cycle("collect", "backup")
    cloud.requests.clear()
    staffeln.cycle("check", "check")
    assert looked_up(cloud) == []


def test_a_complete_backup_of_a_volume_that_may_have_left_before_is_named_and_stays(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume, _ = some_volumes(cloud, 2)
    dies_after_start(cloud, staffeln, volume)
    cloud.steering.finish_backups()
    answer = staffeln("check", "-f", "json")
    assert (answer.exit_code, answer.counts["available"]) == (3, 2)
    assert "perhaps since before its backup was started" in answer.json["failures"][0]["reason"]
    name = next(one["name"] for one in cloud.volumes() if one["id"] == volume)
    assert f" ({name} of {name}-server): the volume now belongs to project" in answer.stderr
    assert staffeln("check").exit_code == 0
    assert owners(cloud) == ["shop", "shop"]


def test_a_backup_that_is_adopted_in_a_project_that_the_volume_had_left_is_removed(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln("collect")
    transferred_meanwhile(cloud, volume)
    cloud.faults.lose_reply_next("POST", "/backups", acting=True)
    staffeln("backup")
    cloud.advance(minutes=5)
    answer = staffeln("check", "-f", "json")
    assert (answer.exit_code, answer.counts["adopted"], answer.counts["failed"]) == (3, 1, 1)
    staffeln("check")
    assert cloud.backups() == []


def test_an_owner_that_check_cannot_ask_for_is_asked_for_by_the_next_check(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume, _ = some_volumes(cloud, 2)
    dies_after_start(cloud, staffeln, volume)
    cloud.faults.proxy_404_next("GET", f"/volumes/{volume}")
    assert staffeln("check", "-f", "json").counts["failed"] == 0
    assert states(staffeln) == ["creating"] * 2
    assert staffeln("check", "-f", "json").counts["failed"] == 1


def test_a_volume_that_changes_hands_after_its_backup_leaves_it_to_the_former_owner(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    ids = some_volumes(cloud, 3)
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    transfer(cloud, ids[0], "bank")
    staffeln.cycle("check", "collect")
    assert owners(cloud) == ["shop"] * 3


def test_who_cannot_be_asked_for_the_owner_again_says_so(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    some_volumes(cloud, 3)
    staffeln("collect")

    def fall_silent(request: Request) -> None:
        if request.method == "POST" and request.path.endswith("/backups"):
            cloud.faults.fail_next("GET", "/volumes", status=503, times=99)

    cloud.on_request = fall_silent
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (3, 3)
    assert len(answer.json["failures"]) == 3
    assert states(staffeln) == ["creating"] * 3


def test_a_volume_that_is_gone_when_its_backup_starts_is_called_gone(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln("collect")
    cloud.things.remove_volume(volume)
    staffeln("backup")
    assert [one["reason"] for one in records(staffeln)] == ["the volume is gone"]


def test_a_transferred_volume_begins_anew_with_a_full_backup(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 2, days=1)
    transfer(cloud, volume, "bank")
    staffeln("collect")
    row = volumes(staffeln)[volume]
    assert (row["last_success_at"], row["last_started_at"]) == (None, None)
    backed_up(staffeln, cloud)
    newest = records(staffeln)[-1]
    assert (newest["kind"], newest["state"]) == ("full", "available")
    assert owners(cloud) == ["shop", "shop", "bank"]


def test_a_transferred_volume_is_due_at_once(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1, days=0)
    transfer(cloud, volume, "bank")
    assert staffeln("collect", "-f", "json").counts["planned"] == 1


def test_a_backup_that_ends_in_the_former_project_is_no_success_of_the_present_one(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln.cycle("collect", "backup")
    transfer(cloud, volume, "bank")
    staffeln("collect")
    cloud.steering.finish_backups()
    staffeln("check")
    assert volumes(staffeln)[volume]["last_success_at"] is None
    assert staffeln("collect", "-f", "json").counts["planned"] == 1


def test_the_former_owner_keeps_what_their_server_asked_for(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_GRACE="0s", BACKUP_FULL_BACKUP_DEPTH="0")
    volume = a_volume(cloud, metadata={**MARKED, "__staffeln_retention": "1y"})
    rounds(staffeln, cloud, 2)
    transfer(cloud, volume, "bank", __staffeln_retention="1s")
    rounds(staffeln, cloud, 2)
    cloud.advance(days=100)
    staffeln.cycle("collect", "retain", "check", "retain")
    assert owners(cloud) == ["shop", "shop", "bank"]
    cloud.advance(days=265)
    staffeln("retain")
    assert owners(cloud).count("shop") == 1


def test_the_newest_backup_of_each_owner_is_kept(cloud: SimCloud, staffeln: Staffeln) -> None:
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="0")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 3)
    transfer(cloud, volume, "bank")
    rounds(staffeln, cloud, 3)
    cloud.advance(days=60)
    staffeln("retain")
    assert owners(cloud) == ["shop", "bank"]


def test_backups_in_a_project_whose_terms_nobody_noted_are_kept(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    """As after a transfer that happened while the database was lost."""
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 2)
    transfer(cloud, volume, "bank")
    staffeln("collect")
    file = staffeln.environ["STAFFELN_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DELETE FROM former_owners")
    cloud.advance(days=60)
    assert staffeln("retain", "-f", "json").counts["expired"] == 0
    assert len(ids(cloud)) == 2


def test_what_returns_to_its_first_owner_keeps_the_first_terms(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud, metadata={**MARKED, "__staffeln_retention": "90d"})
    rounds(staffeln, cloud, 1)
    transfer(cloud, volume, "bank", __staffeln_retention="1s")
    staffeln("collect")
    cloud.things.transfer_volume(volume, "shop")
    staffeln("collect")
    assert volumes(staffeln)[volume]["retention"] == "90d"


def test_a_dry_run_tells_of_the_new_owner_and_changes_nothing(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln("collect")
    transfer(cloud, volume, "bank")
    answer = staffeln("collect", "--dry-run", "-f", "json")
    assert answer.counts["planned"] == 1
    assert "now belongs to project bank" in answer.stdout
    assert states(staffeln) == ["planned"]


def test_a_former_owner_is_forgotten_once_no_backup_is_left_there(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_KEEP_LAST="0", RETENTION_HISTORY="30d")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    transfer(cloud, volume, "bank")
    staffeln("collect")
    cloud.advance(days=20)
    staffeln.cycle("retain", "check", "retain")
    assert former_owners(staffeln) == 1
    cloud.advance(days=31)
    staffeln("retain")
    assert former_owners(staffeln) == 0


def former_owners(staffeln: Staffeln) -> int:
    return len(everything(staffeln.environ["STAFFELN_DATABASE_URL"])["former_owners"])
