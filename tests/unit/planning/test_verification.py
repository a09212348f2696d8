"""Which backups are proven next."""

from dataclasses import replace
from typing import Any

import pytest

from staffeln_cli.model import BackupId, DrillId, DrillState, ProjectId
from staffeln_cli.model.durations import parse
from staffeln_cli.planning.chains.members import Member
from staffeln_cli.planning.retention.keep_rules import RetentionTerms
from staffeln_cli.planning.retention.policy import Policy
from staffeln_cli.planning.retention.verdicts import judge
from staffeln_cli.planning.verification import (
    Candidate,
    Room,
    choice,
    drill_failure,
    in_order,
    named,
    newest_proven,
    with_failed_drills,
)
from tests.build import NOW, a_backup, a_brief, a_drill, ago, an_inventory_volume


def a_candidate(name: str, *drills: Any, **more: Any) -> Candidate:
    return Candidate(an_inventory_volume(name, **more), drills)


def ended(days_ago: float, **more: Any) -> Any:
    return a_drill(ended_at=ago(days=days_ago), planned_at=ago(days=days_ago), **more)


def chain_of_three() -> list[Any]:
    return [
        a_backup("full", days_old=9),
        a_backup("i1", days_old=8, incremental=True),
        a_backup("i2", days_old=7, incremental=True),
    ]


def test_what_was_never_tried_comes_before_the_oldest_proof_or_try() -> None:
    new = a_candidate("new", first_seen_at=ago(days=1))
    newer = a_candidate("newer", first_seen_at=ago(hours=1))
    old = a_candidate("old", proven_at=ago(days=50))
    recent = a_candidate("recent", proven_at=ago(days=2))
    cancelled = a_candidate("cancelled", ended(3, state=DrillState.CANCELLED))
    expected = [new, newer, old, cancelled, recent]
    assert in_order(reversed(expected)) == expected


def test_a_doubt_and_a_backup_after_a_failure_come_first() -> None:
    doubtful = a_candidate("doubtful", ended(1, suspected=True), proven_at=ago(days=5))
    renewed = a_candidate(
        "renewed",
        ended(0.5, state=DrillState.FAILED),
        proof_failed_at=ago(days=2),
        last_success_at=ago(days=1),
    )
    failed = a_candidate("failed", proof_failed_at=ago(days=1), last_success_at=ago(days=2))
    assert in_order([failed, renewed, doubtful]) == [doubtful, renewed, failed]


def test_the_newest_restorable_backup_is_proven_with_all_that_it_depends_on() -> None:
    chosen = choice(a_candidate("v1"), chain_of_three(), {})
    assert chosen is not None
    assert (chosen.backup.id, chosen.chain_length, chosen.attempt) == ("i2", 3, 1)
    assert chosen.chain_at == ago(days=9)
    assert "never proven" in chosen.reason
    drill = chosen.drill(DrillId("d1"), NOW)
    assert (drill.backup_id, drill.volume_id, drill.size_gib) == ("i2", "v1", 10)
    assert (drill.backup_at, drill.chain_at) == (ago(days=7), ago(days=9))
    proven = choice(a_candidate("v1", proven_at=ago(days=3)), chain_of_three(), {})
    assert proven is not None
    assert "was proven on 2026-11-19" in proven.reason


def test_without_a_restorable_backup_there_is_nothing_to_prove() -> None:
    assert choice(a_candidate("v1"), [], {}) is None
    assert choice(a_candidate("v1"), [a_backup("b1", status="error")], {}) is None


def test_a_doubtful_backup_is_tried_a_second_time() -> None:
    doubt = ended(1, backup_id=BackupId("i2"), suspected=True, state=DrillState.CANCELLED)
    chosen = choice(a_candidate("v1", doubt), chain_of_three(), {})
    assert chosen is not None
    assert (chosen.attempt, chosen.reason) == (2, "its restore failed once")
    newer = [*chain_of_three(), a_backup("i3", days_old=6, incremental=True)]
    chosen = choice(a_candidate("v1", doubt), newer, {})
    assert chosen is not None
    assert (chosen.backup.id, chosen.attempt) == ("i3", 1)


