"""Listings that show what is there, but not as it is: rows again, other ids, owners, statuses."""

from collections.abc import Callable
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.errors import ListingIncomplete
from tests.acceptance.builders import (
    a_volume,
    everything,
    rounds,
    sent,
    some_volumes,
    states,
    volumes,
)
from tests.conftest import Staffeln

Body = dict[str, Any]
Row = dict[str, Any]
LISTINGS = r"/(servers|volumes|backups)/detail"
LONG = 1000


def rows_of(body: Body) -> list[Row]:
    key = next(key for key in ("servers", "volumes", "backups") if key in body)
    rows: list[Row] = body[key]
    return rows


def repeated(_: Request, body: Body) -> Body:
    """Each row comes twice, as a join without DISTINCT shows it."""
    rows = rows_of(body)
    rows[:] = [row for row in rows for _ in range(2)]
    return body


def in_upper_case(_: Request, body: Body) -> Body:
    """Each id of a server, a volume or a backup is in upper case."""
    for row in rows_of(body):
        row["id"] = row["id"].upper()
        if "volume_id" in row:
            row["volume_id"] = row["volume_id"].upper()
        for attachment in row.get("attachments", ()):
            attachment["server_id"] = attachment["server_id"].upper()
    return body


def with_status(status: str) -> Callable[[Request, Body], Body]:
    """Each row has this status."""

    def edit(_: Request, body: Body) -> Body:
        for row in rows_of(body):
            row["status"] = status
        return body

    return edit


@pytest.mark.parametrize("lie", [repeated, in_upper_case])
@pytest.mark.parametrize("size", [2, 1000])
def test_a_row_again_or_an_id_in_upper_case_changes_nothing(
    cloud: SimCloud,
    staffeln: Staffeln,
    lie: Callable[[Request, Body], Body],
    size: int,
) -> None:
    cloud.settings.max_limit = size
    staffeln.set(RETENTION_TIME="10d", BACKUP_FULL_BACKUP_DEPTH="1")
    ids = some_volumes(cloud, 3)
    rounds(staffeln, cloud, 2)
    cloud.faults.edit_next(LISTINGS, lie, LONG)
    for _ in range(2):
        collect, backup = staffeln.cycle("collect", "backup")
        assert (collect.exit_code, backup.exit_code) == (0, 0)
        figures = {"volumes": 3, "planned": 3, "gone": 0, "protected": 3}
        assert figures.items() <= collect.counts.items()
        cloud.steering.finish_backups()
        check = staffeln("check", "-f", "json")
        assert (check.exit_code, check.counts["available"], check.counts["missing"]) == (0, 3, 0)
        cloud.advance(days=1)
    assert sorted({one["volume_id"] for one in cloud.backups()}) == sorted(ids)
    kinds = [one["parent_id"] is None for one in cloud.backups(volume_id=ids[0])]
    assert kinds == [True, False, True, False]
    cloud.advance(days=8)
    retain = staffeln("retain", "-f", "json")
    assert (retain.exit_code, retain.counts["deleted"], retain.counts["kept"]) == (0, 6, 6)
    assert cloud.refused_deletes() == []
    assert set(volumes(staffeln)) == set(ids)


def another_owner(cloud: SimCloud, volume: str) -> str:
    """The next listing of volumes shows one in another project."""
    bank = cloud.people.add_project("bank")
    columns = {volume: {"os-vol-tenant-attr:tenant_id": bank}}
    cloud.faults.spoil_next("/volumes/detail", columns)
    return bank


def test_a_volume_that_one_page_shows_in_another_project_keeps_its_history(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume, *_ = some_volumes(cloud, 3)
    rounds(staffeln, cloud, 1, days=0.1)
    before = volumes(staffeln)[volume]
    another_owner(cloud, volume)
    cloud.requests.clear()
    collect = staffeln("collect", "-f", "json")
    assert (collect.exit_code, collect.counts["planned"]) == (0, 0)
    assert len(sent(cloud, "GET", f"/volumes/{volume}")) == 1
    after = volumes(staffeln)[volume]
    assert after["project_id"] == before["project_id"]
    assert after["last_success_at"] == before["last_success_at"]
    assert everything(staffeln.environ["STAFFELN_DATABASE_URL"])["former_owners"] == []


def test_a_volume_whose_new_owner_cannot_be_confirmed_is_named_and_stays_as_it_was(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    volume, *_ = some_volumes(cloud, 3)
    staffeln("collect")
    before = volumes(staffeln)[volume]
    another_owner(cloud, volume)
    cloud.faults.fail_next("GET", f"/volumes/{volume}", status=503, times=9)
    collect = staffeln("collect", "-f", "json")
    assert [one["id"] for one in collect.json["failures"]] == [volume]
    assert volumes(staffeln)[volume] == before
    assert states(staffeln) == ["planned"] * 3


def test_a_backup_that_a_stale_listing_calls_broken_is_not_given_up(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    cloud.faults.edit_next("/backups/detail", with_status("error"), LONG)
    check = staffeln("check", "-f", "json")
    assert (check.exit_code, check.counts["running"]) == (0, 1)
    cloud.steering.finish_backups()
    check = staffeln("check", "-f", "json")
    assert (check.exit_code, check.counts["available"]) == (0, 1)
    assert [one["status"] for one in cloud.backups()] == ["available"]


def test_a_backup_that_a_stale_listing_still_calls_running_is_not_timed_out(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(BACKUP_TIMEOUT="1h")
    a_volume(cloud)
    staffeln.cycle("collect", "backup")
    cloud.steering.finish_backups()
    cloud.advance(hours=2)
    cloud.faults.edit_next("/backups/detail", with_status("creating"), LONG)
    check = staffeln("check", "-f", "json")
    assert (check.exit_code, check.counts["available"], check.counts["timed_out"]) == (0, 1, 0)


def test_what_was_listed_before_a_listing_broke_off_is_planned(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.settings.max_limit = 2
    some_volumes(cloud, 6)
    cloud.faults.loop_next("/volumes/detail", times=99)
    collect = staffeln("collect", "-f", "json")
    assert collect.exit_code == ListingIncomplete.exit_code
    assert collect.counts["planned"] in (2, 4)  # the first page of one end, or of both
    assert states(staffeln) == ["planned"] * collect.counts["planned"]
