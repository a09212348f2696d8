"""Lists beside the listings of servers, volumes and backups: an odd row in one of them, or an odd
answer about one thing, stops nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.errors import CloudUnavailable, ListingIncomplete
from staffeln_cli.runtime.run import PARTLY_FAILED
from tests.acceptance.builders import (
    a_volume,
    reasons,
    records,
    rounds,
    some_volumes,
    states,
)
from tests.acceptance.lost_servers import a_whole_server, back, backed_up_and_lost, wired
from tests.conftest import Answer, Staffeln

FOREVER = 1000
ODD_ROWS = ["a text", None, {}, {"host": 7, "name": None, "id": ["x"]}]
odd_rows = pytest.mark.parametrize("row", ODD_ROWS, ids=str)


def with_row(key: str, row: object) -> Callable[[Request, dict[str, Any]], dict[str, Any]]:
    """One row more than there are."""

    def edit(_: Request, body: dict[str, Any]) -> dict[str, Any]:
        body[key] = [row, *body[key]]
        return body

    return edit


def named(answer: Answer) -> set[str]:
    return {one["kind"] for one in answer.json["failures"]}


@odd_rows
def test_doctor_names_an_odd_backup_service_and_checks_all_else(
    cloud: SimCloud, staffeln: Staffeln, row: object
) -> None:
    some_volumes(cloud, 1)
    cloud.faults.edit_next("/os-services", with_row("services", row), FOREVER)
    cloud.faults.edit_next("/auth/projects", with_row("projects", row), FOREVER)
    answer = staffeln("doctor", "-f", "json")
    by_level = {(one["name"], one["level"]) for one in answer.json}
    assert {("backup service", "ok"), ("backup service", "warning")} <= by_level
    assert ("projects", "warning") in by_level
    assert answer.exit_code == 0


def test_doctor_lists_orphans_beside_a_backup_that_is_not_understood(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 2)
    rounds(staffeln, cloud, 1)
    odd, _ = (one["id"] for one in cloud.backups())
    cloud.faults.spoil_next("/backups/detail", {odd: {"status": None}}, FOREVER)
    answer = staffeln("doctor", "--orphans")
    assert (answer.exit_code, odd in answer.stderr) == (PARTLY_FAILED, True)


def test_an_import_gives_no_record_to_a_host_that_cannot_be_told(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    some_volumes(cloud, 1)
    rounds(staffeln, cloud, 1)
    file = str(tmp_path / "catalog.jsonl.gz")
    staffeln("catalog", "save", file)
    cloud.things.lose_backups()
    cloud.people.grant("backup", "shop", "admin")
    row = {"host": "far-away", "zone": "nova", "state": "up", "status": None}
    cloud.faults.edit_next("/os-services", with_row("services", row), FOREVER)
    answer = staffeln("catalog", "import", file)
    assert (answer.exit_code, "far-away" in answer.stderr) == (CloudUnavailable.exit_code, True)
    assert cloud.backups() == []


@pytest.mark.usefixtures("restores_take_no_time")
@odd_rows
def test_an_odd_volume_type_is_named_and_volumes_of_others_are_restored(
    cloud: SimCloud, staffeln: Staffeln, row: object
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.faults.edit_next("/types$", with_row("volume_types", row), FOREVER)
    answer = staffeln("restore", "--volume", volume, "-f", "json")
    assert (answer.exit_code, answer.counts["restoring"]) == (PARTLY_FAILED, 1)
    assert named(answer) == {"volume type"}


@odd_rows
def test_a_server_is_back_whatever_zones_keys_and_groups_are_odd(
    cloud: SimCloud, staffeln: Staffeln, row: object
) -> None:
    server = a_whole_server(cloud)
    wired(cloud, server)
    backed_up_and_lost(cloud, staffeln, server)
    for path, key in {
        "/os-availability-zone": "availabilityZoneInfo",
        "/os-keypairs": "keypairs",
        "/security-groups": "security_groups",
    }.items():
        cloud.faults.edit_next(path, with_row(key, row), FOREVER)
    answer = staffeln("restore", "--server", server, "--recreate", "-f", "json")
    assert (answer.exit_code, back(cloud)["status"]) == (PARTLY_FAILED, "ACTIVE")
    assert named(answer) == {"availability zone", "key", "security group"}


@pytest.mark.parametrize("next_page", [7, True, ["a"], {"a": 1}, "http://["])
@pytest.mark.parametrize("path", ["/projects", "/volumes/detail"])
def test_a_link_that_leads_nowhere_leaves_the_listing_incomplete(
    cloud: SimCloud, staffeln: Staffeln, path: str, next_page: object
) -> None:
    some_volumes(cloud, 1)

    def lead(_: Request, body: dict[str, Any]) -> dict[str, Any]:
        links = [{"rel": "next", "href": next_page}]
        linked = {"links": {"next": next_page}} if "projects" in body else {"volumes_links": links}
        return body | linked

    cloud.faults.edit_next(path, lead)
    assert staffeln("collect").exit_code == ListingIncomplete.exit_code
    assert staffeln("collect").exit_code == 0


def test_pages_of_projects_without_a_row_that_is_understood_lead_on(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    """The projects are known by then, and each that is odd is named."""
    for project in ("one", "two", "three"):
        some_volumes(cloud, 1, project=project)
    rounds(staffeln, cloud, 1)
    cloud.settings.keystone_limit = 1
    odd = {one: {"enabled": "perhaps"} for one in cloud.world.identity.projects}
    cloud.faults.spoil_next("/projects", odd, FOREVER)
    answer = staffeln("collect", "-f", "json")
    assert (answer.exit_code, answer.counts["planned"]) == (PARTLY_FAILED, 3)
    assert {one["id"] for one in answer.json["failures"]} == odd.keys()


NESTED = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("collect", "/projects"),
        ("collect", "/volumes/detail"),
        ("collect", "/servers/detail"),
        ("backup", "/volumes/"),
        ("check", "/backups/"),
        ("doctor", "/os-services"),
        ("doctor", "/os-quota-sets"),
    ],
)
@pytest.mark.parametrize("status", [200, 404])
def test_an_answer_that_is_nested_without_an_end_is_no_bug(
    cloud: SimCloud, staffeln: Staffeln, command: str, path: str, status: int
) -> None:
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    some_volumes(cloud, 2)
    staffeln.cycle("collect", "backup")
    some_volumes(cloud, 1, project="bank")
    staffeln("collect")
    cloud.faults.fail_next("GET", path, status=status, body=f'{{"x": {NESTED}}}', times=FOREVER)
    assert staffeln(command).exit_code in {0, PARTLY_FAILED, CloudUnavailable.exit_code}


@pytest.mark.parametrize("made", ["", "\ud800", "x" * 300, None, 7])
def test_an_id_that_none_can_be_leaves_doubt_that_check_resolves(
    cloud: SimCloud, staffeln: Staffeln, made: object
) -> None:
    a_volume(cloud)
    staffeln("collect")
    cloud.faults.edit_next("/backups$", lambda _, __: {"backup": {"id": made}}, method="POST")
    answer = staffeln("backup", "-f", "json")
    assert answer.exit_code in {0, PARTLY_FAILED}
    cloud.steering.finish_backups()
    cloud.advance(minutes=30)
    staffeln("check")
    assert (states(staffeln), len(cloud.backups())) == (["available"], 1)


def test_two_backups_that_cinder_calls_by_one_id_are_two_in_the_end(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln = staffeln_on_each
    staffeln.set(CLOUD_WORKERS="1")
    some_volumes(cloud, 2)
    staffeln("collect")
    first: list[str] = []

    def same(_: Request, body: dict[str, Any]) -> dict[str, Any]:
        first.append(body["backup"]["id"])
        body["backup"]["id"] = first[0]
        return body

    cloud.faults.edit_next("/backups$", same, 2, method="POST")
    answer = staffeln("backup", "-f", "json")
    assert answer.exit_code == PARTLY_FAILED
    assert first[0] in reasons(answer)[0]
    cloud.steering.finish_backups()
    cloud.advance(minutes=30)
    staffeln("check")
    assert states(staffeln) == ["available"] * 2
    assert {one["backup_id"] for one in records(staffeln)} == {o["id"] for o in cloud.backups()}


def test_an_odd_answer_about_one_volume_keeps_no_other_from_being_backed_up(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(CLOUD_WORKERS="1")
    odd, other = (a_volume(cloud, one, project=one) for one in ("bank", "shop"))
    staffeln("collect")
    cloud.faults.spoil_next(f"/volumes/{odd}$", {odd: {"size": "huge"}}, FOREVER)
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (PARTLY_FAILED, 1)
    assert [(one["kind"], one["id"]) for one in answer.json["failures"]] == [("volume", odd)]
    assert [one["volume_id"] for one in cloud.backups()] == [other]
    cloud.faults.clear()
    cloud.advance(hours=1)
    assert staffeln("backup", "-f", "json").counts["started"] == 1


@pytest.mark.usefixtures("restores_take_no_time")
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_an_odd_answer_about_one_of_the_volumes_that_are_named_stops_no_other(
    cloud: SimCloud, staffeln: Staffeln, command: str
) -> None:
    odd, other = some_volumes(cloud, 2)
    rounds(staffeln, cloud, 1)
    cloud.faults.spoil_next(f"/volumes/{odd}$", {odd: {"encrypted": "perhaps"}}, FOREVER)
    cloud.requests.clear()
    answer = staffeln(command, "--volume", odd, "--volume", other, "-f", "json")
    assert (answer.exit_code, len(answer.json["failures"])) == (PARTLY_FAILED, 1)
    made_of = [one["volume_id"] for one in cloud.backups()]
    if command == "backup":
        assert (made_of.count(odd), made_of.count(other)) == (1, 2)
    else:
        assert answer.counts["restoring"] == 1


def test_an_odd_volume_keeps_no_other_of_its_server_from_being_backed_up(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    server = a_whole_server(cloud)
    odd, _ = cloud.world.attached[server]
    cloud.faults.spoil_next(f"/volumes/{odd}$", {odd: {"size": "huge"}}, FOREVER)
    answer = staffeln("backup", "--server", server, "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (PARTLY_FAILED, 1)
    assert [one["id"] for one in answer.json["failures"]] == [odd]
