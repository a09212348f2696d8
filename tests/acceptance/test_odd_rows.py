"""Rows that are not what the services promise: named and left alone, and the others go on."""

import tracemalloc
from typing import Any

import msgspec
import pytest

from staffeln_cli.cloud import Cloud, pages
from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.errors import ListingIncomplete, NotAdmin, NotWholeCloud
from staffeln_cli.runtime.run import PARTLY_FAILED
from tests.acceptance.builders import rounds, some_volumes, states, volumes
from tests.conftest import Answer, Staffeln

VOLUMES, BACKUPS, SERVERS = "/volumes/", "/backups/", "/servers/"
FOREVER = 1000
ODD_VOLUMES: list[dict[str, object]] = [
    {"size": None},
    {"size": "huge"},
    {"status": 7},
    {"attachments": None},
    {"metadata": {"__staffeln_backup": {"a": "b"}}},
]
ODD_BACKUPS: list[dict[str, object]] = [
    {"status": None},
    {"created_at": "yesterday"},
    {"metadata": ["a"]},
    {"is_incremental": "perhaps"},
]


def named(answer: Answer) -> list[tuple[str, str]]:
    return [(one["kind"], one["id"]) for one in answer.json["failures"]]


@pytest.mark.parametrize("columns", ODD_VOLUMES)
def test_a_volume_that_is_not_understood_is_named_and_the_others_are_planned(
    cloud: SimCloud, staffeln: Staffeln, columns: dict[str, object]
) -> None:
    odd, *_ = some_volumes(cloud, 4)
    cloud.faults.spoil_next(VOLUMES, {odd: columns}, FOREVER)
    answer = staffeln("collect", "-f", "json")
    assert (answer.exit_code, answer.counts["planned"]) == (PARTLY_FAILED, 3)
    assert named(answer) == [("volume", odd)]


@pytest.mark.parametrize("columns", ODD_VOLUMES)
def test_a_known_volume_that_is_no_longer_understood_is_not_absent(
    cloud: SimCloud, staffeln: Staffeln, columns: dict[str, object]
) -> None:
    odd, *_ = some_volumes(cloud, 3)
    rounds(staffeln, cloud, 1)
    cloud.faults.spoil_next(VOLUMES, {odd: columns}, FOREVER)
    for _ in range(2):
        cloud.advance(hours=1)
        answer = staffeln("collect", "-f", "json")
        assert (answer.exit_code, answer.counts["gone"]) == (PARTLY_FAILED, 0)
        assert named(answer) == [("volume", odd)]
    assert volumes(staffeln)[odd]["protected"]


def test_a_server_that_is_not_understood_keeps_its_volumes_protected(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 3)
    rounds(staffeln, cloud, 1)
    odd = cloud.servers()[0]["id"]
    cloud.faults.spoil_next(SERVERS, {odd: {"metadata": "none"}}, FOREVER)
    answer = staffeln("collect", "-f", "json")
    assert (answer.exit_code, named(answer)) == (PARTLY_FAILED, [("server", odd)])
    assert all(one["protected"] for one in volumes(staffeln).values())


@pytest.mark.parametrize("columns", [{"name": 7}, {"enabled": "yes"}, {"domain_id": []}])
def test_a_project_that_is_not_understood_is_named_and_stays_protected(
    cloud: SimCloud, staffeln: Staffeln, columns: dict[str, object]
) -> None:
    some_volumes(cloud, 1, project="bank")
    some_volumes(cloud, 1, project="shop")
    rounds(staffeln, cloud, 1)
    odd = cloud.world.project("shop").id
    cloud.faults.spoil_next("/projects", {odd: columns}, FOREVER)
    for _ in range(2):
        answer = staffeln("collect", "-f", "json")
        assert (answer.exit_code, named(answer)) == (PARTLY_FAILED, [("project", odd)])
        cloud.advance(hours=1)
    assert all(one["protected"] for one in volumes(staffeln).values())


def test_a_project_without_an_id_may_be_any_so_that_the_list_is_incomplete(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 2)
    odd = cloud.world.project("shop").id
    cloud.faults.spoil_next("/projects", {odd: {"id": None}})
    assert staffeln("collect").exit_code == ListingIncomplete.exit_code


@pytest.mark.parametrize("columns", ODD_BACKUPS)
def test_a_backup_that_is_not_understood_is_not_missing(
    cloud: SimCloud, staffeln: Staffeln, columns: dict[str, object]
) -> None:
    some_volumes(cloud, 3)
    rounds(staffeln, cloud, 1)
    odd = cloud.backups()[0]["id"]
    cloud.faults.spoil_next(BACKUPS, {odd: columns}, FOREVER)
    for _ in range(2):
        cloud.advance(hours=2)
        answer = staffeln("check", "-f", "json")
        assert (answer.exit_code, named(answer)) == (PARTLY_FAILED, [("backup", odd)])
    assert states(staffeln) == ["available"] * 3


def test_the_chain_of_a_backup_that_is_not_understood_is_left_alone_by_retain(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_TIME="1d", RETENTION_KEEP_LAST="0", BACKUP_FULL_BACKUP_DEPTH="6")
    odd_volume, other = some_volumes(cloud, 2)
    rounds(staffeln, cloud, 3)
    cloud.advance(days=30)
    odd = cloud.backups(volume_id=odd_volume)[-1]["id"]
    cloud.faults.spoil_next(BACKUPS, {odd: {"created_at": "yesterday"}}, FOREVER)
    answer = staffeln("retain", "-f", "json")
    assert (answer.exit_code, named(answer)) == (PARTLY_FAILED, [("backup", odd)])
    left = {one["volume_id"] for one in cloud.backups()}
    assert (len(cloud.backups(volume_id=odd_volume)), other in left) == (3, False)


