"""Answers to somebody else's questions, as a cache or a proxy gives them that mixes them up."""

from typing import Any

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.demo.simcloud.tokens import Identified, described, new_token
from tests.acceptance.builders import (
    a_volume,
    reasons,
    rounds,
    some_volumes,
    states,
    twice,
    volumes,
)
from tests.conftest import Staffeln

LONG = 1000


def answer_with_token_of(cloud: SimCloud, other: str, wanted: str) -> None:
    """Whoever asks for a token of the project `wanted` gets one of another project."""
    world = cloud.world

    def mix_up(request: Request) -> None:
        if request.method != "POST" or not request.path.endswith("/auth/tokens"):
            return
        scope = request.body["auth"].get("scope", {}).get("project", {})
        if scope.get("id") != world.project(wanted).id:
            return
        token = new_token(
            world, Identified(world.user("backup"), ("token",)), world.project(other)
        )
        headers = {"X-Subject-Token": token.id}
        body = {"token": described(world, token)}
        cloud.faults.fail_next("POST", "/auth/tokens", status=201, body=body, headers=headers)

    cloud.on_request = mix_up


def test_a_token_of_another_project_makes_no_backup_there(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(CLOUD_WORKERS="1", CLOUD_RETRY_TIMEOUT="0s")
    for project in ("shop", "bank"):
        a_volume(cloud, project, project=project)
        cloud.people.grant("backup", project, "admin")  # so that Cinder would back up any volume
    staffeln("collect")
    answer_with_token_of(cloud, "shop", "bank")
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (3, 1)
    shop = cloud.world.project("shop").id
    assert f"a token of project {shop} came instead" in reasons(answer)[0]
    assert [one["project_id"] for one in cloud.backups()] == [shop]
    assert sorted(states(staffeln)) == ["creating", "planned"]


def test_a_renewed_login_to_another_project_ends_the_pass(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 2)
    cloud.people.grant("backup", "shop", "admin")
    answer_with_token_of(cloud, "shop", "backup")

    def expire(request: Request) -> None:
        if "/volumes/detail" in request.path:
            cloud.on_request = None
            cloud.steering.expire_tokens()
            mix_up = cloud.world.project("shop")
            token = new_token(cloud.world, Identified(cloud.world.user("backup"), ()), mix_up)
            headers = {"X-Subject-Token": token.id}
            body = {"token": described(cloud.world, token)}
            cloud.faults.fail_next("POST", "/auth/tokens", status=201, body=body, headers=headers)

    cloud.on_request = expire
    answer = staffeln("collect")
    assert answer.exit_code == 69
    # The listing is read from both ends: the other one may have come to Cinder with that token,
    # which refuses it for the URL of the right project, before the mix-up is seen.
    assert "another project" in answer.stderr or "HTTP 400" in answer.stderr
    assert staffeln("collect").exit_code == 0
    assert [one["protected"] for one in volumes(staffeln).values()] == [True, True]


@pytest.mark.parametrize("body", [{"id": None}, {"id": "x", "name": "another"}, {}, [], "x"])
def test_an_acceptance_of_another_backup_leaves_doubt_that_check_resolves(
    cloud: SimCloud, staffeln: Staffeln, body: Any
) -> None:
    a_volume(cloud)
    staffeln("collect")
    cloud.faults.fail_next("POST", "/backups$", status=202, body={"backup": body})
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, states(staffeln)) == (3, ["starting"])
    cloud.advance(minutes=30)
    twice(staffeln, cloud, "check")
    assert states(staffeln) == ["planned"]
    rounds(staffeln, cloud, 1)
    assert (states(staffeln), len(cloud.backups())) == (["available"], 1)


def about(other: str, kind: str) -> Any:
    def edit(_: Request, body: dict[str, Any]) -> dict[str, Any]:
        body[kind]["id"] = other
        return body

    return edit


def test_a_look_up_that_answers_about_another_volume_proves_nothing(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    hidden, other = some_volumes(cloud, 2)
    staffeln("collect")
    before = volumes(staffeln)
    cloud.faults.omit_next("/volumes/detail", [hidden], LONG)
    cloud.faults.edit_next(f"/volumes/{hidden}$", about(other, "volume"), LONG)
    answer = twice(staffeln, cloud, "collect")
    assert (answer.exit_code, answer.counts["gone"]) == (3, 0)
    assert [one["id"] for one in answer.json["failures"]] == [hidden]
    assert volumes(staffeln)[other]["volume_name"] == before[other]["volume_name"]


def test_a_look_up_that_answers_about_another_backup_proves_nothing(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 2)
    rounds(staffeln, cloud, 1, days=0.2)
    hidden, other = (one["id"] for one in cloud.backups())
    cloud.faults.omit_next("/backups/detail", [hidden], LONG)
    cloud.faults.edit_next(f"/backups/{hidden}$", about(other, "backup"), LONG)
    for _ in range(2):
        answer = staffeln("check", "-f", "json")
        assert (answer.exit_code, answer.counts["missing"]) == (3, 0)
        assert [one["id"] for one in answer.json["failures"]] == [hidden]
        cloud.advance(hours=2)
    assert states(staffeln) == ["available"] * 2
