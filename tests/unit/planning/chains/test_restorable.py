"""Which backup of a volume is restored."""

from datetime import timedelta

import pytest

from staffeln_cli.model import Backup, ProjectId, State
from staffeln_cli.planning.chains.restorable import newest_restorable
from tests.build import a_backup, a_brief

FULL = a_backup("f1", days_old=9)
CHAIN = [
    FULL,
    a_backup("i1", days_old=8, incremental=True),
    a_backup("i2", days_old=7, incremental=True),
]
RECORDS = {one.id: a_brief(one, chain_id="f1") for one in CHAIN}


def test_the_newest_that_is_whole_is_the_one_to_restore() -> None:
    assert newest_restorable(CHAIN, {}, None) == CHAIN[2]
    assert newest_restorable(reversed(CHAIN), RECORDS, CHAIN[1].created_at) == CHAIN[1]
    assert newest_restorable(CHAIN, {}, FULL.created_at - timedelta(seconds=1)) is None
    assert newest_restorable([], RECORDS, None) is None


def test_an_incremental_whose_full_is_in_another_project_is_not_whole() -> None:
    others = [FULL._replace(project_id=ProjectId("other")), *CHAIN[1:]]
    assert newest_restorable(others, {}, None) == others[0]


def test_an_incremental_whose_chain_lost_a_backup_by_our_records_is_not_whole() -> None:
    older = [a_backup("f0", days_old=20)]
    assert newest_restorable([*older, *CHAIN[1:]], RECORDS, None) == older[0]
    assert newest_restorable([*older, FULL, CHAIN[2]], RECORDS, None) == FULL


@pytest.mark.parametrize(
    ("state", "best"),
    [
        (State.MISSING, FULL),
        (State.AVAILABLE, FULL),
        (State.DELETED, CHAIN[2]),
        (State.FAILED, CHAIN[2]),
    ],
)
def test_nothing_depends_on_what_failed_or_was_deleted_by_retention(
    state: State, best: Backup
) -> None:
    records = {**RECORDS, CHAIN[1].id: RECORDS[CHAIN[1].id]._replace(state=state)}
    assert newest_restorable([FULL, CHAIN[2]], records, None) == best
