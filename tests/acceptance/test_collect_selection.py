"""Which volumes collect protects, plans, leaves out, and gives up."""

from collections.abc import Mapping

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import (
    a_volume,
    backed_up,
    reasons,
    records,
    some_volumes,
    states,
    twice,
    volumes,
)
from tests.build import MARKED
from tests.conftest import Staffeln


@pytest.mark.parametrize(
    ("value", "planned"),
    [("true", 1), ("True", 1), ("TRUE", 1), ("false", 0), ("yes", 0), ("1", 0), ("", 0)],
)
def test_a_server_is_protected_when_its_mark_says_true_in_any_case(
    cloud: SimCloud, staffeln: Staffeln, value: str, planned: int
) -> None:
    a_volume(cloud, metadata={"__staffeln_backup": value})
    assert staffeln("collect", "-f", "json").counts["planned"] == planned


def test_without_a_metadata_key_every_server_is_protected(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, metadata={})
    staffeln.set(SELECT_METADATA_KEY="")
    assert staffeln("collect", "-f", "json").counts["planned"] == 1


def test_what_nobody_marked_is_not_skipped_on_request_whatever_the_key_is_called(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.people.add_project("p")
    cloud.things.add_server("web", project="p")
    cloud.things.add_volume("unmarked", server="web")
    staffeln.environ["STAFFELN_SELECT_SKIP_VOLUME_KEY"] = "marked"
    assert staffeln("collect", "-f", "json").counts["skipped"] == 0
    assert staffeln("status", "-f", "json").json["volumes"]["skipped"] == 0


@pytest.mark.parametrize(("value", "skipped"), [("true", 1), ("TRUE", 1), ("false", 0)])
def test_a_volume_with_the_skip_key_is_left_out_and_said_to_be(
    cloud: SimCloud, staffeln: Staffeln, value: str, skipped: int
) -> None:
    volume = a_volume(cloud, metadata=MARKED)
    cloud.things.set_volume(volume, metadata={"skip-volume-backup": value})
    counts = staffeln("collect", "-f", "json").counts
    assert (counts["skipped"], counts["planned"]) == (skipped, 1 - skipped)
    assert bool(volumes(staffeln)[volume]["skip_reason"]) == bool(skipped)


def test_a_volume_attached_to_two_servers_is_backed_up_once(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    cloud.things.attach(volume, cloud.things.add_server("second", project="shop", metadata=MARKED))
    counts = staffeln("collect", "-f", "json").counts
    assert (counts["volumes"], counts["planned"]) == (1, 1)


@pytest.mark.parametrize(
    "columns",
    [
        {"name": "backup-vol-00000000-0000-4000-8000-000000000000"},
        {"name": "moving", "migration_status": "target:00000000-0000-4000-8000-000000000000"},
        {"name": "free", "consumes_quota": False},
    ],
)
def test_cinders_own_temporary_volumes_are_not_even_counted(
    cloud: SimCloud, staffeln: Staffeln, columns: Mapping[str, str]
) -> None:
    cloud.people.add_project("shop")
    cloud.things.add_volume(project="shop", **columns)  # type: ignore[arg-type]  # columns of any type
    staffeln.set(SELECT_METADATA_KEY="")
    assert staffeln("collect", "-f", "json").counts["volumes"] == 0


def test_a_volume_without_a_server_is_not_protected(cloud: SimCloud, staffeln: Staffeln) -> None:
    cloud.people.add_project("shop")
    cloud.things.add_volume("loose", project="shop")
    assert staffeln("collect", "-f", "json").counts["protected"] == 0


def test_what_was_planned_is_cancelled_when_the_mark_goes(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln("collect")
    cloud.things.set_metadata("data-server", {})
    staffeln("collect")
    assert [(one["state"], one["reason"]) for one in records(staffeln)] == [
        ("cancelled", "no longer protected")
    ]
    assert staffeln("backup", "-f", "json").counts["started"] == 0


def test_what_was_planned_is_cancelled_when_the_volume_goes(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    staffeln("collect")
    cloud.things.remove_volume(volume)
    assert twice(staffeln, cloud, "collect").counts["gone"] == 1
    assert states(staffeln) == ["cancelled"]


def test_a_server_that_nova_does_not_list_keeps_its_last_policy(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud, metadata={**MARKED, "__staffeln_retention": "90d"})
    staffeln("collect")
    cloud.things.hide_server("data-server")
    cloud.advance(days=1)
    answer = staffeln("collect", "-f", "json")
    assert answer.counts["protected"] == 1
    assert states(staffeln) == ["planned"]
    row = volumes(staffeln)[volume]
    assert (row["retention"], row["server_name"]) == ("90d", "data-server")


def test_a_disabled_project_gets_no_backups_and_the_others_do(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "a", project="closed")
    a_volume(cloud, "b", project="open")
    staffeln("collect")
    cloud.people.disable_project("closed")
    backup = staffeln("backup", "-f", "json")
    assert (backup.counts["started"], backup.counts["failed"]) == (1, 1)
    assert "no access to project" in reasons(backup)[0]
    assert staffeln("collect", "-f", "json").counts["protected"] == 1


def test_a_volume_in_error_is_a_failure_once_a_day_not_once_a_pass(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, status="error")
    first, second = staffeln.cycle("collect", "collect")
    assert (first.exit_code, second.exit_code) == (3, 0)
    assert "error" in reasons(first)[0]
    assert states(staffeln) == ["failed"]
    cloud.advance(days=1)
    assert staffeln("collect", "-f", "json").exit_code == 3


@pytest.mark.parametrize("status", ["backing-up", "attaching", "extending", "retyping"])
def test_a_busy_volume_is_looked_at_again_next_pass(
    cloud: SimCloud, staffeln: Staffeln, status: str
) -> None:
    volume = a_volume(cloud, status=status)
    busy = staffeln("collect", "-f", "json")
    assert (busy.exit_code, busy.counts["planned"], busy.counts["protected"]) == (0, 0, 1)
    cloud.things.set_volume(volume, status="in-use")
    assert staffeln("collect", "-f", "json").counts["planned"] == 1


def test_a_known_volume_that_is_listed_as_a_migration_target_is_not_gone(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    usual = staffeln("collect", "-f", "json").json["api_requests"]
    cloud.things.set_volume(volume, migration_status="target:elsewhere")
    listed = staffeln("collect", "-f", "json")
    assert (listed.counts["gone"], listed.json["api_requests"]) == (0, usual)
    assert volumes(staffeln)[volume]["protected"] is True


def test_a_second_project_with_the_same_names_is_told_apart(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 2)
    other = cloud.people.add_project("other")
    server = cloud.things.add_server("shop-0-server", project=other, metadata=MARKED)
    cloud.things.add_volume("shop-0", project=other, server=server)
    backed_up(staffeln, cloud)
    assert {one["project_id"] for one in cloud.backups()} == {
        cloud.world.project("shop").id,
        other,
    }
