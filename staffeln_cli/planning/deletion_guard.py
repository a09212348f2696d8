"""Decide for Cinder's policy engine whether a user may delete a backup, and say why."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from staffeln_cli.model import State
from staffeln_cli.model.lifecycle import LIVE

CLOCK_SLACK = timedelta(minutes=5)
"""How far Cinder's clock may be behind the database's when a backup is recognised by its time."""

_MAY_EXIST = LIVE | {State.PLANNED}
"""States in which Cinder may have a backup that the record does not know the id of.

`planned` is one of them: a record may be planned again although a late request still succeeds.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """Who wants to delete which backup, and what the policy engine says about the backup."""

    backup_id: str
    user_id: str | None = None
    name: str | None = None
    volume_id: str | None = None
    record_id: str | None = None
    """The record that the backup's metadata names."""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """The part of a backup record that bears on a question."""

    record_id: str
    backup_id: str | None
    state: State
    name: str
    volume_id: str
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the deletion is allowed, and why."""

    allowed: bool
    reason: str


def answer(
    question: Question, records: Iterable[KnownRecord], *, trusted: Collection[str]
) -> Answer:
    """Deny the deletion of Staffeln's backups, except to the trusted users.

    `records` are those with the backup's id, name or record id, and the volume's `starting` one.
    """
    if question.user_id and question.user_id in trusted:
        return Answer(True, "asked by a trusted user")
    is_known = False
    for record in records:
        if record.backup_id == question.backup_id:
            # Cinder asks about it, so it exists: also if its record says `missing`.
            if record.state is not State.DELETED:
                return Answer(False, f"record {record.record_id} is {record.state}")
            is_known = True
        if record.backup_id is None and _is_probably_of(record, question):
            return Answer(False, f"record {record.record_id} is {record.state}, its reply lost")
    if question.record_id is not None and not is_known:
        return Answer(
            False, f"no record has this backup, but it names record {question.record_id}"
        )
    return Answer(True, "no live backup of Staffeln's")


def _is_probably_of(record: KnownRecord, question: Question) -> bool:
    """Whether the backup was probably created by a request whose reply was lost.

    Its owner may have changed its name and metadata, but cannot change its volume or time.
    """
    if record.state not in _MAY_EXIST:
        return False
    if question.name == record.name or question.record_id == record.record_id:
        return True
    if record.state is not State.STARTING or question.volume_id != record.volume_id:
        return False
    if question.created_at is None or record.started_at is None:
        return True
    return question.created_at >= record.started_at - CLOCK_SLACK
