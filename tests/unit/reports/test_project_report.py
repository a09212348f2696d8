from dataclasses import replace

from staffeln_cli.model import Kind, Origin, State
from staffeln_cli.reports.model import Standing
from tests.build import NOW, ago
from tests.unit.reports.builders import a_digest, a_failure, a_protected_volume, a_success


def test_a_volume_with_a_recent_backup_is_no_news() -> None:
    told = a_digest(a_protected_volume())
    assert told.protected == 1
    assert told.unsafe == []
    assert not told.is_trouble


def test_a_volume_whose_last_success_is_twice_the_interval_ago_is_overdue() -> None:
    told = a_digest(a_protected_volume(last_success_at=ago(days=2, minutes=1)))
    assert [one.standing for one in told.unsafe] == [Standing.OVERDUE]
    assert told.is_trouble


def test_a_new_volume_waits_for_its_first_backup_and_that_is_no_trouble() -> None:
    new = a_protected_volume(last_success_at=None, protected_since=ago(minutes=5))
    told = a_digest(new, restorable=False, unfinished=True)
    assert (told.waiting, told.unprotected, told.is_trouble) == (1, 0, False)
    assert told.unsafe[0].why == "its first backup is on its way"


def test_a_volume_whose_first_backup_failed_is_not_protected_though_not_overdue() -> None:
    new = a_protected_volume(last_success_at=None, protected_since=ago(minutes=5), failures=2)
    told = a_digest(new, restorable=False)
    assert (told.overdue, told.unprotected) == (0, 1)
    assert told.unsafe[0].why == "its last 2 backups failed"


def test_a_volume_whose_backups_are_all_gone_is_not_protected() -> None:
    told = a_digest(a_protected_volume(), restorable=False)
    assert told.unsafe[0].why == "no backup of it is left"


def test_a_volume_that_is_not_protected_on_purpose_is_listed_with_the_reason() -> None:
    left_out = a_protected_volume(protected=False, skip_reason="its server is not marked")
    told = a_digest(a_protected_volume("a"), left_out)
    assert [(one.reason, len(one.lines)) for one in told.skipped] == [
        ("its server is not marked", 1)
    ]
    assert told.protected == 1


def test_a_volume_that_failed_often_is_one_line_with_the_last_reason() -> None:
    tries = [
        a_failure(reason=f"reason {number}", planned_at=ago(hours=9 - number))
        for number in range(3)
    ]
    told = a_digest(a_protected_volume(failures=3, last_success_at=ago(hours=20)), *tries)
    (group,) = told.trouble.failures
    assert group.reason == "reason 2"
    assert [line.note for line in group.lines] == ["tried 3 times"]
    assert told.trouble.failed == 1


def test_reasons_that_differ_in_figures_and_ids_only_are_one_and_say_so() -> None:
    quota = "Requested {}G, quota is 1000G and {}G has been consumed."
    gone = "Snapshot 6f8b0c1e-a207-4431-90b7-210de0181f{} could not be found."
    told = a_digest(
        *(a_failure(f"v{one}", quota.format(one, 990 + one)) for one in range(5)),
        *(a_failure(f"w{one}", gone.format(one + 10)) for one in range(2)),
        *(a_failure(f"x{one}", "Error 5 of the driver.") for one in range(2)),
    )
    assert sorted((len(one.lines), one.reason) for one in told.trouble.failures) == [
        (2, "Error 5 of the driver."),
        (2, f"{gone.format(10)} (and alike, with other figures)"),
        (5, f"{quota.format(0, 990)} (and alike, with other figures)"),
    ]


def test_failures_are_grouped_by_reason_the_most_common_first() -> None:
    told = a_digest(a_failure("a", "rare"), a_failure("b", "common"), a_failure("c", "common"))
    assert [(one.reason, len(one.lines)) for one in told.trouble.failures] == [
        ("common", 2),
        ("rare", 1),
    ]


def test_a_failure_after_which_all_went_well_is_told_apart() -> None:
    failed = a_failure(started_at=ago(hours=3), planned_at=ago(hours=3))
    told = a_digest(a_protected_volume(), failed, a_success("x"))
    assert told.trouble.failed == 0
    assert [one.note for one in told.recovered] == ["the disk is full"]
    assert not told.is_trouble


def test_remains_of_a_failure_that_were_removed_still_are_a_failure() -> None:
    told = a_digest(replace(a_failure(), state=State.DELETED))
    assert told.trouble.failed == 1
    assert told.made == []
    assert told.removed == []


def test_a_backup_made_and_removed_in_one_period_is_told_as_both() -> None:
    told = a_digest(a_success(state=State.DELETED, deleted_at=NOW))
    assert len(told.made) == 1
    assert [(one.number, one.gib) for one in told.removed] == [(1, 10)]


def test_what_was_told_before_is_not_told_again() -> None:
    before = a_success(reported_at=ago(days=1), pinned=True, pin_note="keep")
    told = a_digest(before)
    assert told.made == []
    assert [one.note for one in told.pinned] == ["keep"]


def test_imported_backups_are_no_news() -> None:
    assert a_digest(a_success(origin=Origin.IMPORTED)).made == []


def test_a_deletion_that_cinder_refuses_is_named_as_long_as_it_does() -> None:
    stuck = a_success(
        state=State.DELETING,
        delete_attempts=2,
        delete_reason="not deleted yet: HTTP 400",
        reported_at=ago(days=3),
    )
    told = a_digest(stuck)
    assert [one.note for one in told.trouble.stuck] == ["HTTP 400"]
    assert told.is_trouble


def test_a_retention_that_nobody_understands_says_what_holds() -> None:
    told = a_digest(
        a_protected_volume("a", bad_retention="'2 wekes'"),
        a_protected_volume("b", bad_retention="'2 wekes'", retention="4w"),
    )
    assert [one.note for one in told.bad_retention] == [
        "'2 wekes' is no retention; the default holds",
        "'2 wekes' is no retention; the longer of 4w and the default holds",
    ]


def test_backups_are_counted_by_server() -> None:
    told = a_digest(
        a_success("a"), a_success("b", kind=Kind.INCREMENTAL), a_success("c", server_name="db")
    )
    assert [(one.server, one.volumes, one.full, one.incremental) for one in told.made_on] == [
        ("web", 2, 1, 1),
        ("db", 1, 1, 0),
    ]


def test_nothing_that_strangers_wrote_can_break_a_line() -> None:
    told = a_digest(
        a_failure("a\nb", "c\r\nd\x1b[31m"), a_protected_volume("e\u2028f", protected=False)
    )
    assert told.trouble.failures[0].reason == "c d?[31m"
    assert told.trouble.failures[0].lines[0].volume == "a b"
    assert told.skipped[0].lines[0].volume == "e f"