def test_after_a_failure_the_older_chain_is_tried_and_a_newer_one_when_there_is_one() -> None:
    failed = ended(1, chain_at=ago(days=9), state=DrillState.FAILED)
    older = [a_backup("old", days_old=20), *chain_of_three()]
    chosen = choice(a_candidate("v1", failed), older, {})
    assert chosen is not None
    assert (chosen.backup.id, chosen.chain_length) == ("old", 1)
    assert choice(a_candidate("v1", failed), chain_of_three(), {}) is None
    renewed = [*older, a_backup("new", days_old=0.5)]
    chosen = choice(a_candidate("v1", failed), renewed, {})
    assert chosen is not None
    assert chosen.backup.id == "new"


def test_a_chain_that_was_proven_after_its_failure_is_tried_again() -> None:
    failed = ended(2, chain_at=ago(days=9), state=DrillState.FAILED)
    passed = ended(1, chain_at=ago(days=9), state=DrillState.PASSED)
    chosen = choice(a_candidate("v1", failed, passed), chain_of_three(), {})
    assert chosen is not None
    assert chosen.backup.id == "i2"


def test_a_proof_does_not_count_any_more_when_its_chain_has_failed_since() -> None:
    older = ended(5, chain_at=ago(days=20), backup_at=ago(days=20), state=DrillState.PASSED)
    proven = ended(3, chain_at=ago(days=9), backup_at=ago(days=8), state=DrillState.PASSED)
    failed = ended(1, chain_at=ago(days=9), backup_at=ago(days=8), state=DrillState.FAILED)
    assert newest_proven([older, proven]) == proven
    assert newest_proven([older, proven, failed]) == older
    assert newest_proven([proven, failed]) is None


def the_ends() -> list[Member]:
    """The newest backups of two chains, with what they depend on."""
    newer = [a_backup("new", days_old=5), a_backup("new-1", days_old=4, incremental=True)]
    backups = [*chain_of_three(), *newer]
    return [Member(backup, a_brief(backup)) for backup in backups]


def kept(members: list[Member], *drills: Any) -> set[str]:
    """What retention keeps of what is too old, as the newest to restore from."""
    terms = RetentionTerms(policy=Policy(time=parse("1h")), volume_exists=True, keep_last=1)
    verdicts = judge(with_failed_drills(members, drills), terms, NOW)
    return {one.member.backup.id for one in verdicts if one.keep}


def test_a_chain_of_which_a_drill_failed_takes_no_other_ones_place_in_retention() -> None:
    failed = ended(1, chain_at=ago(days=5), state=DrillState.FAILED)
    proven = ended(0, chain_at=ago(days=5), state=DrillState.PASSED)
    elsewhere = replace(failed, project_id=ProjectId("p2"))
    assert kept(the_ends()) == {"new", "new-1"}
    assert kept(the_ends(), elsewhere) == {"new", "new-1"}
    assert kept(the_ends(), failed) == {"full", "i1", "i2", "new", "new-1"}
    assert kept(the_ends(), failed, proven) == {"new", "new-1"}


def test_a_backup_of_a_chain_of_which_a_drill_failed_is_in_doubt() -> None:
    _, _, backup = chain = chain_of_three()
    failed = ended(1, chain_at=ago(days=9), state=DrillState.FAILED)
    older = ended(5, chain_at=ago(days=20), backup_at=ago(days=20), state=DrillState.PASSED)
    assert drill_failure(backup, chain, [older]) is None
    assert drill_failure(backup, chain, [replace(failed, project_id=ProjectId("p2"))]) is None
    assert (
        drill_failure(backup, chain, [failed])
        == "a restore drill of its chain failed, none is proven"
    )
    said = drill_failure(backup, chain, [older, failed])
    assert said == "a restore drill of its chain failed, b1 of 2026-11-02 is proven"


def test_the_chain_of_a_named_backup_is_that_of_its_own_project() -> None:
    backups = chain_of_three()
    theirs = a_backup("theirs", days_old=8.5)._replace(project_id=ProjectId("p2"))
    assert named(a_candidate("v1"), backups[1], [*backups, theirs]).chain_length == 2
    assert named(a_candidate("v1"), backups[0], backups).chain_length == 1


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (Room(9), "verify.max_gib leaves 9 GiB"),
        (Room(10, quota_volumes=0), "no further volume"),
        (Room(10, quota_gib=9), "leaves 9 GiB"),
        (Room(10, quota_gib=10, quota_volumes=1), None),
        (Room(10), None),
    ],
)
def test_a_backup_waits_where_there_is_no_room_for_it(room: Room, said: str | None) -> None:
    refusal = room.refusal(10)
    assert refusal is None if said is None else said in (refusal or "")
