from staffeln_cli.model import BackupId, Kind, State
from staffeln_cli.model.lifecycle import IN_FLIGHT, LIVE, NEXT, UNFINISHED, chain_id_of, may_move


def test_every_state_has_its_place_in_the_table() -> None:
    assert set(NEXT) == set(State)


def test_a_record_moves_only_as_the_table_says() -> None:
    assert may_move(State.PLANNED, State.STARTING)
    assert not may_move(State.PLANNED, State.CREATING)
    assert not may_move(State.DELETED, State.AVAILABLE)


def test_from_a_plan_every_state_can_be_reached() -> None:
    reached, waiting = {State.PLANNED}, [State.PLANNED]
    while waiting:
        for state in NEXT[waiting.pop()] - reached:
            reached.add(state)
            waiting.append(state)
    assert reached == set(State)


def test_nothing_is_deleted_without_passing_through_deleting() -> None:
    assert [old for old in State if State.DELETED in NEXT[old]] == [State.DELETING]


def test_whatever_cinder_may_have_is_live() -> None:
    assert IN_FLIGHT <= LIVE
    assert IN_FLIGHT < UNFINISHED
    assert {State.PLANNED} == UNFINISHED - LIVE


def test_a_full_backup_begins_a_chain_and_an_incremental_extends_one() -> None:
    new, chain = BackupId("new"), BackupId("chain")
    assert chain_id_of(Kind.FULL, new, chain) == new
    assert chain_id_of(Kind.INCREMENTAL, new, chain) == chain
    assert chain_id_of(Kind.INCREMENTAL, new, None) is None
