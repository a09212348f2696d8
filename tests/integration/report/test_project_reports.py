"""What reports say, where they go without a mail server, and how to look at one beforehand."""

from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import ConfigError
from tests.build import MARKED
from tests.conftest import Staffeln
from tests.integration.report.conftest import a_project, back_up
from tests.services.smtp import Mailbox, html_of, text_of


def test_without_a_sender_trouble_goes_to_the_log_and_good_news_only_to_those_who_listen(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_project(cloud)
    back_up(cloud, staffeln)
    quiet = staffeln("report")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, "", "")
    cloud.advance(days=1)
    back_up(cloud, staffeln)
    assert "The one volume is protected" in staffeln("-v", "report").stderr
    cloud.advance(days=1)
    cloud.steering.fail_next_backup("the disk is full")
    back_up(cloud, staffeln)
    loud = staffeln("report", "-f", "json")
    assert loud.counts["logged"] == 1
    assert "The disk is full" in loud.stderr


def test_a_report_leads_with_what_is_not_protected_and_why(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    project = a_project(cloud, volumes=("good", "broken"))
    server = cloud.things.add_server(
        "db", project=project, metadata=MARKED | {"__staffeln_retention": "2 wekes"}
    )
    cloud.things.add_volume("root", project=project, server=server, size_gib=2)
    cloud.things.add_volume(
        "scratch", project=project, server=server, metadata={"skip-volume-backup": "true"}
    )
    cloud.things.set_volume("broken", status="error")
    back_up(cloud, posting)
    posting("report")
    (letter,) = mailbox.letters
    assert letter["Subject"] == "[Staffeln] shop: 2 of 3 volumes protected, 1 FAILED"
    for text in (text_of(letter), html_of(letter).replace("&#39;", "'")):
        order = [
            text.index(words)
            for words in (
                "1 of 3 volumes is not protected",
                "The volume is in status 'error', which allows no backup",
                "Not protected",
                "Quota",
                "Backed up",
                "Marked with skip-volume-backup",
                "'2 wekes' is no retention; the default holds",
            )
        ]
        assert order == sorted(order)


def test_overdue_volumes_are_counted_as_overdue(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    back_up(cloud, posting)
    cloud.advance(days=3)
    posting("report")
    assert mailbox.subjects == ["[Staffeln] shop: 0 of 1 volume protected, 1 OVERDUE"]


def test_times_have_the_offset_of_the_zone_that_is_configured(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    back_up(cloud, posting)
    posting.set(REPORT_TIMEZONE="Asia/Kolkata")
    posting("report")
    assert "+05:30" in text_of(mailbox.letters[0])
    assert " UTC" not in text_of(mailbox.letters[0])
    posting.set(REPORT_TIMEZONE="Europe/Nowhere")
    wrong = posting("report", "-f", "json")
    assert wrong.exit_code == 78
    assert "report.timezone: 'Europe/Nowhere' is not known here" in wrong.stderr


def test_a_quota_that_cannot_be_asked_for_does_not_hold_the_report_up(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    back_up(cloud, posting)
    cloud.faults.fail_next("GET", "os-quota-sets", status=403)
    assert posting("report", "-f", "json").counts["sent"] == 1
    assert "Quota" not in text_of(mailbox.letters[0])


def test_a_report_leaves_behind_what_it_saw_of_the_quota(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    cloud.people.set_quota(a_project(cloud), backups=12, backup_gigabytes=6)
    back_up(cloud, posting)
    (before,) = posting("status", "projects", "--project", "shop", "-f", "json").json
    posting("report", "--dry-run")
    assert (before["quota_gib"], before["quota_days_left"]) == (None, None)
    posting("report")
    (seen,) = posting("status", "projects", "--project", "shop", "-f", "json").json
    assert (seen["quota_gib"], seen["quota_gib_used"]) == (6, 2)
    assert (seen["quota_backups"], seen["quota_backups_used"]) == (12, 1)
    assert seen["quota_days_left"] in (1, 2)
    cloud.advance(days=5)
    (later,) = posting("status", "projects", "--project", "shop", "-f", "json").json
    assert later["quota_days_left"] == 0


def test_a_folder_of_templates_replaces_those_of_the_same_name(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox, tmp_path: Path
) -> None:
    a_project(cloud, "s<b>hop")
    back_up(cloud, posting)
    (tmp_path / "page.html.j2").write_text("<h1>{{ page.name }}, {{ facts.protected }}</h1>")
    posting.set(REPORT_TEMPLATES=str(tmp_path))
    posting("report")
    assert html_of(mailbox.letters[0]).strip() == "<h1>s&lt;b&gt;hop, 1</h1>"
    assert "The one volume is protected" in text_of(mailbox.letters[0])
    cloud.advance(days=1)
    (tmp_path / "page.html.j2").write_text("{{ page.nmae }}")
    broken = posting("report", "-f", "json")
    assert broken.exit_code == 78
    assert "page.html.j2" in broken.stderr


@pytest.mark.parametrize(
    "template",
    [
        b"{{ ''.__class__.__mro__ }}",
        b"{{ page.__init__.__globals__ }}",
        b"{{ facts.volumes.clear() }}",
        b"{% if %}",
        b"{{ 1 + 'a' }}",
        b"{{ 1 // 0 }}",
        b"{{ range(100000000) | list }}",
        b"\xff\xfe",
    ],
)
def test_a_template_that_does_what_it_may_not_is_a_mistake_of_the_configuration(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox, tmp_path: Path, template: bytes
) -> None:
    a_project(cloud)
    back_up(cloud, posting)
    (tmp_path / "page.html.j2").write_bytes(template)
    posting.set(REPORT_TEMPLATES=str(tmp_path))
    answer = posting("report", "-f", "json")
    assert answer.exit_code == ConfigError.exit_code, answer
    assert "report.templates: page.html.j2" in answer.stderr
    assert mailbox.letters == []


def test_a_preview_is_what_will_be_sent_and_tells_nobody(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox, tmp_path: Path
) -> None:
    a_project(cloud)
    back_up(cloud, posting)
    page = tmp_path / "page.html"
    assert posting("report", "--project", "shop", "--preview", str(page)).exit_code == 0
    shown = page.read_text()
    assert mailbox.letters == []
    assert "The one volume is protected" in shown
    assert posting("report", "-f", "json").counts["sent"] == 1
    assert posting("report", "--preview", str(page)).exit_code == 0
    assert "Volume backups of all projects" in page.read_text()


def test_a_preview_of_an_unknown_project_is_wrong_usage(
    cloud: SimCloud, posting: Staffeln, tmp_path: Path
) -> None:
    page = str(tmp_path / "page.html")
    unknown = posting("report", "--project", "none", "--preview", page)
    assert (unknown.exit_code, "no project 'none'" in unknown.stderr) == (2, True)
    assert posting("report", "--project", "none").exit_code == 2


def test_the_operator_hears_of_all_projects_once_in_a_period(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    posting.set(MAIL_OPERATOR="operator@example.org")
    a_project(cloud, "shop")
    a_project(cloud, "bank", server="vault")
    back_up(cloud, posting)
    cloud.advance(days=1)
    cloud.steering.fail_next_backup("the disk is full")
    back_up(cloud, posting)
    posting("report")
    posting("report")
    operators = [
        letter
        for letter, to in zip(mailbox.letters, mailbox.receivers, strict=True)
        if to == ["operator@example.org"]
    ]
    assert len(operators) == 1
    assert (
        operators[0]["Subject"] == "[Staffeln] all projects of sim: 2 volumes protected, 1 FAILED"
    )
    for text in (text_of(operators[0]), html_of(operators[0])):
        assert "Projects with trouble" in text
        assert "The disk is full" in text
        assert "shop" in text
        assert "bank" in text
    cloud.advance(days=1)
    posting("report")
    assert sum(to == ["operator@example.org"] for to in mailbox.receivers) == 2


def test_the_operator_hears_of_moments_in_the_future_and_of_other_installations(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    posting.set(MAIL_OPERATOR="operator@example.org")
    a_project(cloud, "shop")
    back_up(cloud, posting)
    mark = {"staffeln:record": "0" * 32, "staffeln:installation": "another"}
    cloud.things.add_backup(cloud.volumes()[0]["id"], metadata=mark)
    cloud.advance(hours=2)
    posting("check")
    cloud.advance(days=-3)
    posting("report")
    text = text_of(mailbox.letters[-1])
    assert "volumes whose history lies in the future: 1 (staffeln doctor)" in text
    assert "Backups of other installations" in text


def test_an_operators_digest_that_was_refused_is_sent_at_the_next_pass(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    posting.set(MAIL_OPERATOR="operator@example.org")
    a_project(cloud)
    back_up(cloud, posting)
    mailbox.refused_receivers["operator@example.org"] = "450 later"
    refused = posting("report", "-f", "json")
    assert refused.exit_code == 3
    assert refused.json["failures"][0]["kind"] == "operator"
    mailbox.refused_receivers.clear()
    assert posting("report", "-f", "json").exit_code == 0
    assert mailbox.receivers[-1] == ["operator@example.org"]


def test_the_operator_hears_whom_nobody_could_tell(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    posting.set(MAIL_OPERATOR="operator@example.org", MAIL_PROJECT_DOMAIN="example.org")
    del posting.environ["STAFFELN_MAIL_RECEIVERS"]
    a_project(cloud, "no address")
    back_up(cloud, posting)
    posting("report")
    assert "no address@example.org is no address" in text_of(mailbox.letters[0])
