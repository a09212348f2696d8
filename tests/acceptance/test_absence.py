"""What a listing lacks is not gone: only Cinder's own word about the id says so."""

from collections.abc import Mapping
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.runtime.run import PARTLY_FAILED
from tests.acceptance.builders import (
    a_volume,
    reasons,
    rounds,
    sent,
    some_volumes,
    states,
    twice,
    volumes,
)
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
    cloud.faults.omit_next(LISTING, twelve[:5])
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
    cloud.faults.omit_next(LISTING, twelve[:5])
    staffeln("collect")
    assert looked_up(cloud) == sorted(twelve[:5])
    assert len(cloud.requests) == usual + 5


def test_a_volume_that_was_deleted_is_gone_and_not_asked_for_again(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    staffeln.set(RETENTION_GRACE="0s")
    cloud.things.remove_volume(twelve[0])
    cloud.faults.omit_next(LISTING, twelve[1:3])
    collect = twice(staffeln, cloud, "collect")
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
    cloud.things.remove_volume(twelve[0])
    cloud.faults.fail_next("GET", f"/volumes/{twelve[0]}", **answer)
    collect = staffeln("collect", "-f", "json")
    assert (collect.exit_code, collect.json["outcome"]) == (PARTLY_FAILED, "partial")
    assert [one["id"] for one in collect.json["failures"]] == twelve[:1]
    assert collect.counts["gone"] == 0
    assert volumes(staffeln)[twelve[0]] == before[twelve[0]]


def test_the_last_backups_survive_where_a_proxy_answers_in_cinders_place(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    cloud.faults.omit_next(LISTING, twelve[:5])
    cloud.faults.proxy_404_next("GET", f"/volumes/({'|'.join(twelve[:5])})$", times=5)
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
    cloud.faults.omit_next(LISTING, twelve[:1])
    cloud.faults.proxy_404_next("GET", f"/volumes/{twelve[0]}")
    (reason,) = reasons(staffeln("collect", "-f", "json"))
    assert "the listing of volumes lacks it" in reason
    assert "HTTP 404" in reason


def test_a_proxys_404_is_no_answer_to_a_wish_for_a_backup_either(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    cloud.faults.proxy_404_next("GET", f"/volumes/{twelve[0]}")
    answer = staffeln("backup", "--volume", twelve[0])
    assert answer.exit_code == CloudUnavailable.exit_code
    assert "HTTP 404" in answer.stderr


def test_a_volume_that_the_listing_lacks_is_backed_up_when_it_is_due(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    first, _ = some_volumes(cloud, 2)
    rounds(staffeln, cloud, 1)
    cloud.faults.omit_next(LISTING, [first])
    collect = staffeln("collect", "-f", "json")
    assert (collect.counts["volumes"], collect.counts["planned"]) == (2, 2)


def test_a_volume_that_a_lagging_node_hides_is_neither_gone_nor_reported(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    before = volumes(staffeln)
    cloud.settings.lagging_rows = frozenset(twelve[:5])
    hidden = staffeln("collect", "-f", "json")
    assert (hidden.exit_code, hidden.counts["gone"]) == (0, 0)
    assert volumes(staffeln) == before
    cloud.settings.lagging_rows = frozenset()
    seen = staffeln("run", "-f", "json")
    assert (seen.exit_code, seen.json[0]["counts"]["gone"]) == (0, 0)
    assert len(cloud.backups()) == 12


def test_an_absence_that_ended_meanwhile_is_no_first_one(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    for _ in range(3):
        cloud.settings.lagging_rows = frozenset(twelve[:1])
        assert twice(staffeln, cloud, "status").exit_code == 0
        assert staffeln("collect", "-f", "json").counts["gone"] == 0
        cloud.settings.lagging_rows = frozenset()
        staffeln("collect")
    assert volumes(staffeln)[twelve[0]]["protected"]


def test_a_volume_is_not_gone_before_its_absence_has_settled(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    cloud.things.remove_volume(twelve[0])
    first = staffeln("collect", "-f", "json")
    cloud.advance(minutes=9)
    second = staffeln("collect", "-f", "json")
    cloud.advance(minutes=2)
    third = staffeln("collect", "-f", "json")
    assert [one.counts["gone"] for one in (first, second, third)] == [0, 0, 1]


def test_how_long_an_absence_must_last_is_configured(
    cloud: SimCloud, staffeln: Staffeln, twelve: list[str]
) -> None:
    staffeln.set(CLOUD_SETTLE_TIME="2h")
    cloud.things.remove_volume(twelve[0])
    assert twice(staffeln, cloud, "collect").counts["gone"] == 0
    cloud.advance(hours=2)
    assert staffeln("collect", "-f", "json").counts["gone"] == 1


def test_a_volume_that_was_created_a_moment_ago_is_never_judged_absent(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    old = a_volume(cloud, "old")
    staffeln("collect")
    new = a_volume(cloud, "new")
    staffeln("collect")
    cloud.settings.lagging_rows = frozenset([new])
    staffeln("collect")
    cloud.advance(minutes=9)
    assert staffeln("collect", "-f", "json").counts["gone"] == 0
    assert set(volumes(staffeln)) == {old, new}


class TestMass:
    """Very many at once may be a mistake: nothing of it is believed unasked."""

    @pytest.fixture
    def thirty(self, cloud: SimCloud, staffeln: Staffeln) -> list[str]:
        ids = some_volumes(cloud, 30)
        staffeln("collect")
        cloud.advance(days=1)
        return ids

    def test_many_volumes_that_are_absent_are_not_gone_but_the_pass_says_so(
        self, cloud: SimCloud, staffeln: Staffeln, thirty: list[str]
    ) -> None:
        for one in thirty[:21]:
            cloud.things.remove_volume(one)
        collect = twice(staffeln, cloud, "collect")
        assert (collect.exit_code, collect.counts["gone"]) == (PARTLY_FAILED, 0)
        assert "21 of 30 volumes do not exist any more" in reasons(collect)[0]
        assert "staffeln collect --confirm" in reasons(collect)[0]
        assert sum(one["protected"] for one in volumes(staffeln).values()) == 30

    def test_twenty_may_always_be_gone(
        self, cloud: SimCloud, staffeln: Staffeln, thirty: list[str]
    ) -> None:
        for one in thirty[:20]:
            cloud.things.remove_volume(one)
        collect = twice(staffeln, cloud, "collect")
        assert (collect.exit_code, collect.counts["gone"]) == (0, 20)

    def test_a_confirmation_after_the_absence_has_settled_is_enough(
        self, cloud: SimCloud, staffeln: Staffeln, thirty: list[str]
    ) -> None:
        for one in thirty[:25]:
            cloud.things.remove_volume(one)
        collect = twice(staffeln, cloud, "collect")
        confirmed = staffeln("collect", "--confirm", "-f", "json")
        assert (confirmed.exit_code, confirmed.counts["gone"]) == (0, 25)
        assert collect.counts["gone"] == 0

    def test_a_confirmation_is_no_second_look_but_it_holds_until_then(
        self, cloud: SimCloud, staffeln: Staffeln, thirty: list[str]
    ) -> None:
        for one in thirty[:25]:
            cloud.things.remove_volume(one)
        confirmed = staffeln("collect", "--confirm", "-f", "json")
        assert (confirmed.exit_code, confirmed.counts["gone"]) == (0, 0)
        cloud.advance(minutes=11)
        later = staffeln("collect", "-f", "json")
        assert (later.exit_code, later.counts["gone"]) == (0, 25)

    def test_many_volumes_that_lose_protection_keep_it_and_their_backups(
        self, cloud: SimCloud, staffeln: Staffeln, thirty: list[str]
    ) -> None:
        staffeln.set(BACKUP_MAX_IN_FLIGHT="99", BACKUP_MAX_IN_FLIGHT_PER_PROJECT="99")
        rounds(staffeln, cloud, 1)
        for number in range(25):
            cloud.things.set_metadata(f"shop-{number}-server", {})
        collect = staffeln("collect", "-f", "json")
        assert collect.exit_code == PARTLY_FAILED
        assert "25 of 30 protected volumes would lose protection" in reasons(collect)[0]
        assert (collect.counts["protected"], collect.counts["planned"]) == (30, 30)
        assert sum(one["protected"] for one in volumes(staffeln).values()) == 30

    def test_many_volumes_lose_protection_when_somebody_confirms_it(
        self, cloud: SimCloud, staffeln: Staffeln, thirty: list[str]
    ) -> None:
        for number in range(25):
            cloud.things.set_metadata(f"shop-{number}-server", {})
        collect = staffeln("collect", "--confirm", "-f", "json")
        assert (collect.exit_code, collect.counts["protected"]) == (0, 5)
        assert states(staffeln).count("cancelled") == 25

    def test_many_servers_that_nova_does_not_list_are_named_and_stay_protected(
        self, cloud: SimCloud, staffeln: Staffeln, thirty: list[str]
    ) -> None:
        for number in range(21):
            cloud.things.hide_server(f"shop-{number}-server")
        collect = staffeln("collect", "-f", "json")
        assert (collect.exit_code, collect.counts["protected"]) == (PARTLY_FAILED, 30)
        assert "Nova does not list 21 of 30 servers" in reasons(collect)[0]

    def test_many_projects_that_keystone_does_not_have_stay_unknown(
        self, cloud: SimCloud, staffeln: Staffeln
    ) -> None:
        names = [f"project-{number}" for number in range(21)]
        for name in names:
            a_volume(cloud, f"disk-of-{name}", project=name)
        staffeln("collect")
        cloud.settings.lagging_rows = frozenset(cloud.world.project(name).id for name in names)
        collect = twice(staffeln, cloud, "collect")
        assert (collect.exit_code, collect.counts["protected"]) == (PARTLY_FAILED, 21)
        assert "21 of 22 projects do not exist any more" in reasons(collect)[0]


class TestProject:
    """A project that Keystone does not list is unknown until it is gone."""

    @pytest.fixture
    def project(self, cloud: SimCloud, staffeln: Staffeln) -> str:
        """A project with a volume that is due again."""
        a_volume(cloud)
        rounds(staffeln, cloud, 1)
        project_id: str = cloud.world.project("shop").id
        cloud.requests.clear()
        return project_id

    def test_its_volumes_stay_protected_and_are_backed_up(
        self, cloud: SimCloud, staffeln: Staffeln, project: str
    ) -> None:
        cloud.faults.omit_next("/v3/projects$", [project])
        collect = staffeln("collect", "-f", "json")
        assert (collect.exit_code, collect.counts["planned"]) == (0, 1)
        assert len(sent(cloud, "GET", f"/v3/projects/{project}")) == 1

    def test_it_is_gone_when_keystone_says_so_twice(
        self, cloud: SimCloud, staffeln: Staffeln, project: str
    ) -> None:
        cloud.settings.lagging_rows = frozenset([project])
        first = staffeln("collect", "-f", "json")
        assert first.counts["protected"] == 1
        cloud.advance(minutes=11)
        second = staffeln("collect", "-f", "json")
        assert (second.exit_code, second.counts["protected"]) == (0, 0)
        (row,) = volumes(staffeln).values()
        assert row["skip_reason"] == "its project is unknown"

    def test_it_is_not_gone_where_a_proxy_answers_in_keystones_place(
        self, cloud: SimCloud, staffeln: Staffeln, project: str
    ) -> None:
        cloud.faults.omit_next("/v3/projects$", [project], times=3)
        cloud.faults.proxy_404_next("GET", f"/v3/projects/{project}", times=3)
        for _ in range(3):
            collect = staffeln("collect", "-f", "json")
            assert (collect.exit_code, collect.counts["protected"]) == (PARTLY_FAILED, 1)
            assert collect.json["failures"][0]["id"] == project
            cloud.advance(minutes=11)

    def test_it_counts_as_keystone_shows_it_by_its_id(
        self, cloud: SimCloud, staffeln: Staffeln, project: str
    ) -> None:
        cloud.people.disable_project("shop")
        cloud.faults.omit_next("/v3/projects$", [project])
        assert staffeln("collect", "-f", "json").counts["protected"] == 0

    def test_its_volumes_are_protected_again_when_keystone_lists_it_again(
        self, cloud: SimCloud, staffeln: Staffeln, project: str
    ) -> None:
        cloud.settings.lagging_rows = frozenset([project])
        twice(staffeln, cloud, "collect")
        cloud.settings.lagging_rows = frozenset()
        assert staffeln("collect", "-f", "json").counts["protected"] == 1
