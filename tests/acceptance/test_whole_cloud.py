"""A login without admin rights is shown its own project alone: that is no whole cloud."""

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from staffeln_cli.errors import CloudUnavailable, NotWholeCloud
from tests.acceptance.builders import (
    a_volume,
    records,
    rounds,
    sent,
    some_volumes,
    states,
    twice,
    volumes,
)
from tests.conftest import Staffeln


@pytest.fixture
def three(cloud: SimCloud, staffeln: Staffeln) -> list[str]:
    """Volumes of a project, each with a backup."""
    ids = some_volumes(cloud, 3)
    rounds(staffeln, cloud, 1, days=1)
    return ids


def own_volume(cloud: SimCloud) -> None:
    """A volume with a backup in the login's own project."""
    cloud.things.add_backup(cloud.things.add_volume("own", project="backup"))


@pytest.mark.parametrize("has_own", [True, False])
@pytest.mark.parametrize("command", ["collect", "check", "retain"])
def test_a_narrowed_listing_stops_the_pass_and_changes_nothing(
    cloud: SimCloud, staffeln: Staffeln, three: list[str], command: str, has_own: bool
) -> None:
    if has_own:
        own_volume(cloud)
    before = volumes(staffeln), records(staffeln)
    cloud.settings.cinder_narrows = True
    answer = twice(staffeln, cloud, command)
    assert answer.exit_code == NotWholeCloud.exit_code
    assert "policy" in answer.stderr
    assert "--confirm" not in answer.stderr
    assert (volumes(staffeln), records(staffeln)) == before


@pytest.mark.parametrize("number", [1, 3])
def test_a_plan_is_not_cancelled_where_cinder_does_not_show_the_volume_to_the_login(
    cloud: SimCloud, staffeln: Staffeln, number: int
) -> None:
    some_volumes(cloud, number)
    staffeln("collect")
    cloud.settings.cinder_narrows = True
    answer = staffeln("backup", "-f", "json")
    if number == 1:  # of one volume the login is asked, of several the project's own token
        assert answer.exit_code == NotWholeCloud.exit_code
        assert states(staffeln) == ["planned"]
        cloud.settings.cinder_narrows = False
        staffeln("backup")
    assert states(staffeln) == ["creating"] * number


def test_a_pass_that_had_started_backups_when_it_ended_says_nothing_else(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(CLOUD_WORKERS="1")
    a_volume(cloud, project="bank")
    rounds(staffeln, cloud, 1)
    some_volumes(cloud, 3, project="shop")  # never backed up: the first of them comes first
    staffeln("collect")
    cloud.settings.cinder_narrows = True
    answer = staffeln("backup", "-f", "json")
    assert answer.exit_code == NotWholeCloud.exit_code
    assert answer.counts["started"] == len(cloud.backups()) - 1 == 1
    assert "nothing was taken for gone" in answer.stderr
    assert "nothing was changed" not in answer.stderr


@pytest.mark.parametrize("path", ["/servers/detail", "/volumes/detail", "/backups/detail"])
def test_a_role_that_is_taken_in_the_middle_of_a_pass_makes_nothing_look_gone(
    cloud: SimCloud, staffeln: Staffeln, three: list[str], path: str
) -> None:
    cloud.people.grant("backup", "backup", "member")

    def take_it(request: Request) -> None:
        if path in request.path:
            cloud.on_request = None
            cloud.people.revoke("backup", "backup", "admin")

    for command in ("collect", "check"):
        cloud.on_request = take_it
        assert staffeln(command).exit_code != 0 or cloud.on_request is not None
        cloud.on_request = None
        cloud.advance(minutes=11)
    cloud.people.grant("backup", "backup", "admin")
    assert twice(staffeln, cloud, "collect").exit_code == 0
    assert twice(staffeln, cloud, "check").exit_code == 0
    assert set(states(staffeln)) <= {"available", "planned"}
    assert all(one["protected"] for one in volumes(staffeln).values())


@pytest.mark.parametrize("command", ["collect", "check", "retain"])
def test_a_login_that_keystone_refuses_in_the_middle_of_a_pass_ends_it_at_once(
    cloud: SimCloud, staffeln: Staffeln, three: list[str], command: str
) -> None:
    staffeln.set(CLOUD_RETRY_TIMEOUT="1h")

    def take_it(request: Request) -> None:
        if "/backups/detail" in request.path:
            cloud.on_request = None
            cloud.people.revoke("backup", "backup", "admin")

    before = volumes(staffeln), records(staffeln)
    cloud.on_request = take_it
    answer = staffeln(command)
    assert answer.exit_code == CloudUnavailable.exit_code
    assert "Keystone refuses the login" in answer.stderr
    assert (volumes(staffeln), records(staffeln)) == before


def test_an_empty_listing_is_believed_where_cinder_treats_the_login_as_an_admin(
    cloud: SimCloud, staffeln: Staffeln, three: list[str]
) -> None:
    for one in three:
        cloud.things.remove_volume(one)
    cloud.requests.clear()
    assert twice(staffeln, cloud, "collect").counts["gone"] == 3
    assert len(sent(cloud, "GET", "/os-services")) == 2


def test_the_own_project_alone_is_believed_when_somebody_confirms_it(
    cloud: SimCloud, staffeln: Staffeln, three: list[str]
) -> None:
    own_volume(cloud)
    for one in three:
        cloud.things.remove_volume(one)
    answer = staffeln("collect")
    assert answer.exit_code == NotWholeCloud.exit_code
    assert "run: staffeln collect --confirm" in answer.stderr
    assert twice(staffeln, cloud, "collect", "--confirm").counts["gone"] == 3


def test_nobody_can_confirm_what_a_narrowed_login_is_shown(
    cloud: SimCloud, staffeln: Staffeln, three: list[str]
) -> None:
    cloud.settings.cinder_narrows = True
    answer = twice(staffeln, cloud, "collect", "--confirm")
    assert answer.exit_code == NotWholeCloud.exit_code


def test_the_listing_of_the_first_pass_may_be_of_the_own_project_alone(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    own_volume(cloud)
    assert staffeln("collect").exit_code == 0


def test_servers_of_the_own_project_alone_are_not_all_servers(
    cloud: SimCloud, staffeln: Staffeln, three: list[str]
) -> None:
    a_volume(cloud, "own", project="backup")
    cloud.faults.omit_next("/servers/detail", [one["id"] for one in cloud.servers()][:3])
    answer = staffeln("collect")
    assert answer.exit_code == NotWholeCloud.exit_code
    assert "os_compute_api:servers:detail:get_all_tenants" in answer.stderr


@pytest.mark.parametrize(
    ("command", "path", "attribute"),
    [
        ("collect", "/volumes/detail", "os-vol-tenant-attr:tenant_id"),
        ("collect", "/backups/detail", "os-backup-project-attr:project_id"),
        ("check", "/backups/detail", "os-backup-project-attr:project_id"),
    ],
)
def test_rows_that_do_not_name_their_project_are_no_whole_cloud(
    cloud: SimCloud,
    staffeln: Staffeln,
    three: list[str],
    command: str,
    path: str,
    attribute: str,
) -> None:
    before = volumes(staffeln), records(staffeln)
    cloud.faults.hide_next(path, [attribute], times=9)
    answer = staffeln(command)
    assert answer.exit_code == NotWholeCloud.exit_code
    assert attribute in answer.stderr
    assert (volumes(staffeln), records(staffeln)) == before
