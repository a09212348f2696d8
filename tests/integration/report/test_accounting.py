"""Who has been told of what: each thing once, nothing never, whatever happens on the way."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.store import Store
from tests.acceptance.builders import twice
from tests.conftest import Staffeln
from tests.integration.report.conftest import a_project, back_up
from tests.services.smtp import Mailbox, text_of


def test_a_project_is_told_once_in_a_period_and_of_everything_since(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    back_up(cloud, posting)
    assert posting("report", "-f", "json").counts == counts(projects=1, sent=1)
    assert posting("report", "-f", "json").counts == counts()
    cloud.advance(days=1)
    back_up(cloud, posting)
    assert posting("report", "-f", "json").counts == counts(projects=1, sent=1)
    first, second = mailbox.letters
    assert "full" in text_of(first) and "incremental, 2 GiB" in text_of(second)
    assert "full, 2 GiB" not in text_of(second)


def test_a_daily_crontab_that_is_a_minute_early_does_not_skip_a_day(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    back_up(cloud, posting)
    posting("report")
    cloud.advance(hours=23, minutes=59)
    assert posting("report", "-f", "json").counts["sent"] == 1


def test_each_project_has_a_period_of_its_own(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud, "shop")
    back_up(cloud, posting)
    posting("report")
    cloud.advance(hours=12)
    a_project(cloud, "bank")
    back_up(cloud, posting)
    assert posting("report", "-f", "json").counts["sent"] == 1
    cloud.advance(hours=12)
    assert posting("report", "-f", "json").counts["sent"] == 1
    assert [one.split()[1] for one in mailbox.subjects] == ["shop:", "bank:", "shop:"]


def test_a_report_that_was_refused_is_sent_afresh_with_nothing_missing(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    back_up(cloud, posting)
    mailbox.answer = "554 no"
    refused = posting("report", "-f", "json")
    assert refused.exit_code == 69
    assert refused.counts == counts(projects=1, unsent=1)
    assert "554 no" in refused.json["failures"][0]["reason"]
    cloud.advance(days=1)
    back_up(cloud, posting)
    mailbox.answer = "250 yes"
    assert posting("report", "-f", "json").counts == counts(projects=1, sent=1)
    assert "Backed up: 2 backups" in text_of(mailbox.letters[0])


def test_a_crash_after_the_server_took_a_mail_repeats_it_with_the_same_message_id(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox, tmp_path: Path
) -> None:
    a_project(cloud)
    back_up(cloud, posting)
    process = subprocess.Popen(
        [sys.executable, "-m", "staffeln_cli", "report"],
        env={**os.environ, **posting.environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    mailbox.on_letter = lambda: os.kill(process.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    mailbox.on_letter = None
    assert posting("report", "-f", "json").counts["sent"] == 1
    assert posting("report", "-f", "json").counts["sent"] == 0
    first, second = mailbox.letters
    assert first["Message-ID"] == second["Message-ID"]
    assert "data" in text_of(second)


def test_a_pass_that_lost_its_lead_while_sending_notes_nothing(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    back_up(cloud, posting)
    store = Store(posting.environ["STAFFELN_DATABASE_URL"])
    mailbox.on_letter = lambda: store.database.raise_fence("report", "another host")
    lost = posting("report", "-f", "json")
    assert lost.exit_code == 69
    assert "another report has taken over" in lost.stderr
    store.close()
    mailbox.on_letter = None
    assert posting("report", "-f", "json").counts["sent"] == 1


def test_a_late_backup_is_told_although_the_failure_of_its_record_was_told(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    (volume,) = [one["id"] for one in cloud.volumes()]
    cloud.things.set_volume(volume, status="error")
    posting.cycle("collect", "report")
    (record,) = posting("status", "backups", "-f", "json").json
    cloud.things.set_volume(volume, status="in-use")
    mark = {"staffeln:record": record["record_id"]}
    cloud.things.add_backup(volume, name=record["name"], metadata=mark)
    cloud.advance(days=1)
    assert posting("check", "-f", "json").counts["adopted"] == 1
    posting("report")
    assert "Backed up: 1 backup" in text_of(mailbox.letters[1])


def test_a_late_backup_that_retention_removes_is_reported_as_removed(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    (volume,) = [one["id"] for one in cloud.volumes()]
    cloud.things.set_volume(volume, status="error")
    posting.cycle("collect")
    (record,) = posting("status", "backups", "-f", "json").json
    cloud.things.set_volume(volume, status="in-use")
    mark = {"staffeln:record": record["record_id"]}
    cloud.things.add_backup(volume, name=record["name"], metadata=mark)
    cloud.advance(days=1)
    posting.cycle("check", "report")
    cloud.advance(days=60)
    posting.environ["STAFFELN_BACKUP_FULL_BACKUP_DEPTH"] = "0"
    back_up(cloud, posting)
    posting.cycle("retain")
    cloud.advance(hours=1)
    posting.cycle("check", "report")
    assert [one["state"] for one in posting("status", "backups", "-f", "json").json].count(
        "deleted"
    ) == 1
    assert "Expired and removed" in text_of(mailbox.letters[1])


def test_a_new_period_has_a_new_message_id(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    a_project(cloud, "bank")
    for _ in range(2):
        back_up(cloud, posting)
        posting("report")
        cloud.advance(days=1)
    assert len({letter["Message-ID"] for letter in mailbox.letters}) == 4


def test_a_dry_run_says_who_would_get_what_and_sends_nothing(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    back_up(cloud, posting)
    plan = posting("report", "--dry-run", "-f", "json")
    assert plan.counts == counts(projects=1)
    (decision,) = plan.json["decisions"]
    assert decision["name"] == "shop"
    assert decision["reason"] == "to ops@example.org: [Staffeln] shop: 1 volume protected"
    assert mailbox.letters == []
    assert posting("report", "-f", "json").counts["sent"] == 1


def test_only_trouble_is_told_where_that_is_wanted_and_then_all_of_it(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    posting.set(REPORT_ONLY="trouble")
    a_project(cloud)
    back_up(cloud, posting)
    assert posting("report", "-f", "json").counts == counts(projects=1)
    cloud.advance(days=1)
    cloud.steering.fail_next_backup("the disk is full")
    back_up(cloud, posting)
    assert posting("report", "-f", "json").counts == counts(projects=1, sent=1)
    told = text_of(mailbox.letters[0])
    assert "The disk is full" in told
    assert "Backed up: 1 backup" in told


def test_a_project_where_nothing_is_protected_is_left_alone(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    project = cloud.people.add_project("quiet")
    cloud.things.add_volume(
        "data", project=project, server=cloud.things.add_server("web", project=project)
    )
    back_up(cloud, posting)
    assert posting("report", "-f", "json").counts == counts()


def test_a_removal_is_told_once(cloud: SimCloud, posting: Staffeln, mailbox: Mailbox) -> None:
    posting.set(RETENTION_TIME="1d", BACKUP_FULL_BACKUP_DEPTH="0", RETENTION_KEEP_LAST="1")
    a_project(cloud)
    for _ in range(3):
        back_up(cloud, posting)
        cloud.advance(days=1)
    assert posting("retain", "-f", "json").counts["deleted"] == 2
    for _ in range(2):
        posting("report")
        cloud.advance(days=1)
    first, second = map(text_of, mailbox.letters)
    assert "Expired and removed: 2 backups, 4 GiB" in first
    assert "Expired" not in second


def test_a_backup_that_somebody_else_deleted_is_told_as_lost(
    cloud: SimCloud, posting: Staffeln, mailbox: Mailbox
) -> None:
    a_project(cloud)
    back_up(cloud, posting)
    posting("report")
    (backup,) = cloud.backups()
    cloud.things.remove_backup(backup["id"])
    cloud.advance(days=1)
    twice(posting, cloud, "check")
    posting("report")
    assert mailbox.subjects[1] == "[Staffeln] shop: 0 of 1 volume protected, 1 LOST"
    assert "no backup of it can be restored" in text_of(mailbox.letters[1])
    assert "never backed up" not in text_of(mailbox.letters[1])


def counts(**numbers: int) -> dict[str, int]:
    return {"projects": 0, "sent": 0, "logged": 0, "unsent": 0} | numbers
