"""What the state means: may one sleep?"""

from dataclasses import replace
from datetime import timedelta

import pytest

from staffeln_cli.planning.health import Finding, LastRun, Level, Summary, Tally, age, findings
from tests.build import NOW

WELL = Summary(
    cloud="prod",
    generated_at=NOW,
    volumes=Tally(protected=7, oldest_success=NOW - timedelta(hours=3)),
    backups={},
    runs={"collect": LastRun(NOW, "ok", "host1")},
    collected_at=NOW - timedelta(hours=1),
    is_stale=False,
    worst=(),
)


def texts(state: Summary, **limits: int) -> list[tuple[str, str]]:
    return [(one.level.name, one.text) for one in findings(state, **limits)]


def test_all_is_well_when_every_protected_volume_has_a_recent_backup() -> None:
    assert texts(WELL) == [("OK", "all 7 protected volumes have a recent backup")]
    one = replace(WELL, volumes=Tally(protected=1))
    assert texts(one) == [("OK", "the protected volume has a recent backup")]


def test_an_overdue_volume_is_critical_and_said_first() -> None:
    state = replace(WELL, volumes=Tally(protected=7, overdue=1, never=2, bad_retention=1))
    assert texts(state) == [
        ("CRITICAL", "1 of 7 protected volumes is overdue"),
        ("WARNING", "2 volumes never backed up so far"),
        ("OK", "1 volume asks for a retention that is not valid"),
    ]


def test_fewer_overdue_volumes_than_the_limit_are_a_warning() -> None:
    state = replace(WELL, volumes=Tally(protected=1000, overdue=4))
    assert texts(state, critical=5) == [("WARNING", "4 of 1,000 protected volumes are overdue")]


def test_fewer_new_volumes_than_the_limit_are_fine_but_not_called_backed_up() -> None:
    state = replace(WELL, volumes=Tally(protected=7, never=1))
    assert texts(state, warning=2) == [
        ("OK", "7 protected volumes"),
        ("OK", "1 volume never backed up so far"),
    ]


def test_a_wrong_retention_alone_does_not_wake_anybody() -> None:
    state = replace(WELL, volumes=Tally(protected=7, bad_retention=2))
    assert texts(state) == [
        ("OK", "all 7 protected volumes have a recent backup"),
        ("OK", "2 volumes ask for a retention that is not valid"),
    ]


def test_paused_volumes_are_said_and_worth_a_warning_without_a_recent_backup() -> None:
    fine = replace(WELL, volumes=Tally(protected=7, paused=2))
    assert ("OK", "2 volumes paused") in texts(fine)
    late = replace(WELL, volumes=Tally(protected=7, paused=2, paused_overdue=1))
    assert ("WARNING", "1 paused volume without a recent backup") in texts(late)


def test_nothing_protected_is_worth_a_warning() -> None:
    state = replace(WELL, volumes=Tally())
    assert texts(state) == [("WARNING", "no volume is protected: no server is marked for it")]


def test_a_cloud_never_looked_at_is_critical() -> None:
    state = replace(WELL, volumes=Tally(), runs={}, collected_at=None)
    assert texts(state)[0] == (
        "CRITICAL",
        "collect has never completed: nothing is known about the cloud yet",
    )


def test_a_look_at_the_cloud_that_is_long_ago_is_critical() -> None:
    state = replace(WELL, collected_at=NOW - timedelta(days=3), is_stale=True)
    assert texts(state)[0] == (
        "CRITICAL",
        "the last good collect was 3 d ago: the figures may be outdated",
    )


@pytest.mark.parametrize(
    ("outcome", "said"),
    [("failed", "the last check failed"), ("partial", "the last check failed in part")],
)
def test_a_command_that_failed_last_is_worth_a_warning(outcome: str, said: str) -> None:
    state = replace(WELL, runs={"check": LastRun(NOW, outcome, "host1")})
    assert findings(state) == [Finding(Level.WARNING, said)]


@pytest.mark.parametrize("command", ["restore", "catalog import"])
def test_what_somebody_watched_is_no_news_however_it_ended(command: str) -> None:
    state = replace(WELL, runs={command: LastRun(NOW, "failed", "host1")})
    assert [one.level for one in findings(state)] == [Level.OK]


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(minutes=2), "2 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2), "2 d"),
        (timedelta(days=4000), "4,000 d"),
    ],
)
def test_an_age_is_told_in_a_unit_that_suits_it(ago: timedelta, said: str) -> None:
    assert age(NOW, NOW - ago) == said


def test_a_volume_whose_backups_are_all_lost_is_critical_and_said_first() -> None:
    state = replace(WELL, volumes=Tally(protected=7, lost=1, ended=2), untracked=3)
    assert texts(state) == [
        ("CRITICAL", "all backups of 1 volume are missing or broken"),
        ("WARNING", "protection of 2 volumes ended lately"),
        ("WARNING", "3 backups of Staffeln's without a record"),
    ]


def test_one_thing_is_said_in_the_singular() -> None:
    state = replace(WELL, volumes=Tally(protected=7, lost=1, ended=1), untracked=1)
    assert texts(state) == [
        ("CRITICAL", "all backups of 1 volume are missing or broken"),
        ("WARNING", "protection of 1 volume ended lately"),
        ("WARNING", "1 backup of Staffeln's without a record"),
    ]


def test_volumes_that_nobody_lists_and_histories_of_a_wrong_clock_are_worth_a_warning() -> None:
    state = replace(WELL, volumes=Tally(protected=7, unknown=1, future=2))
    assert texts(state) == [
        ("WARNING", "1 protected volume unknown to Cinder or Keystone"),
        ("WARNING", "2 volumes with a history that lies in the future"),
    ]


def test_a_shorter_retention_is_a_warning_with_the_moment_from_which_backups_may_go() -> None:
    tally = Tally(protected=7, shortened=2, shortened_from=NOW + timedelta(days=3))
    assert texts(replace(WELL, volumes=tally)) == [
        (
            "WARNING",
            "the retention of 2 volumes was shortened: backups may go from 2026-11-25 22:00 UTC",
        )
    ]


def test_a_pass_that_has_not_ended_for_long_is_a_warning_even_if_its_last_end_was_good() -> None:
    state = replace(WELL, late_runs={"retain": NOW - timedelta(days=3)})
    assert texts(state) == [("WARNING", "the last retain that ended began 3 d ago")]


def test_a_failed_restore_drill_is_critical_until_there_is_another_proof() -> None:
    state = replace(
        WELL, volumes=Tally(protected=7, proof_failed=1, proven=3), proven_every="100d"
    )
    assert texts(state) == [
        ("CRITICAL", "1 protected volume failed the restore drill: not proven since")
    ]
    assert state.proofs == "3 of 7 volumes proven in the last 100d"
    assert WELL.proofs is None
