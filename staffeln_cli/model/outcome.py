"""What one run of one command did: counts, decisions, and each item that failed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

RunId = NewType("RunId", str)


@dataclass(frozen=True, slots=True)
class Failure:
    """One item that failed in a run, named."""

    kind: str
    id: str
    reason: str
    name: str = ""
    """What people call it, where that is known."""


@dataclass(slots=True)
class Decision:
    """One line of a plan: what happens (or would happen) to which thing, and why.

    Not frozen, because a plan has a million of them, and to freeze one takes three times as long.
    """

    action: str
    kind: str
    id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of one command did."""

    command: str
    run_id: RunId
    outcome: str
    started_at: datetime
    duration_s: float
    api_requests: int
    dry_run: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    decisions: Collection[Decision] = ()
    note: str | None = None
    """What ended the run early, or why it was skipped: a sentence for the operator."""
    shows_decisions: bool = False
    """Whether its decisions are an answer that somebody waits for, as those of a dry run are."""
    next_steps: tuple[str, ...] = ()
    """Commands that people may want to type next."""
    remarks: tuple[str, ...] = ()
    """What people may want to know of a pass that went well."""
    exit_code: int = 0
