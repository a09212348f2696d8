"""Keystone answers oddly about one project: it fails alone, whatever is asked for in it."""

from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
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
)
from tests.conftest import Staffeln

odd_answer = pytest.mark.parametrize("status", [400, 503])


@pytest.fixture
def volumes(cloud: SimCloud, staffeln: Staffeln) -> tuple[str, str]:
    """A volume of the project `odd`, and one of the project `shop`."""
    staffeln.set(CLOUD_RETRY_TIMEOUT="0s", RETENTION_TIME="3d", RETENTION_KEEP_LAST="0")
    staffeln.set(BACKUP_FULL_BACKUP_DEPTH="0")
    return a_volume(cloud, "odd", project="odd"), a_volume(cloud, "good", project="shop")


def about(cloud: SimCloud, status: int) -> str:
    """From now on Keystone answers so where a token of the project `odd` is wanted."""
    project = cloud.world.project("odd").id
    cloud.settings.odd_tokens = {project: status}
    return project


def owners(cloud: SimCloud) -> set[str]:
    return {cloud.world.identity.projects[one["project_id"]].name for one in cloud.backups()}


@pytest.mark.parametrize("status", [400, 405, 409, 410, 429, 500, 503])
def test_its_backups_wait_and_those_of_others_are_started(
    cloud: SimCloud, staffeln: Staffeln, volumes: tuple[str, str], status: int
) -> None:
    staffeln("collect")
    project = about(cloud, status)
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (PARTLY_FAILED, 1)
    assert [(one["kind"], one["id"]) for one in answer.json["failures"]] == [("project", project)]
    assert sorted(states(staffeln)) == ["creating", "planned"]
    cloud.settings.odd_tokens = {}
    assert staffeln("backup", "-f", "json").counts["started"] == 1


def test_its_many_backups_are_not_claimed_again_and_again(
    cloud: SimCloud, staffeln: Staffeln, volumes: tuple[str, str]
) -> None:
    staffeln.set(CLOUD_WORKERS="1")
    some_volumes(cloud, 5, project="odd")
    staffeln("collect")
    about(cloud, 400)
    cloud.requests.clear()
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (PARTLY_FAILED, 1)
    assert len(sent(cloud, "POST", "/auth/tokens")) <= 5
    assert sorted(states(staffeln)) == ["creating", *["planned"] * 6]


def test_a_project_whose_tokens_cinder_refuses_waits_and_the_others_go_on(
    cloud: SimCloud, staffeln: Staffeln, volumes: tuple[str, str]
) -> None:
    staffeln("collect")
    project = cloud.world.project("odd").id
    cloud.faults.fail_next("POST", f"/{project}/backups$", status=401, times=9)
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (PARTLY_FAILED, 1)
    assert [one["id"] for one in answer.json["failures"]] == [project]
    assert sorted(states(staffeln)) == ["creating", "planned"]


@odd_answer
def test_its_expired_backups_stay_and_those_of_others_go(
    cloud: SimCloud, staffeln: Staffeln, volumes: tuple[str, str], status: int
) -> None:
    rounds(staffeln, cloud, 1, days=20)
    about(cloud, status)
    answer = staffeln("retain", "-f", "json")
    assert (answer.exit_code, answer.counts["deleted"]) == (PARTLY_FAILED, 1)
    assert owners(cloud) == {"odd"}
    cloud.settings.odd_tokens = {}
    cloud.advance(hours=1)
    twice(staffeln, cloud, "check")
    assert cloud.backups() == []


@odd_answer
def test_its_remains_stay_and_those_of_others_are_removed(
    cloud: SimCloud, staffeln: Staffeln, volumes: tuple[str, str], status: int
) -> None:
    staffeln.cycle("collect", "backup")
    cloud.steering.fail_backups("disk full")
    about(cloud, status)
    assert staffeln("check").exit_code == PARTLY_FAILED
    cloud.steering.finish_deletions()
    assert owners(cloud) == {"odd"}
    cloud.settings.odd_tokens = {}
    cloud.advance(hours=1)
    staffeln("check")
    cloud.steering.finish_deletions()
    assert cloud.backups() == []


@odd_answer
def test_nothing_is_restored_in_it_and_others_are(
    cloud: SimCloud, staffeln: Staffeln, volumes: tuple[str, str], status: int
) -> None:
    rounds(staffeln, cloud, 1)
    about(cloud, status)
    chosen = [word for volume in volumes for word in ("--volume", volume)]
    answer = staffeln("restore", *chosen, "-f", "json")
    assert (answer.exit_code, answer.counts["restoring"]) == (PARTLY_FAILED, 1)
    assert "Keystone gives no token of project" in str(reasons(answer))


@odd_answer
def test_nothing_is_imported_into_it_and_others_have_their_backups_again(
    cloud: SimCloud, staffeln: Staffeln, volumes: tuple[str, str], tmp_path: Path, status: int
) -> None:
    rounds(staffeln, cloud, 1)
    file = str(tmp_path / "catalog.jsonl.gz")
    staffeln("catalog", "save", file)
    cloud.things.lose_backups()
    for project in ("odd", "shop"):
        cloud.people.grant("backup", project, "admin")
    about(cloud, status)
    answer = staffeln("catalog", "import", file, "-f", "json")
    assert (answer.exit_code, answer.counts["imported"]) == (PARTLY_FAILED, 1)
    assert owners(cloud) == {"shop"}


def test_keystone_that_gives_no_token_at_all_ends_the_pass(
    cloud: SimCloud, staffeln: Staffeln, volumes: tuple[str, str]
) -> None:
    staffeln("collect")

    def break_down(request: Request) -> None:
        if request.method == "POST" and request.path.endswith("/auth/tokens"):
            cloud.on_request = lambda _: None
            cloud.faults.fail_next("POST", "/auth/tokens", status=503, times=99)

    def after_login(request: Request) -> None:
        if request.method == "POST" and request.path.endswith("/auth/tokens"):
            cloud.on_request = break_down

    cloud.on_request = after_login
    assert staffeln("backup").exit_code == CloudUnavailable.exit_code
    assert states(staffeln) == ["planned"] * 2
    assert cloud.backups() == []
