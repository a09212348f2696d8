"""Listings: how many requests they take, and what happens when one goes wrong."""

from math import ceil

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.errors import ListingIncomplete
from tests.acceptance.builders import a_volume, backed_up, rounds, sent, some_volumes, volumes
from tests.build import MARKED
from tests.conftest import Staffeln

PAGE = 5


def budget(cloud: SimCloud) -> int:
    """What one collect may ask, for pages of this size.

    Long listings are read from both ends, each of which may cost one page more.
    """
    counts = (len(cloud.servers()), len(cloud.volumes()), len(cloud.backups()))
    ends = 2 * sum(count >= PAGE for count in counts)
    return sum(ceil((count + 1) / PAGE) for count in counts) + ends + 6


@pytest.mark.parametrize("projects", [1, 6])
def test_the_requests_of_collect_depend_on_nothing_but_the_pages(
    cloud: SimCloud, staffeln: Staffeln, projects: int
) -> None:
    for number in range(projects):
        some_volumes(cloud, 12 // projects, project=f"project-{number}")
    backed_up(staffeln, cloud)
    cloud.settings.max_limit = PAGE
    cloud.requests.clear()
    collect = staffeln("collect", "-f", "json")
    assert collect.counts["volumes"] == 12
    assert collect.json["api_requests"] == len(cloud.requests) <= budget(cloud)


def test_many_volumes_on_one_server_take_no_request_each(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.people.add_project("shop")
    server = cloud.things.add_server("big", project="shop", metadata=MARKED)
    for number in range(23):
        cloud.things.add_volume(f"disk-{number}", project="shop", server=server)
    cloud.settings.max_limit = PAGE
    collect = staffeln("collect", "-f", "json")
    assert collect.counts["planned"] == 23
    assert collect.json["api_requests"] <= budget(cloud)


@pytest.mark.parametrize("path", ["/servers/detail", "/volumes/detail", "/backups/detail"])
def test_no_page_asks_for_a_limit(cloud: SimCloud, staffeln: Staffeln, path: str) -> None:
    some_volumes(cloud, 3)
    staffeln("collect")
    assert sent(cloud, "GET", path)
    assert not any("limit" in one.query for one in sent(cloud, "GET", path))


@pytest.mark.parametrize("path", ["/volumes/detail", "/backups/detail"])
def test_a_marker_that_vanishes_between_two_pages_loses_nothing(
    cloud: SimCloud, staffeln: Staffeln, path: str
) -> None:
    some_volumes(cloud, 2 * PAGE + 2)
    staffeln.set(BACKUP_MAX_IN_FLIGHT="99", BACKUP_MAX_IN_FLIGHT_PER_PROJECT="99")
    rounds(staffeln, cloud, 1, days=0)
    cloud.settings.max_limit = PAGE

    def sweep(request: Request) -> None:
        marker = request.query.get("marker")
        if marker and path in request.path:
            cloud.on_request = None
            if "volumes" in path:
                cloud.things.remove_volume(marker)
            else:
                cloud.things.remove_backup(marker)

    cloud.on_request = sweep
    collect = staffeln("collect", "-f", "json")
    assert collect.exit_code == 0
    assert cloud.on_request is None
    left = len(cloud.volumes())
    assert sum(one["protected"] for one in volumes(staffeln).values()) in {left, left + 1}
    assert collect.counts["gone"] == 0
    assert staffeln("collect", "-f", "json").counts["volumes"] == left


@pytest.mark.parametrize(
    "path", ["/servers/detail", "/volumes/detail", "/backups/detail", "/v3/projects"]
)
def test_a_listing_that_fails_for_good_is_no_evidence_of_absence(
    cloud: SimCloud, staffeln: Staffeln, path: str
) -> None:
    some_volumes(cloud, 2 * PAGE)
    backed_up(staffeln, cloud)
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    cloud.settings.max_limit = PAGE
    cloud.things.remove_volume(cloud.volumes()[0]["id"])
    target = path if "projects" in path else rf"{path}\?.*marker="
    cloud.faults.fail_next("GET", target, status=500, times=99)
    collect = staffeln("collect", "-f", "json")
    assert collect.exit_code == ListingIncomplete.exit_code
    assert collect.counts["gone"] == 0
    assert len(volumes(staffeln)) == 2 * PAGE
    assert all(one["protected"] for one in volumes(staffeln).values())


def test_a_check_whose_listing_fails_declares_nothing_missing(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.things.remove_backup(cloud.backups()[0]["id"])
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    cloud.faults.fail_next("GET", "/backups/detail", status=500, times=99)
    check = staffeln("check", "-f", "json")
    assert (check.exit_code, check.counts["missing"]) == (ListingIncomplete.exit_code, 0)


def test_a_retain_whose_listing_fails_deletes_nothing_on_the_strength_of_it(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_KEEP_LAST="0", CLOUD_RETRY_TIMEOUT="0s")
    some_volumes(cloud, 2 * PAGE)
    rounds(staffeln, cloud, 1, days=20)
    cloud.settings.max_limit = PAGE
    cloud.faults.fail_next("GET", r"/backups/detail\?.*marker=", status=500, times=99)
    assert staffeln("retain").exit_code == ListingIncomplete.exit_code
    assert sent(cloud, "DELETE") == []


def test_keystones_pages_are_followed(cloud: SimCloud, staffeln: Staffeln) -> None:
    cloud.settings.keystone_limit = 2
    for number in range(5):
        a_volume(cloud, f"disk-{number}", project=f"project-{number}")
    assert staffeln("collect", "-f", "json").counts["protected"] == 5


def test_a_list_of_projects_that_keystone_cuts_short_stops_the_pass(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    cloud.settings.keystone_limit, cloud.settings.keystone_pages = 2, False
    some_volumes(cloud, 1, project="one")
    some_volumes(cloud, 1, project="two")
    answer = staffeln("collect")
    assert answer.exit_code == ListingIncomplete.exit_code
    assert "list_limit" in answer.stderr


def test_an_answer_that_is_no_json_ends_the_pass_without_a_traceback(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    for path in ("/volumes/detail", "/v3/projects", "/servers/detail"):
        cloud.faults.fail_next("GET", path, status=200, body="<html>proxy login</html>")
        answer = staffeln("collect")
        assert answer.exit_code == ListingIncomplete.exit_code
        assert "not understood" in answer.stderr
