"""What `explain` says about a volume: its protection, what comes next, its proofs, its backups."""

from datetime import timedelta
from typing import Any

import pytest

from staffeln_cli.model import (
    BackupId,
    DecidedBy,
    DrillState,
    InventoryVolume,
    Kind,
    Origin,
    ProjectId,
    ProofLevel,
    State,
)
from staffeln_cli.model.pauses import Pause, PauseScope
from staffeln_cli.planning.explanation import Explanation, FormerBackups, Next
from staffeln_cli.planning.protection.full_or_incremental import NextBackup
from staffeln_cli.planning.recovery import RecoveryTime
from staffeln_cli.planning.retention.verdicts import judge
from staffeln_cli.render.explanation import show
from staffeln_cli.render.explanation_json import as_json
from tests.build import NOW, a_drill, a_record, ago, an_inventory_volume
from tests.unit.planning.retention.builders import a_chain, ours, some_terms

TOMORROW = NOW + timedelta(days=1)
PAUSE = Pause(PauseScope.ALL, "", "", "it moves", ago(days=1), None, "ann@host")


def explanation(volume: InventoryVolume | None = None, **more: Any) -> Explanation:
    facts: dict[str, Any] = {
        "volume": volume or an_inventory_volume("v1", volume_name="data"),
        "project_name": "shop",
        "from_cloud": True,
        "retention": "7d",
        "unfinished": (),
        "next": None,
        "pause": None,
        "recovery": None,
        "server_recovery": None,
        "proof": None,
        "verdicts": (),
    }
    return Explanation(**(facts | more))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is printed of an explanation, in a window of this width."""

    def said(explained: Explanation, width: int = 400) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        show(explained, NOW)
        return capsys.readouterr().out.splitlines()

    return said


def following(kind: Kind = Kind.FULL, **more: Any) -> Next:
    facts: dict[str, Any] = {"due_at": NOW, "opens_at": None, "is_overdue": False}
    return Next(**(facts | more), backup=NextBackup(kind, "no backup is there"))


def test_a_volume_is_named_with_its_server_and_project(said: Any) -> None:
    first, *_, last = said(explanation())
    assert first == "Volume data (v1) of server web, project shop"
    assert last == "It has no backups."
    nameless = an_inventory_volume("v1", volume_name="", server_name="")
    first, *_ = said(explanation(nameless, project_name=""))
    assert first == "Volume without a name (v1), project p1"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({}, "It is protected."),
        (
            {"protection_decided_by": DecidedBy.SERVER},
            "It is protected (its server's metadata decide).",
        ),
        (
            {
                "protected": False,
                "skip_reason": "marked with skip",
                "protection_decided_by": DecidedBy.VOLUME,
            },
            "It is not backed up: marked with skip (the volume's own metadata decide).",
        ),
        ({"protected": False}, "It is not backed up: no reason is recorded."),
        (
            {"gone_at": ago(days=1)},
            "It has been gone since 2026-11-21 22:00 UTC; its backups keep their retention.",
        ),
    ],
)
def test_protection_is_told_with_whose_word_decides(
    said: Any, row: dict[str, Any], sentence: str
) -> None:
    assert said(explanation(an_inventory_volume("v1", **row)))[1] == sentence


def test_a_retention_that_is_not_valid_is_shown_beside_the_one_that_holds(said: Any) -> None:
    row = an_inventory_volume(
        "v1", bad_retention="'3 weeks'", retention_decided_by=DecidedBy.DEFAULT
    )
    assert (
        "Retention: 7d (the configuration decides). Its metadata says '3 weeks', which is not a"
        " valid retention."
    ) in said(explanation(row))


class TestTheNextBackup:
    def test_is_told_with_its_kind_and_reason(self, said: Any) -> None:
        assert "Next: a full backup, due now: no backup is there." in said(
            explanation(next=following())
        )
        later = following(Kind.INCREMENTAL, due_at=TOMORROW)
        assert (
            "Next: an incremental backup, due 2026-11-23 22:00 UTC: no backup is there."
        ) in said(explanation(next=later))

    def test_that_waits_for_the_window_has_its_opening(self, said: Any) -> None:
        assert "It starts in backup.window, from 2026-11-23 22:00 UTC on." in said(
            explanation(next=following(opens_at=TOMORROW))
        )

    def test_that_is_overdue_is_told_with_the_last_success(self, said: Any) -> None:
        late = following(is_overdue=True)
        assert "It is OVERDUE: none ever succeeded." in said(explanation(next=late))
        row = an_inventory_volume("v1", last_success_at=ago(days=2))
        assert ("It is OVERDUE: the last successful one started 2026-11-20 22:00 UTC.") in said(
            explanation(row, next=late)
        )

    def test_that_has_nothing_to_restore_from_says_so(self, said: Any) -> None:
        row = an_inventory_volume("v1", unrestorable_since=ago(days=1))
        assert (
            "It is OVERDUE: no backup of it can be restored, since 2026-11-21 22:00 UTC:"
            " all are missing or broken."
        ) in " ".join(said(explanation(row, next=following(is_overdue=True))))

    def test_is_none_while_one_is_in_progress(self, said: Any) -> None:
        record = a_record(name="backup-1", state=State.CREATING)
        lines = said(explanation(next=following(opens_at=TOMORROW), unfinished=(record,)))
        assert "In progress: backup-1 is creating." in lines
        assert not any(line.startswith(("Next", "It starts")) for line in lines)

    def test_that_is_planned_by_schedule_starts_in_the_window(self, said: Any) -> None:
        record = a_record(name="backup-1", reason="over quota")
        lines = said(explanation(next=following(opens_at=TOMORROW), unfinished=(record,)))
        assert "In progress: backup-1 is planned (over quota)." in lines
        assert any(line.startswith("It starts in backup.window") for line in lines)
        now = a_record(name="backup-2", origin=Origin.ADHOC)
        lines = said(explanation(next=following(opens_at=TOMORROW), unfinished=(now,)))
        assert not any(line.startswith("It starts") for line in lines)

    def test_of_a_paused_volume_is_none(self, said: Any) -> None:
        lines = said(explanation(next=following(), pause=PAUSE))
        assert (
            "No backups are planned: everything is paused since 2026-11-21 22:00 UTC by ann@host:"
            " it moves."
        ) in lines
        assert not any(line.startswith("Next") for line in lines)


class TestProofs:
    BOOTED = a_drill(
        state=DrillState.PASSED,
        level=ProofLevel.BOOTED,
        reason="it took long",
        console="\n".join(f"line {number}" for number in range(30)),
    )

    def test_are_told_with_their_level(self, said: Any) -> None:
        row = an_inventory_volume("v1", proven_at=ago(days=3))
        assert "A backup of it was restored for proof on 2026-11-19 22:00 UTC." in said(
            explanation(row)
        )
        lines = said(explanation(row, proof=self.BOOTED))
        assert "A backup of it was restored and booted for proof on 2026-11-19 22:00 UTC." in lines
        assert "Of its last restore drill: it took long." in lines

    def test_that_failed_are_told_first(self, said: Any) -> None:
        row = an_inventory_volume("v1", proven_at=ago(days=3), proof_failed_at=ago(days=1))
        lines = said(explanation(row))
        failed = lines.index("A restore drill of it FAILED on 2026-11-21 22:00 UTC.")
        assert lines[failed + 1].startswith("A backup of it was restored")

    def test_have_the_end_of_the_console_and_programs_see_all_of_it(self, said: Any) -> None:
        explained = explanation(proof=self.BOOTED)
        shown = [line for line in said(explained) if line.startswith("  line ")]
        assert (len(shown), shown[-1]) == (10, "  line 29")
        assert as_json(explained)["proof"]["console"] == self.BOOTED.console

    def test_measure_how_long_a_restore_takes(self, said: Any) -> None:
        explained = explanation(
            recovery=RecoveryTime(120, 60, 180, 3), server_recovery=RecoveryTime(600, 600, 600, 1)
        )
        lines = said(explained)
        assert "A restore of its newest backup takes about 2min (1min to 3min)." in lines
        assert "A restore of all volumes of its server takes about 10min." in lines
        assert as_json(explained)["recovery_seconds"] == 120


def test_the_backups_of_former_owners_are_told_with_what_keeps_them(said: Any) -> None:
    lines = said(
        explanation(
            former=(
                FormerBackups(ProjectId("p2"), "bank", 1, "1y"),
                FormerBackups(ProjectId("p3"), "", 1200, None),
            )
        )
    )
    assert (
        "Project bank (p2) owned it before and has 1 backup of it; their retention is 1y."
    ) in lines
    assert (
        "Project p3 owned it before and has 1,200 backups of it; they are all kept, because their"
        " retention was not known when it left."
    ) in lines


def test_without_cinder_it_is_said_what_may_be_missing(said: Any) -> None:
    assert any(
        "backups made by others are not shown" in one
        for one in said(explanation(from_cloud=False))
    )


class TestBackups:
    CHAIN = (*a_chain(30, 1, "old-"), *a_chain(3, 2))
    VERDICTS = tuple(judge(list(CHAIN), some_terms("7d"), NOW))

    def test_have_a_row_each_with_what_keeps_them(self, said: Any) -> None:
        lines = said(explanation(verdicts=self.VERDICTS), 200)
        (removed,) = (line.split() for line in lines if "old-f0" in line)
        (kept,) = (line.split() for line in lines if " i1 " in line)
        assert removed[:6] == ["2026-10-23", "22:00", "UTC", "remove", "full", "old-f0"]
        assert kept[:6] == ["2026-11-20", "22:00", "UTC", "keep", "incremental", "i1"]

    @pytest.mark.parametrize("width", [50, 80, 119, 120, 200])
    def test_show_their_whole_ids_in_any_window(self, said: Any, width: int) -> None:
        lines = said(explanation(verdicts=self.VERDICTS), width)
        assert all(len(line) <= width for line in lines)
        for name in ("old-f0", "f0", "i1"):
            assert any(name in line.split() for line in lines)

    @pytest.mark.parametrize("width", [40, 50, 57, 58, 80, 120])
    def test_lose_no_word_of_their_reason_in_any_window(self, said: Any, width: int) -> None:
        backup_id = BackupId("914591ae-f03d-466a-9dec-c06af24dfdd8")
        backup = self.CHAIN[0].backup._replace(id=backup_id)
        (verdict,) = judge([ours(backup)], some_terms("60d"), NOW)
        lines = said(explanation(verdicts=(verdict,)), width)
        assert any(backup.id in line.split() for line in lines)
        shown = " ".join(" ".join(lines).split())
        assert f"young enough until {verdict.earliest:%Y-%m-%d %H:%M} UTC" in shown
        assert "may go from" not in shown, "the same moment is not said twice"

    def test_that_others_depend_on_say_when_they_may_go(self, said: Any) -> None:
        lines = said(explanation(verdicts=tuple(judge(a_chain(9, 9), some_terms("7d"), NOW))))
        (full,) = (line for line in lines if " f0 " in line)
        assert "a backup that is kept may depend on it; may go from 2026-11-2" in full

    def test_that_are_pinned_show_who_asked_for_it(self, said: Any) -> None:
        pinned = ours(self.CHAIN[0].backup, pinned=True, pin_note="for the auditors")
        (verdict,) = judge([pinned], some_terms("7d"), NOW)
        explained = explanation(verdicts=(verdict,))
        assert any("for the auditors" in line for line in said(explained))
        (shown,) = as_json(explained)["backups"]
        assert (shown["pinned"], shown["pin_note"]) == (True, "for the auditors")


def test_programs_see_the_next_backup_and_what_is_unfinished() -> None:
    record = a_record(name="backup-1", reason="over quota")
    shown = as_json(
        explanation(next=following(opens_at=TOMORROW), unfinished=(record,), pause=PAUSE)
    )
    assert shown["next"] == {
        "due_at": NOW,
        "window_opens_at": TOMORROW,
        "kind": "full",
        "reason": "no backup is there",
        "overdue": False,
    }
    assert shown["unfinished"] == [
        {"name": "backup-1", "state": "planned", "reason": "over quota"}
    ]
    assert shown["paused"]["reason"] == "it moves"
    assert as_json(explanation())["next"] is None
