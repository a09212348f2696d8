"""May this request delete that backup? The answer for Cinder's policy engine, with its reason."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from staffeln_cli.model import State
from staffeln_cli.model.lifecycle import LIVE

CLOCK_SLACK = timedelta(minutes=5)
"""How far Cinder's clock may be behind the database's when a lost reply is recognised by time."""

_MAY_EXIST = LIVE | {State.PLANNED}
"""Of a record planned again, too, Cinder may have a backup that nobody heard of."""


@dataclass(frozen=True, slots=True)
class Question:
    """Who wants to delete which backup; beyond the id, what the policy engine tells of it."""

    backup_id: str
    user_id: str | None = None
    name: str | None = None
    volume_id: str | None = None
    record_id: str | None = None
    """The record that the backup's metadata names."""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """A backup record, as far as it bears on the question."""

    record_id: str
    backup_id: str | None
    state: State
    name: str
    volume_id: str
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the deletion is allowed, and why."""

    allowed: bool
    reason: str


def verdict(
    question: Question, records: Iterable[Remembered], *, trusted: Collection[str]
) -> Verdict:
    """Deny what any of the records speaks for; Staffeln's own users may delete everything.

    `records`: those with its backup id, name or record id, and its volume's `starting` one.
    """
    if question.user_id and question.user_id in trusted:
        return Verdict(True, "asked by a trusted user")
    for record in records:
        if record.backup_id == question.backup_id and record.state in LIVE:
            return Verdict(False, f"record {record.record_id} is {record.state}")
        if record.backup_id is None and _never_heard_back(record, question):
            return Verdict(False, f"record {record.record_id} is {record.state}, its reply lost")
    return Verdict(True, "no live backup of Staffeln's")


def _never_heard_back(record: Remembered, question: Question) -> bool:
    """Whether the backup is probably what became of a create request whose reply was lost.

    Its owner may have changed name and metadata, but not the volume, nor the time.
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
