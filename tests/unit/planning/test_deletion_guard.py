from datetime import UTC, datetime, timedelta

import pytest

from staffeln_cli.model import State
from staffeln_cli.model.lifecycle import LIVE
from staffeln_cli.planning.deletion_guard import CLOCK_SLACK, KnownRecord, Question, answer

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BACKUP = "b0a1c607-a207-4431-90b7-210de0181f8c"
MANUAL = "11111111-a207-4431-90b7-210de0181f8c"
LOST = KnownRecord("r1", None, State.STARTING, "web_root_1", "v1", NOON)


def a_record(state: State, backup_id: str | None = BACKUP) -> KnownRecord:
    return KnownRecord("r1", backup_id, state, "web_root_1", "v1", NOON)


def allows(question: Question, *records: KnownRecord, trusted: tuple[str, ...] = ()) -> bool:
    return answer(question, records, trusted=trusted).allowed


def test_a_backup_that_no_record_knows_may_be_deleted() -> None:
    assert allows(Question(BACKUP))


@pytest.mark.parametrize("state", sorted(set(State) - {State.DELETED}))
def test_a_backup_that_a_record_has_may_not_be_deleted_whatever_its_state(state: State) -> None:
    assert not allows(Question(BACKUP), a_record(state))


@pytest.mark.parametrize("mark", [None, "r1"])
def test_a_backup_whose_deletion_is_over_may_be_deleted(mark: str | None) -> None:
    assert allows(Question(BACKUP, record_id=mark), a_record(State.DELETED))


@pytest.mark.parametrize("records", [(), (a_record(State.AVAILABLE, MANUAL),)])
def test_a_marked_backup_that_no_record_has_may_not_be_deleted(
    records: tuple[KnownRecord, ...],
) -> None:
    assert not allows(Question(BACKUP, record_id="r1"), *records)


@pytest.mark.parametrize("state", sorted(State))
def test_a_marked_backup_may_not_be_deleted_while_its_record_has_none(state: State) -> None:
    assert not allows(Question(BACKUP, record_id="r1"), a_record(state, backup_id=None))


@pytest.mark.parametrize("state", sorted(LIVE))
def test_a_trusted_user_may_delete_everything(state: State) -> None:
    assert allows(Question(BACKUP, user_id="robot"), a_record(state), trusted=("robot",))


@pytest.mark.parametrize("user", [None, "", "somebody"])
def test_nobody_else_is_trusted(user: str | None) -> None:
    assert not allows(
        Question(BACKUP, user_id=user), a_record(State.AVAILABLE), trusted=("robot", "")
    )


def test_an_answer_carries_its_reason() -> None:
    found = answer(Question(BACKUP), [a_record(State.DELETING)], trusted=())
    assert found.reason == "record r1 is deleting"


@pytest.mark.parametrize("state", [State.STARTING, State.PLANNED, State.FAILED])
@pytest.mark.parametrize(
    "told", [Question(BACKUP, name="web_root_1"), Question(BACKUP, record_id="r1")]
)
def test_a_backup_whose_create_reply_was_lost_is_known_by_name_or_metadata(
    state: State, told: Question
) -> None:
    assert not allows(told, a_record(state, backup_id=None))


def test_a_lost_backup_is_known_by_volume_and_time_when_its_owner_has_renamed_it() -> None:
    renamed = Question(BACKUP, name="mine", volume_id="v1", created_at=NOON + timedelta(seconds=1))
    assert not allows(renamed, LOST)


@pytest.mark.parametrize("ahead", [timedelta(0), CLOCK_SLACK])
def test_cinders_clock_may_be_behind_when_a_lost_backup_is_recognised(ahead: timedelta) -> None:
    assert not allows(Question(BACKUP, volume_id="v1", created_at=NOON - ahead), LOST)


def test_an_older_backup_of_the_volume_is_not_the_lost_one() -> None:
    older = Question(BACKUP, volume_id="v1", created_at=NOON - timedelta(hours=1))
    assert allows(older, LOST)


def test_a_backup_of_the_volume_whose_time_is_unknown_may_be_the_lost_one() -> None:
    assert not allows(Question(BACKUP, volume_id="v1"), LOST)


def test_another_volumes_backup_is_not_the_lost_one() -> None:
    assert allows(Question(BACKUP, name="mine", volume_id="v2", created_at=NOON), LOST)


def test_a_record_that_is_only_planned_does_not_speak_for_other_backups_of_its_volume() -> None:
    assert allows(Question(BACKUP, volume_id="v1"), a_record(State.PLANNED, backup_id=None))


def test_a_cancelled_record_speaks_for_nothing() -> None:
    assert allows(Question(BACKUP, name="web_root_1"), a_record(State.CANCELLED, backup_id=None))


def test_a_namesake_of_a_backup_with_another_id_may_be_deleted() -> None:
    other = a_record(State.AVAILABLE, backup_id=MANUAL)
    assert allows(Question(BACKUP, name="web_root_1", volume_id="v1"), other)
