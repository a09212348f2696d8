"""Whether a request may delete a backup: the answer to Cinder's policy engine, with its reason."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from staffeln_cli.model import State
from staffeln_cli.model.lifecycle import LIVE

CLOCK_SLACK = timedelta(minutes=5)
"""How far Cinder's clock may be behind the database's when a backup is recognised by its time."""

_MAY_EXIST = LIVE | {State.PLANNED}
"""Also of a record that was planned again Cinder may have a backup, by a request with no reply."""


@dataclass(frozen=True, slots=True)
class Question:
    """Who wants to delete which backup, and what else the policy engine says about it."""

    backup_id: str
    user_id: str | None = None
    name: str | None = None
    volume_id: str | None = None
    record_id: str | None = None
    """The record that the backup's metadata names."""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """A backup record, with the columns that matter to the question."""

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
    """Deny the deletion if any of the records protects the backup; trusted users may delete all.

    `records` have its backup id, name or record id, or are the `starting` one of its volume.
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
    """Whether the backup was probably created by a request of this record whose reply was lost.

    Its owner can change its name and metadata, but neither its volume nor its time.
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
