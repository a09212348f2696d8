from dataclasses import replace

from staffeln_cli.model import Kind, Origin, State
from staffeln_cli.reports.model import ProtectionState
from tests.build import NOW, ago
from tests.unit.reports.builders import a_failure, a_protected_volume, a_report, a_success


def test_a_volume_with_a_recent_backup_is_no_news() -> None:
    report = a_report(a_protected_volume())
    assert report.protected == 1
    assert report.unsafe == []
    assert not report.is_trouble


def test_a_volume_whose_last_success_is_twice_the_interval_ago_is_overdue() -> None:
    report = a_report(a_protected_volume(last_success_at=ago(days=2, minutes=1)))
    assert [one.state for one in report.unsafe] == [ProtectionState.OVERDUE]
    assert report.is_trouble


def test_a_new_volume_waits_for_its_first_backup_and_that_is_no_trouble() -> None:
    new = a_protected_volume(last_success_at=None, protected_since=ago(minutes=5))
    report = a_report(new, restorable=False, unfinished=True)
    assert (report.waiting, report.unprotected, report.is_trouble) == (1, 0, False)
    assert report.unsafe[0].why == "its first backup is on its way"


def test_a_volume_whose_first_backup_failed_is_not_protected_though_not_overdue() -> None:
    new = a_protected_volume(last_success_at=None, protected_since=ago(minutes=5), failures=2)
    report = a_report(new, restorable=False)
    assert (report.overdue, report.unprotected) == (0, 1)
    assert report.unsafe[0].why == "its last 2 backups failed"


def test_a_volume_whose_backups_are_all_gone_is_not_protected() -> None:
    report = a_report(a_protected_volume(), restorable=False)
    assert report.unsafe[0].why == "no backup of it is left"


def test_a_volume_that_is_not_protected_on_purpose_is_listed_with_the_reason() -> None:
    left_out = a_protected_volume(protected=False, skip_reason="its server is not marked")
    report = a_report(a_protected_volume("a"), left_out)
    assert [(one.reason, len(one.items)) for one in report.skipped] == [
        ("its server is not marked", 1)
    ]
    assert report.protected == 1


def test_a_volume_that_failed_often_is_one_line_with_the_last_reason() -> None:
    tries = [
        a_failure(reason=f"reason {number}", planned_at=ago(hours=9 - number))
        for number in range(3)
    ]
    report = a_report(a_protected_volume(failures=3, last_success_at=ago(hours=20)), *tries)
    (group,) = report.trouble.failures
    assert group.reason == "reason 2"
    assert [line.note for line in group.items] == ["tried 3 times"]
    assert report.trouble.failed == 1


def test_reasons_that_differ_in_figures_and_ids_only_are_one_and_say_so() -> None:
    quota = "Requested {}G, quota is 1000G and {}G has been consumed."
    gone = "Snapshot 6f8b0c1e-a207-4431-90b7-210de0181f{} could not be found."
    report = a_report(
        *(a_failure(f"v{one}", quota.format(one, 990 + one)) for one in range(5)),
        *(a_failure(f"w{one}", gone.format(one + 10)) for one in range(2)),
        *(a_failure(f"x{one}", "Error 5 of the driver.") for one in range(2)),
    )
    assert sorted((len(one.items), one.reason) for one in report.trouble.failures) == [
        (2, "Error 5 of the driver."),
        (2, f"{gone.format(10)} (and alike, with other figures)"),
        (5, f"{quota.format(0, 990)} (and alike, with other figures)"),
    ]


def test_failures_are_grouped_by_reason_the_most_common_first() -> None:
    report = a_report(a_failure("a", "rare"), a_failure("b", "common"), a_failure("c", "common"))
    assert [(one.reason, len(one.items)) for one in report.trouble.failures] == [
        ("common", 2),
        ("rare", 1),
    ]


def test_a_failure_after_which_all_went_well_is_told_apart() -> None:
    failed = a_failure(started_at=ago(hours=3), planned_at=ago(hours=3))
    report = a_report(a_protected_volume(), failed, a_success("x"))
    assert report.trouble.failed == 0
    assert [one.note for one in report.recovered] == ["the disk is full"]
    assert not report.is_trouble


def test_remains_of_a_failure_that_were_removed_still_are_a_failure() -> None:
    report = a_report(replace(a_failure(), state=State.DELETED))
    assert report.trouble.failed == 1
    assert report.made == []
    assert report.removed == []


def test_a_backup_made_and_removed_in_one_period_is_told_as_both() -> None:
    report = a_report(a_success(state=State.DELETED, deleted_at=NOW))
    assert len(report.made) == 1
    assert [(one.number, one.gib) for one in report.removed] == [(1, 10)]


def test_what_was_told_before_is_not_told_again() -> None:
    before = a_success(reported_at=ago(days=1), pinned=True, pin_note="keep")
    report = a_report(before)
    assert report.made == []
    assert [one.note for one in report.pinned] == ["keep"]


def test_imported_backups_are_no_news() -> None:
    assert a_report(a_success(origin=Origin.IMPORTED)).made == []


def test_a_deletion_that_cinder_refuses_is_named_as_long_as_it_does() -> None:
    stuck = a_success(
        state=State.DELETING,
        delete_attempts=2,
        delete_refusal="HTTP 400",
        reported_at=ago(days=3),
    )
    report = a_report(stuck)
    assert [one.note for one in report.trouble.stuck] == ["HTTP 400"]
    assert report.is_trouble


def test_a_retention_that_nobody_understands_says_what_holds() -> None:
    report = a_report(
        a_protected_volume("a", bad_retention="'2 wekes'"),
        a_protected_volume("b", bad_retention="'2 wekes'", retention="4w"),
    )
    assert [one.note for one in report.bad_retention] == [
        "'2 wekes' is no retention; the default holds",
        "'2 wekes' is no retention; the longer of 4w and the default holds",
    ]


def test_backups_are_counted_by_server() -> None:
    report = a_report(
        a_success("a"), a_success("b", kind=Kind.INCREMENTAL), a_success("c", server_name="db")
    )
    assert [(one.server, one.volumes, one.full, one.incremental) for one in report.made_on] == [
        ("web", 2, 1, 1),
        ("db", 1, 1, 0),
    ]


def test_nothing_that_strangers_wrote_can_break_a_line() -> None:
    report = a_report(
        a_failure("a\nb", "c\r\nd\x1b[31m"), a_protected_volume("e\u2028f", protected=False)
    )
    assert report.trouble.failures[0].reason == "c d?[31m"
    assert report.trouble.failures[0].items[0].volume == "a b"
    assert report.skipped[0].items[0].volume == "e f"
