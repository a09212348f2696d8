"""Restore drills that fail, are cut off or cancelled: what follows, and that nothing is left."""

from datetime import timedelta

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, backed_up, reasons, records, rounds, volumes
from tests.acceptance.drills import counted, scratch, verify
from tests.conftest import Staffeln

pytestmark = pytest.mark.usefixtures("restores_take_no_time")


def test_after_a_failed_drill_the_next_backup_is_a_full_one_at_once(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 2)
    backed_up(staffeln, cloud)
    newest = records(staffeln)[-1]
    assert newest["kind"] == "incremental"
    assert verify(staffeln).counts["passed"] == 1
    cloud.things.set_backup(newest["backup_id"], spoiled=True)
    failed = verify(staffeln)
    assert failed.exit_code == 3
    assert "none is proven" in reasons(failed)[0], "the proof of the same chain counts no more"
    assert staffeln("status", "-f", "json").json["proofs"]["proven"] == 0
    nagios = staffeln("status", "--nagios")
    assert (nagios.exit_code, "drill" in nagios.stdout) == (2, True)
    cloud.advance(minutes=1)
    assert staffeln("collect", "-f", "json").counts["planned"] == 1
    backed_up(staffeln, cloud)
    assert records(staffeln)[-1]["kind"] == "full"
    assert staffeln("status", "--nagios").exit_code == 2, "it is not proven yet"
    cloud.advance(hours=1)
    assert staffeln("collect", "-f", "json").counts["planned"] == 0
    assert verify(staffeln).counts == counted(drills=1, passed=1)
    assert staffeln("status", "--nagios").exit_code == 0
    assert volumes(staffeln)[volume]["proven_at"] is not None


def test_while_a_backup_is_restored_its_chain_is_left_alone(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    """And as soon as the restore is over, all goes on as it would have."""
    staffeln.set(RETENTION_TIME="1d", RETENTION_KEEP_LAST="0")
    staffeln.set(VERIFY_TIME_BUDGET="1s", VERIFY_MAX_IN_FLIGHT="1")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.settings.restore_pace = timedelta(hours=20)
    answer = verify(staffeln)
    assert (answer.exit_code, answer.counts) == (0, counted(drills=1, running=1))
    assert staffeln("collect", "-f", "json").counts["planned"] == 0
    waiting = staffeln("backup", "--volume", volume, "-f", "json")
    assert (waiting.exit_code, waiting.counts["deferred"]) == (0, 1)
    assert any("restored" in one["reason"] for one in waiting.json["decisions"])
    assert staffeln("retain", "-f", "json").counts["deleting"] == 0
    assert cloud.refused_deletes() == []
    cloud.advance(hours=21)
    assert verify(staffeln).counts == counted(drills=1, passed=1), "it is not drilled again"
    backed_up(staffeln, cloud)
    assert [one["kind"] for one in records(staffeln)] == ["full", "incremental"]
    assert scratch(cloud) == []


def test_a_drill_that_outlasts_the_pass_is_gone_on_with_by_check_or_the_next_pass(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(VERIFY_TIME_BUDGET="1s")
    volume = a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.settings.restore_pace = timedelta(hours=5)
    assert verify(staffeln).counts == counted(drills=1, running=1)
    staffeln("check")
    assert len(scratch(cloud)) == 1
    cloud.advance(hours=6)
    for _ in range(2):
        assert staffeln("check").exit_code == 0
    assert scratch(cloud) == []
    assert volumes(staffeln)[volume]["proven_at"] is not None


def test_explain_and_the_report_tell_of_a_failed_drill(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud, "orders")
    rounds(staffeln, cloud, 1)
    cloud.things.set_backup(records(staffeln)[0]["backup_id"], spoiled=True)
    assert verify(staffeln).exit_code == 3
    assert "A restore drill of it FAILED" in staffeln("explain", "orders").stdout
    assert "a restore drill of the last chain failed" in staffeln("explain", "orders").stdout


def test_doctor_lists_scratch_volumes_that_are_left(cloud: SimCloud, staffeln: Staffeln) -> None:
    a_volume(cloud)
    rounds(staffeln, cloud, 1)
    cloud.things.add_volume("staffeln-drill-unknown", project="backup")
    checks = {one["name"]: one for one in staffeln("doctor", "-f", "json").json}
    assert checks["scratch volumes"]["level"] == "warning"
    assert "staffeln-drill-unknown" in checks["scratch volumes"]["text"]
