from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.model import Backup, BackupId, BackupRecord, State
from staffeln_cli.model.durations import parse
from staffeln_cli.planning.chains import lineage
from staffeln_cli.planning.chains.lineage import (
    Parents,
    cautious_parents,
    lineage_of,
    oldest_first,
    possible_parents,
    restorable,
)
from staffeln_cli.planning.chains.summary import may_depend_on
from staffeln_cli.planning.retention.policy import Policy
from staffeln_cli.planning.retention.verdicts import Member, RetentionTerms, judge, waves
from tests.build import a_record_of
from tests.properties.cinder import Cinder
from tests.properties.lives import CALM_LIVES, WILD_LIVES


def told(line: list[Backup], parents: Sequence[Parents]) -> dict[str, set[str]]:
    return {
        child.id: {str(line[place].id) for place in above}
        for child, above in zip(line, parents, strict=True)
    }


@given(CALM_LIVES)
def test_the_true_parent_is_always_among_the_possible_ones(cinder: Cinder) -> None:
    line = sorted(cinder.listing(), key=oldest_first)
    possible = told(line, possible_parents(line))
    for row in cinder.rows.values():
        assert row.parent is None or row.parent in possible[row.id]


@given(CALM_LIVES)
def test_a_backup_may_depend_on_all_that_it_does_depend_on(cinder: Cinder) -> None:
    listing = cinder.listing()
    for row in cinder.rows.values():
        assert may_depend_on(row.id, listing) >= set(cinder.ancestors(row.id)[1:])


@given(WILD_LIVES)
def test_with_caution_restores_and_races_hide_no_parent_either(cinder: Cinder) -> None:
    line = sorted(cinder.listing(), key=oldest_first)
    possible = told(line, cautious_parents(line))
    for row in cinder.rows.values():
        assert row.parent is None or row.parent in possible[row.id]


@given(CALM_LIVES)
def test_the_shape_of_a_plain_line_says_as_much_as_the_line(cinder: Cinder) -> None:
    """What is kept for all lines of a shape is what would be worked out for each."""
    line = sorted((one for one in cinder.listing() if one.snapshot_id is None), key=oldest_first)
    line = [one._replace(status="available") for one in line]
    found, parents = lineage_of(line), lineage._parents(line, lineage._was_available)
    assert list(found.parents) == parents
    assert list(found.sure) == restorable(line, parents)
    assert found.doubted == lineage._doubted(line, parents)


@given(CALM_LIVES)
def test_whatever_is_called_restorable_is(cinder: Cinder) -> None:
    line = sorted(cinder.listing(), key=oldest_first)
    for backup, sure in zip(line, restorable(line, possible_parents(line)), strict=True):
        assert cinder.can_restore(backup.id) or not sure


@given(WILD_LIVES, st.integers(0, 20), st.sampled_from(["0s", "2d", "9d"]), st.integers(0, 2))
def test_no_deletion_is_refused_and_nothing_kept_loses_its_chain(
    cinder: Cinder, foreign: int, time: str, keep_last: int
) -> None:
    """Every backup is ours but one; what asks for confirmation gets Cinder's answer."""
    members = [
        Member(backup, None if place == foreign else _record(backup).brief)
        for place, backup in enumerate(cinder.listing())
    ]
    promise = RetentionTerms(
        policy=Policy(time=parse(time)), volume_exists=True, keep_last=keep_last
    )
    verdicts = judge(members, promise, cinder.now)
    confirm = {verdict.member.backup.id for verdict in verdicts if verdict.confirm}
    restorable_before = {row for row in cinder.rows if cinder.can_restore(row)}
    for leaving in [row.id for row in cinder.rows.values() if row.status == "deleting"]:
        cinder.vanish(leaving)
    for wave in waves(verdicts):
        gone = [m.backup.id for m in wave if not _is_held(m.backup, confirm, cinder)]
        for backup in gone:
            cinder.delete(backup)
        for backup in gone:
            cinder.vanish(backup)
        if len(gone) < len(wave):
            break
    for row in cinder.rows:
        assert cinder.can_restore(row) or row not in restorable_before


def _is_held(backup: Backup, confirm: set[BackupId], cinder: Cinder) -> bool:
    return backup.id in confirm and bool(cinder.children(backup.id))


def _record(backup: Backup) -> BackupRecord:
    done = backup.status in {"available", "restoring", "error"}
    return a_record_of(backup, state=State.AVAILABLE if done else State.CREATING)
