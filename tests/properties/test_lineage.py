from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.model import Backup, BackupId, BackupRecord, State
from staffeln_cli.model.durations import parse
from staffeln_cli.planning.chains import fast_lineage
from staffeln_cli.planning.chains.lineage import (
    Lineage,
    Parents,
    ancestors,
    cautious_parents,
    lineage_of,
    oldest_first,
    possible_parents,
    restorable,
)
from staffeln_cli.planning.chains.members import Member
from staffeln_cli.planning.retention.keep_rules import RetentionTerms
from staffeln_cli.planning.retention.policy import Policy
from staffeln_cli.planning.retention.verdicts import judge, waves
from tests.build import a_record_of
from tests.properties.cinder import Cinder
from tests.properties.lives import CALM_LIVES, WILD_LIVES


def by_id(backups: Sequence[Backup], parents: Sequence[Parents]) -> dict[str, set[str]]:
    """For each backup the ids of all its possible parents."""
    return {
        child.id: {str(backups[parent].id) for parent in possible}
        for child, possible in zip(backups, parents, strict=True)
    }


def listed(cinder: Cinder) -> list[Backup]:
    return sorted(cinder.listing(), key=oldest_first)


@given(CALM_LIVES)
def test_the_true_parent_is_always_among_the_possible_ones(cinder: Cinder) -> None:
    backups = listed(cinder)
    possible = by_id(backups, possible_parents(backups))
    for row in cinder.rows.values():
        assert row.parent is None or row.parent in possible[row.id]


@given(CALM_LIVES)
def test_the_possible_ancestors_include_all_true_ones(cinder: Cinder) -> None:
    backups = listed(cinder)
    parents = possible_parents(backups)
    for index, backup in enumerate(backups):
        possible = {backups[ancestor].id for ancestor in ancestors((index,), parents)}
        assert possible >= set(cinder.ancestors(backup.id))


@given(WILD_LIVES)
def test_with_caution_restores_and_races_hide_no_parent_either(cinder: Cinder) -> None:
    backups = listed(cinder)
    possible = by_id(backups, cautious_parents(backups))
    for row in cinder.rows.values():
        assert row.parent is None or row.parent in possible[row.id]


@given(WILD_LIVES)
def test_a_known_parent_is_a_fact_and_a_guess_beside_it_still_has_the_true_one(
    cinder: Cinder,
) -> None:
    backups = listed(cinder)
    guessed = by_id(backups, cautious_parents(backups))
    found = by_id(backups, cautious_parents(backups, cinder.exported))
    for row in cinder.rows.values():
        if row.id in cinder.exported:
            assert found[row.id] == {row.parent} & cinder.rows.keys()
            assert found[row.id] <= guessed[row.id]
        else:
            assert found[row.id] == guessed[row.id]


@given(WILD_LIVES)
def test_where_all_parents_are_known_nothing_is_guessed_and_nobody_is_asked(
    cinder: Cinder,
) -> None:
    for row in cinder.rows.values():
        if row.status == "available":
            cinder.export(row.id)
    for other in [row.id for row in cinder.rows.values() if row.status != "available"]:
        if not cinder.children(other):
            del cinder.rows[other]
    backups = listed(cinder)
    parents = {row.id: row.parent for row in cinder.rows.values() if row.parent is not None}
    lineage = lineage_of(backups, parents)
    assert by_id(backups, lineage.parents) == {
        row.id: {row.parent} - {None} for row in cinder.rows.values()
    }
    assert not lineage.needs_confirmation


def the_same(found: Lineage, expected: Lineage) -> bool:
    return (
        list(found.parents) == list(expected.parents)
        and list(found.restorable) == list(expected.restorable)
        and found.children == expected.children
        and found.needs_confirmation == expected.needs_confirmation
    )


@given(CALM_LIVES)
def test_the_fast_lineage_of_plain_chains_is_that_of_the_rule(cinder: Cinder) -> None:
    backups = [backup for backup in listed(cinder) if backup.snapshot_id is None]
    plain = [backup._replace(status="available") for backup in backups]
    assert the_same(fast_lineage.lineage_of(plain), lineage_of(plain))
    known = cinder.exported
    assert the_same(fast_lineage.lineage_of(plain, known), lineage_of(plain, known))


@given(WILD_LIVES)
def test_the_fast_lineage_of_any_backups_is_that_of_the_rule(cinder: Cinder) -> None:
    backups = listed(cinder)
    assert the_same(fast_lineage.lineage_of(backups), lineage_of(backups))
    known = cinder.exported
    assert the_same(fast_lineage.lineage_of(backups, known), lineage_of(backups, known))


@given(CALM_LIVES)
def test_whatever_is_called_restorable_is(cinder: Cinder) -> None:
    backups = listed(cinder)
    found = restorable(backups, possible_parents(backups))
    for backup, is_restorable in zip(backups, found, strict=True):
        assert cinder.can_restore(backup.id) or not is_restorable


@given(WILD_LIVES, st.integers(0, 20), st.sampled_from(["0s", "2d", "9d"]), st.integers(0, 2))
def test_no_deletion_is_refused_and_nothing_kept_loses_its_chain(
    cinder: Cinder, foreign: int, time: str, keep_last: int
) -> None:
    """Every backup is ours but one; what asks for confirmation gets Cinder's answer."""
    members = [
        Member(
            backup,
            None if index == foreign else _record(backup).brief,
            parent_id=cinder.exported.get(backup.id),
        )
        for index, backup in enumerate(cinder.listing())
    ]
    terms = RetentionTerms(
        policy=Policy(time=parse(time)), volume_exists=True, keep_last=keep_last
    )
    verdicts = judge(members, terms, cinder.now)
    confirm = {verdict.member.backup.id for verdict in verdicts if verdict.confirm}
    restorable_before = {row for row in cinder.rows if cinder.can_restore(row)}
    for being_deleted in [row.id for row in cinder.rows.values() if row.status == "deleting"]:
        cinder.vanish(being_deleted)
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
