"""The evidence as JSON and as rows for a spreadsheet."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from staffeln_cli.model import Event, ProjectId, VolumeId
from staffeln_cli.model.events import EventKind
from staffeln_cli.model.pauses import Pause, PauseScope
from staffeln_cli.planning.audit import Audit, Pin, ProjectAudit, VolumeAudit
from staffeln_cli.planning.intervals import Achieved, Gap
from staffeln_cli.planning.recovery import RecoveryTime, ServerRecovery
from staffeln_cli.render.audit import COLUMNS, as_json, rows
from tests.build import NOW, ago

TIME = RecoveryTime(120.4, 60, 180, 3)
VOLUME = VolumeAudit(
    project_id=ProjectId("p1"),
    volume_id=VolumeId("v1"),
    volume_name="data",
    server_name="web",
    size_gib=1,
    protected=True,
    protected_since=ago(days=30),
    retention="17d",
    interval=timedelta(days=1),
    achieved=Achieved(3, Gap(ago(days=2), NOW), timedelta(days=1), late=1),
    available=3,
    lost=1,
    last_success_at=ago(days=1),
    proven_at=None,
    proof_level=None,
    proof_failed_at=None,
    recovery=TIME,
    pins=(Pin("b1", "ann@host", "for the auditors"), Pin("b2", "", "")),
)
PINNED = Event(NOW, EventKind.PINNED, "ann@host", "b1", ProjectId("p1"), VolumeId("v1"))
CONFIRMED = Event(NOW, EventKind.CONFIRMED, "bob@host", "retain", reason="moved")
PAUSE = Pause(PauseScope.PROJECT, "p1", "shop", "it moves", ago(days=1), NOW, "ann@host")
AUDIT = Audit(
    cloud="prod",
    since=ago(days=30),
    until=NOW,
    history="90d",
    terms={"retention.time": "17d"},
    every="100d",
    proven_since=ago(days=100),
    projects=[
        ProjectAudit(
            project_id=ProjectId("p1"),
            project_name="shop",
            volumes=[VOLUME],
            servers=[ServerRecovery("web", 2, TIME)],
            events=[PINNED],
        )
    ],
    pauses=[PAUSE],
    events=[CONFIRMED],
)


def named(row: tuple[object, ...]) -> dict[str, Any]:
    """A row by its columns, without the empty ones."""
    return {key: value for key, value in zip(COLUMNS, row, strict=True) if value is not None}


def test_a_spreadsheet_has_a_row_for_each_volume_event_and_pause() -> None:
    volume, pinned, paused, confirmed = map(named, rows(AUDIT))
    assert [one["row"] for one in (volume, pinned, paused, confirmed)] == [
        "volume",
        "event",
        "pause",
        "event",
    ]
    assert pinned["project_name"] == volume["project_name"] == "shop"
    assert (pinned["event"], pinned["by"], pinned["item"]) == ("pinned", "ann@host", "b1")
    assert (paused["item"], paused["reason"]) == ("project shop", "it moves")
    assert "project_id" not in confirmed


def test_of_a_volume_the_row_says_whether_the_promise_was_kept() -> None:
    volume = named(next(rows(AUDIT)))
    assert (volume["kept"], volume["late_gaps"], volume["interval_s"]) == (False, 1, 86400)
    assert (volume["largest_gap_s"], volume["largest_gap_since"]) == (2 * 86400, ago(days=2))
    assert (volume["recovery_s"], volume["recovery_longest_s"]) == (120, 180)
    assert volume["pins"] == "b1 by ann@host for the auditors; b2"


def test_programs_see_the_same_figures_and_the_servers() -> None:
    shown = as_json(AUDIT)
    (project,) = shown["projects"]
    (volume,) = project["volumes"]
    assert (shown["volumes"], shown["kept"], shown["protected"]) == (1, 0, 1)
    assert volume["pins"] == [
        {"backup": "b1", "by": "ann@host", "note": "for the auditors"},
        {"backup": "b2", "by": "", "note": None},
    ]
    (server,) = project["servers"]
    assert (server["server_name"], server["volumes"], server["recovery_s"]) == ("web", 2, 120)
    assert shown["events"][0]["reason"] == "moved"
    assert shown["paused"][0]["until"] == NOW


def test_a_volume_without_any_backup_has_no_gap_and_no_time_to_restore() -> None:
    bare = replace(VOLUME, achieved=Achieved(0, None), recovery=None, pins=())
    project = replace(AUDIT.projects[0], volumes=[bare])
    shown = named(next(rows(replace(AUDIT, projects=[project]))))
    assert shown.keys().isdisjoint({"largest_gap_s", "recovery_s", "pins"})
