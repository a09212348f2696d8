"""What a listing lacks is not gone: only Cinder's own word about the id says so."""

from collections.abc import Mapping
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.runtime.run import PARTLY_FAILED
from tests.acceptance.builders import reasons, rounds, sent, some_volumes, states, volumes
from tests.conftest import Staffeln

LISTING = "/volumes/detail"
NO_ROUTE = {"message": "no Route matched with those values"}
OTHER_THING = {
    "itemNotFound": {"code": 404, "message": "Service cinder-backup could not be found."}
}


def looked_up(cloud: SimCloud) -> list[str]:
    """The ids of the volumes that were asked for one by one."""
    asked = [one.path.rpartition("/")[2] for one in sent(cloud, "GET", "/volumes/")]
    return sorted(one for one in asked if one != "detail")


@pytest.fixture
def twelve(cloud: SimCloud, staffeln: Staffeln) -> list[str]:
    """Volumes whose only backup is so old that nothing but `keep_last` keeps it."""
    staffeln.set(BACKUP_MAX_IN_FLIGHT="99", BACKUP_MAX_IN_FLIGHT_PER_PROJECT="99")
    ids = some_volumes(cloud, 12)
    rounds(staffeln, cloud, 1, days=0)
    staffeln.set(BACKUP_MIN_INTERVAL="365d")  # so that no newer backup takes their place
    cloud.advance(days=90)
    cloud.requests.clear()
    return ids


def test_the_last_backups_of_volumes_that_one_listing_lacks_survive(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    cloud.omit_next(LISTING, twelve[:5])
    answer = staffeln("run", "-f", "json")
    assert (answer.exit_code, answer.json[0]["counts"]["gone"]) == (0, 0)
    assert len(cloud.backups()) == 12
    assert states(staffeln) == ["available"] * 12
    assert all(one["protected"] for one in volumes(staffeln).values())


def test_only_what_a_listing_lacks_is_looked_up_and_only_once(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    staffeln("collect")
    usual = len(cloud.requests)
    assert looked_up(cloud) == []
    cloud.requests.clear()
    cloud.omit_next(LISTING, twelve[:5])
    staffeln("collect")
    assert looked_up(cloud) == sorted(twelve[:5])
    assert len(cloud.requests) == usual + 5


def test_a_volume_that_was_deleted_is_gone_and_not_asked_for_again(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    cloud.remove_volume(twelve[0])
    cloud.omit_next(LISTING, twelve[1:3])
    collect = staffeln("collect", "-f", "json")
    assert (collect.exit_code, collect.counts["gone"]) == (0, 1)
    known = volumes(staffeln, "--gone")
    assert [one for one in twelve if known[one]["gone_at"]] == twelve[:1]
    cloud.requests.clear()
    assert staffeln("collect", "-f", "json").counts["gone"] == 0
    assert looked_up(cloud) == []
    retain = staffeln("retain", "-f", "json")
    assert retain.counts["deleted"] == 1
    assert {one["volume_id"] for one in cloud.backups()} == set(twelve[1:])


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404, "body": "<html>404 Not Found</html>"},
        {"status": 404, "body": ""},
        {"status": 404, "body": NO_ROUTE},
        {"status": 404, "body": OTHER_THING},
        {"status": 400},
        {"status": 403},
        {"status": 500},
        {"status": 200, "body": ""},
        {"status": 200, "body": "<html>Please log in</html>"},
    ],
    ids=lambda answer: f"{answer['status']}-{str(answer.get('body'))[:20]}",
)
def test_no_other_answer_makes_a_deleted_volume_gone(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str], answer: Mapping[str, Any]
) -> None:
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s")
    before = volumes(staffeln)
    cloud.remove_volume(twelve[0])
    cloud.fail_next("GET", f"/volumes/{twelve[0]}", **answer)
    collect = staffeln("collect", "-f", "json")
    assert (collect.exit_code, collect.json["outcome"]) == (PARTLY_FAILED, "partial")
    assert [one["id"] for one in collect.json["failures"]] == twelve[:1]
    assert collect.counts["gone"] == 0
    assert volumes(staffeln)[twelve[0]] == before[twelve[0]]


def test_the_last_backups_survive_where_a_proxy_answers_in_cinders_place(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    cloud.omit_next(LISTING, twelve[:5])
    cloud.proxy_404_next("GET", f"/volumes/({'|'.join(twelve[:5])})$", times=5)
    answer = staffeln("run", "-f", "json")
    collect = answer.json[0]
    assert (answer.exit_code, collect["outcome"]) == (PARTLY_FAILED, "partial")
    assert {one["id"] for one in collect["failures"]} == set(twelve[:5])
    assert collect["counts"]["gone"] == 0
    assert len(cloud.backups()) == 12
    assert staffeln("collect", "-f", "json").json["outcome"] == "ok"


def test_a_failed_look_up_names_the_volume_and_what_was_answered(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    cloud.omit_next(LISTING, twelve[:1])
    cloud.proxy_404_next("GET", f"/volumes/{twelve[0]}")
    (reason,) = reasons(staffeln("collect", "-f", "json"))
    assert "the listing of volumes lacks it" in reason
    assert "HTTP 404" in reason


def test_a_proxys_404_is_no_answer_to_a_wish_for_a_backup_either(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    cloud.proxy_404_next("GET", f"/volumes/{twelve[0]}")
    answer = staffeln("backup", "--volume", twelve[0])
    assert answer.exit_code == CloudUnavailable.exit_code
    assert "HTTP 404" in answer.stderr
