"""What a report says of restore drills."""

from typing import Any

from staffeln_cli.model import DrillState
from staffeln_cli.reports.headline import of_project
from staffeln_cli.reports.pages.layout import writing
from staffeln_cli.reports.pages.project import project_page
from tests.build import NOW, a_drill, ago, an_inventory_volume
from tests.unit.reports.builders import a_report

WHEN = writing(None)


def test_a_volume_whose_drill_failed_is_named_with_what_could_be_proven() -> None:
    volume = an_inventory_volume("v1", proof_failed_at=ago(hours=1), last_success_at=NOW)
    passed = a_drill(
        state=DrillState.PASSED,
        chain_at=ago(days=9),
        ended_at=ago(days=2),
        reported_at=ago(days=1),
    )
    failed = a_drill(state=DrillState.FAILED, ended_at=ago(hours=1), reason="it ended badly")
    report = a_report(volume, passed, failed)
    (item,) = report.proofs.failed
    assert item.note == "it ended badly; the newest that could is of 2026-11-21"
    assert report.drills == [failed.id]
    assert report.is_trouble
    judged = of_project(report)
    assert judged.tone == "bad"
    assert "a backup of 1 volume could not be restored on trial" in judged.headline
    assert "1 NOT RESTORABLE" in judged.subject
    titles = [section.title for section in project_page(report, WHEN).sections]
    assert "Not restorable on trial" in titles


def test_without_any_proof_it_says_so() -> None:
    volume = an_inventory_volume("v1", proof_failed_at=ago(hours=1))
    (item,) = a_report(volume).proofs.failed
    assert item.note == "no reason is on record; none could"


def test_new_proofs_are_named_once_with_what_the_restore_took() -> None:
    volume = an_inventory_volume("v1", proven_at=NOW, last_success_at=NOW)
    ended: dict[str, Any] = {"state": DrillState.PASSED, "ended_at": NOW}
    measured = a_drill(restoring_seconds=80.0, waiting_seconds=10.0, **ended)
    resumed = a_drill(**ended)
    known = a_drill(reported_at=ago(hours=3), **ended)
    report = a_report(volume, measured, resumed, known)
    notes = [one.note for one in report.proofs.passed]
    assert notes == ["10 GiB restored in 1min30s", "10 GiB"]
    assert not report.is_trouble
    titles = [section.title for section in project_page(report, WHEN).sections]
    assert "Proven by a restore" in titles


def test_a_volume_that_is_not_protected_any_more_is_no_trouble() -> None:
    volume = an_inventory_volume("v1", protected=False, proof_failed_at=NOW)
    assert a_report(volume).proofs.failed == []