def test_an_odd_row_that_may_be_the_backup_of_a_lost_answer_makes_no_second_one(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 1)
    staffeln("collect")
    cloud.faults.lose_reply_next("POST", "/backups", acting=True)
    staffeln("backup")
    odd = cloud.backups()[0]["id"]
    cloud.faults.spoil_next(BACKUPS, {odd: {"status": None}})
    cloud.advance(minutes=30)
    assert staffeln("check").exit_code == PARTLY_FAILED
    assert states(staffeln) == ["starting"]
    cloud.advance(minutes=30)
    assert staffeln("check", "-f", "json").counts["adopted"] == 1
    assert len(cloud.backups()) == 1


def test_a_server_that_is_not_understood_is_named_and_other_volumes_are_backed_up(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    odd, other = some_volumes(cloud, 2)
    server = next(one["id"] for one in cloud.servers() if one["name"] == "shop-0-server")
    columns = {server: {"metadata": {"__staffeln_backup": {"a": "b"}}}}
    cloud.faults.spoil_next(SERVERS, columns, FOREVER)
    answer = staffeln("backup", "--volume", odd, "--volume", other, "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (PARTLY_FAILED, 1)
    assert named(answer) == [("volume", odd)]
    assert server in str(answer.json["failures"])


def test_a_row_without_an_id_makes_the_listing_incomplete() -> None:
    body = msgspec.json.encode({"volumes": [{"id": None, "size": 1}]})
    with pytest.raises(ListingIncomplete):
        pages.volumes(()).page(body)


@pytest.mark.parametrize(
    ("path", "column", "commands"),
    [
        ("/volumes/detail", "os-vol-tenant-attr:tenant_id", ("collect",)),
        ("/backups/detail", "os-backup-project-attr:project_id", ("collect", "check", "retain")),
    ],
)
def test_a_listing_without_what_only_admins_are_shown_changes_nothing(
    cloud: SimCloud, staffeln: Staffeln, path: str, column: str, commands: tuple[str, ...]
) -> None:
    staffeln.set(RETENTION_TIME="1d", RETENTION_KEEP_LAST="0")
    some_volumes(cloud, 2)
    rounds(staffeln, cloud, 1)
    before = states(staffeln)
    cloud.advance(days=30)
    for command in commands:
        cloud.faults.hide_next(path, [column], 2)
        answer = staffeln(command)
        assert answer.exit_code == NotWholeCloud.exit_code == NotAdmin.exit_code
        assert column in answer.stderr
        assert "policy" in answer.stderr
        assert states(staffeln) == before
        staffeln("check")  # uses up what is left of the lie
    assert len(cloud.backups()) == 2


def test_a_listing_tells_which_projects_own_its_rows(cloud: SimCloud, staffeln: Staffeln) -> None:
    some_volumes(cloud, 1, project="one")
    some_volumes(cloud, 1, project="two")
    client = Cloud(load(None, staffeln.environ).settings.cloud, now=cloud.now)
    assert sum(len(page) for page in client.listings.volumes()) == 2
    seen = client.listings.projects_seen["volume"]
    assert seen == {cloud.world.project(name).id for name in ("one", "two")}
    client.close()


def a_page_of_long_metadata() -> bytes:
    many: dict[str, Any] = {f"key-{number}": "x" * 255 for number in range(128)}
    row = {
        "id": "v",
        "status": "in-use",
        "size": 1,
        "created_at": "2026-11-27T10:00:00.000000",
        "os-vol-tenant-attr:tenant_id": "p",
        "metadata": many | {"__staffeln_backup": "true"},
    }
    return msgspec.json.encode({"volumes": [row] * 1000})


def test_of_the_metadata_of_a_volume_only_what_is_asked_about_is_kept() -> None:
    body = a_page_of_long_metadata()
    listing = pages.volumes(("__staffeln_backup", ""))
    tracemalloc.start()
    facts, _ = listing.decoded(listing.page(body).rows)
    size, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert facts[0].metadata == {"__staffeln_backup": "true"}
    assert max(size, peak) < 2_000_000  # a row alone has 40 kB of metadata


def test_a_page_of_volumes_that_waits_to_be_read_keeps_nothing_of_its_text() -> None:
    listing = pages.volumes(("__staffeln_backup",))
    tracemalloc.start()
    waiting = listing.page(a_page_of_long_metadata())
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(waiting.rows) == 1000
    assert size < 2_000_000


def test_a_quota_that_no_database_can_hold_keeps_no_project_from_its_report(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    some_volumes(cloud, 1)
    rounds(staffeln_on_each, cloud, 1)

    def huge(_: Request, body: dict[str, Any]) -> dict[str, Any]:
        quota = {"limit": 2**31, "in_use": 0, "reserved": 0}
        return {"quota_set": {"backups": quota, "backup_gigabytes": quota}}

    cloud.faults.edit_next("/os-quota-sets", huge, FOREVER)
    cloud.advance(days=1)
    answer = staffeln_on_each("report", "-f", "json")
    assert (answer.exit_code, answer.counts["logged"]) == (0, 1)
