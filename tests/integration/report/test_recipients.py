"""Who gets a report: by configuration, by the project's name, or by what Keystone knows."""

from typing import Any

import pytest

from staffeln_cli.demo.simcloud import Request, SimCloud
from tests.acceptance.builders import twice
from tests.conftest import Staffeln
from tests.integration.report.conftest import a_project, back_up, send_through
from tests.services.smtp import Mailbox


@pytest.fixture
def to_members(staffeln: Staffeln, mailbox: Mailbox) -> Staffeln:
    """The command line, with receivers left to Keystone."""
    send_through(staffeln, mailbox)
    del staffeln.environ["STAFFELN_MAIL_RECEIVERS"]
    return staffeln


def a_member(cloud: SimCloud, name: str, project: str, **user: bool) -> str:
    user_id = cloud.people.add_user(name, password="x", email=f"{name}@example.org", **user)
    cloud.people.grant(name, project, "member")
    return user_id


def test_configured_receivers_get_the_reports_of_all_projects(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    for name in ("shop", "bank"):
        a_member(cloud, f"user-of-{name}", a_project(cloud, name))
    back_up(cloud, posting)
    posting.set(MAIL_RECEIVERS="a@example.org,b@example.org")
    posting("report")
    assert mailbox.receivers == [["a@example.org", "b@example.org"]] * 2


def test_a_domain_makes_an_address_of_the_projects_name(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud, "shop")
    a_project(cloud, "no address")
    back_up(cloud, to_members)
    to_members.set(MAIL_PROJECT_DOMAIN="tenants.example.org")
    answer = to_members("report", "-f", "json")
    assert answer.exit_code == 3
    assert "no address@tenants.example.org is no address" in answer.json["failures"][0]["reason"]
    assert mailbox.receivers == [["shop@tenants.example.org"]]


@pytest.mark.parametrize("other", ["shop", "Shop"])
def test_projects_that_would_share_a_mailbox_are_refused_by_name(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox, other: str
) -> None:
    a_project(cloud, "bank")
    one = a_project(cloud, "shop")
    two = cloud.people.add_project(other, domain_id="abroad")
    back_up(cloud, to_members)
    to_members.set(MAIL_PROJECT_DOMAIN="tenants.example.org")
    answer = to_members("report", "-f", "json")
    assert answer.exit_code == 3
    assert one in answer.json["failures"][0]["reason"]
    assert two in answer.json["failures"][0]["reason"]
    assert mailbox.receivers == [["bank@tenants.example.org"]]


def test_members_are_written_to_directly_or_by_their_group_once_each(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    project = a_project(cloud)
    a_member(cloud, "ana", project)
    cloud.people.grant("ana", project, "reader")
    cloud.people.add_user("ben", password="x", email="ben@example.org")
    cloud.people.add_group("crew")
    for name in ("ana", "ben"):
        cloud.people.add_to_group("crew", name)
    cloud.people.grant_group("crew", project, "member")
    back_up(cloud, to_members)
    to_members("report")
    assert mailbox.receivers == [["ana@example.org", "ben@example.org"]]


def test_users_that_are_disabled_or_have_no_usable_address_are_left_out(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    project = a_project(cloud)
    a_member(cloud, "ana", project)
    a_member(cloud, "gone", project, enabled=False)
    for name, email in (("mute", None), ("odd", "x@y>, <evil@z"), ("blank", "  ")):
        cloud.people.add_user(name, password="x", email=email)
        cloud.people.grant(name, project, "member")
    back_up(cloud, to_members)
    to_members("report")
    assert mailbox.receivers == [["ana@example.org"]]


def test_administrators_hear_of_a_project_only_for_want_of_members(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    shop, bank = a_project(cloud, "shop"), a_project(cloud, "bank")
    cloud.people.add_user("root", password="x", email="root@example.org")
    for project in (shop, bank):
        cloud.people.grant("root", project, "admin")
    a_member(cloud, "ana", shop)
    back_up(cloud, to_members)
    to_members("report")
    assert sorted(mailbox.receivers) == [["ana@example.org"], ["root@example.org"]]


def test_a_project_without_any_address_goes_to_the_operator_or_is_named(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    back_up(cloud, to_members)
    nobody = to_members("report", "-f", "json")
    assert nobody.exit_code == 3
    assert nobody.counts["unsent"] == 1
    assert "no member of the project has an e-mail address" in nobody.json["failures"][0]["reason"]
    to_members.set(MAIL_OPERATOR="operator@example.org")
    assert to_members("report", "-f", "json").counts["sent"] == 1
    assert mailbox.subjects[0].startswith("[Staffeln] shop:")
    assert mailbox.receivers == [["operator@example.org"]] * 2


def test_a_project_without_any_address_is_named_once_in_a_period(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    shop = a_project(cloud)
    back_up(cloud, to_members)
    assert to_members("report", "--dry-run").exit_code == 3
    ends = []
    for _ in range(8):
        answer = to_members("report", "-f", "json")
        assert answer.counts["unsent"] == 1
        ends.append(answer.exit_code)
        cloud.advance(hours=6)
    assert ends == [3, 0, 0, 0, 3, 0, 0, 0]
    a_member(cloud, "ana", shop)
    back_up(cloud, to_members)
    assert to_members("report", "-f", "json").counts["sent"] == 1
    cloud.people.disable_user("ana")
    cloud.advance(days=1)
    assert to_members("report").exit_code == 3


def test_the_members_of_all_projects_take_three_requests_and_one_for_each_group(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    for number in range(5):
        a_member(cloud, f"u{number}", a_project(cloud, f"p{number}"))
    back_up(cloud, to_members)
    cloud.requests.clear()
    assert to_members("report", "-f", "json").counts["sent"] == 5
    asked = [one.path for one in cloud.requests if one.method == "GET"]
    assert sum("os-quota-sets" in path for path in asked) == 5
    identity = {path.rpartition("/v3/")[2] for path in asked if "/v3/" in path}
    assert {path for path in identity if "os-quota" not in path} == {
        "role_assignments",
        "roles",
        "users",
    }


def test_a_keystone_that_pages_or_cuts_its_lists_short_does_not_lose_members(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    for number in range(6):
        a_member(cloud, f"u{number}", a_project(cloud, f"p{number}"))
    back_up(cloud, to_members)
    for pages in (True, False):
        cloud.settings.keystone_limit, cloud.settings.keystone_pages = 4, pages
        mailbox.envelopes.clear()
        assert to_members("report", "-f", "json").counts["sent"] == 6
        assert sorted(mailbox.receivers) == [[f"u{number}@example.org"] for number in range(6)]
        cloud.advance(days=1)


def test_a_keystone_that_refuses_to_tell_sends_nothing_and_loses_nothing(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    a_member(cloud, "ana", a_project(cloud))
    back_up(cloud, to_members)
    cloud.faults.fail_next("GET", "/role_assignments", status=403)
    assert to_members("report", "-f", "json").exit_code == 69
    assert to_members("report", "-f", "json").counts["sent"] == 1


def test_a_project_that_is_gone_is_not_failed_over_for_ever(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    project = a_project(cloud)
    back_up(cloud, to_members)
    cloud.people.remove_project(project)
    twice(to_members, cloud, "collect")
    assert to_members("report", "-f", "json").counts["projects"] == 0
    to_members.set(MAIL_RECEIVERS="ops@example.org")
    assert to_members("report", "-f", "json").counts["sent"] == 1


def a_group(cloud: SimCloud, project: str, *names: str) -> str:
    """A group that has a role in a project, with new users."""
    group = cloud.people.add_group(f"group-of-{names[0]}")
    for name in names:
        cloud.people.add_user(name, password="x", email=f"{name}@example.org")
        cloud.people.add_to_group(f"group-of-{names[0]}", name)
    cloud.people.grant_group(f"group-of-{names[0]}", project, "member")
    return group


ODD: list[dict[str, Any]] = [
    {"status": 403},
    {"status": 400},
    {"status": 404, "body": "default backend - 404"},
    {"status": 500, "times": 99},
    {"status": 200, "body": "<html>Welcome</html>"},
    {"status": 200, "body": {"users": None}},
    {"status": 200, "body": {"users": [{"name": "ana"}]}},
]


@pytest.mark.parametrize("answer", ODD, ids=str)
def test_a_group_of_which_keystone_answers_oddly_keeps_no_other_project_from_its_report(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox, answer: dict[str, Any]
) -> None:
    to_members.set(CLOUD_RETRY_TIMEOUT="0s", MAIL_OPERATOR="operator@example.org")
    group = a_group(cloud, a_project(cloud, "shop"), "ana")
    a_member(cloud, "ben", a_project(cloud, "bank"))
    back_up(cloud, to_members)
    cloud.faults.fail_next("GET", f"/groups/{group}/users", **answer)
    report = to_members("report", "-f", "json")
    assert (report.exit_code, report.counts["sent"], report.counts["unsent"]) == (3, 1, 1)
    assert f"group {group}" in report.json["failures"][0]["reason"]
    assert mailbox.receivers[0] == ["ben@example.org"]
    cloud.faults.clear()
    assert to_members("report", "-f", "json").counts["sent"] == 1
    assert mailbox.receivers[-1] == ["ana@example.org"]


def test_an_odd_group_is_named_once_where_other_members_get_the_report(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    shop, bank = a_project(cloud, "shop"), a_project(cloud, "bank")
    a_member(cloud, "ben", shop)
    a_member(cloud, "eve", bank)
    group = a_group(cloud, shop, "ana")
    cloud.people.grant_group("group-of-ana", bank, "member")
    back_up(cloud, to_members)
    cloud.faults.fail_next("GET", f"/groups/{group}/users", status=403)
    report = to_members("report", "-f", "json")
    assert (report.exit_code, report.counts["sent"]) == (3, 2)
    assert [(one["kind"], one["id"]) for one in report.json["failures"]] == [("group", group)]
    assert sorted(mailbox.receivers) == [["ben@example.org"], ["eve@example.org"]]


def test_administrators_do_not_stand_in_for_members_of_a_group_that_is_not_shown(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    shop = a_project(cloud, "shop")
    cloud.people.add_user("root", password="x", email="root@example.org")
    cloud.people.grant("root", shop, "admin")
    group = a_group(cloud, shop, "ana")
    back_up(cloud, to_members)
    cloud.faults.fail_next("GET", f"/groups/{group}/users", status=403)
    assert to_members("report", "-f", "json").counts["unsent"] == 1
    assert mailbox.receivers == []


@pytest.mark.parametrize("edit", [{"enabled": "yes"}, {"id": None}, {"name": None}], ids=str)
def test_a_user_that_is_not_understood_keeps_nobody_else_from_the_reports(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox, edit: dict[str, Any]
) -> None:
    odd = a_member(cloud, "odd", a_project(cloud, "shop"))
    a_member(cloud, "ben", a_project(cloud, "bank"))
    back_up(cloud, to_members)
    cloud.faults.spoil_next(f"/users(/{odd})?$", {odd: edit}, times=9)
    report = to_members("report", "-f", "json")
    is_understood = "name" in edit
    assert report.counts["sent"] == 1 + is_understood
    assert ["ben@example.org"] in mailbox.receivers
    if not is_understood:
        assert f"user {odd}" in report.json["failures"][0]["reason"]


def test_a_role_assignment_that_is_not_understood_is_named_with_its_project(
    cloud: SimCloud, to_members: Staffeln, mailbox: Mailbox
) -> None:
    shop = a_project(cloud, "shop")
    odd = a_member(cloud, "odd", shop)
    a_member(cloud, "ben", a_project(cloud, "bank"))
    back_up(cloud, to_members)

    def edit(_: Request, body: dict[str, Any]) -> dict[str, Any]:
        for row in body["role_assignments"]:
            if row.get("user", {}).get("id") == odd:
                row["user"] = {"name": "odd"}
        return body

    cloud.faults.edit_next("/role_assignments", edit)
    report = to_members("report", "-f", "json")
    assert (report.counts["sent"], report.counts["unsent"]) == (1, 1)
    assert f"role assignment {shop}" in report.json["failures"][0]["reason"]
