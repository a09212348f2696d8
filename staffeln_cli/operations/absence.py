"""Confirm by id that something which a complete listing lacks is gone."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.planning.evidence import Answer, Belief, Confirmation, belief, is_mass
from staffeln_cli.runtime import Run

ALWAYS = datetime.fromtimestamp(0, UTC)
"""Since when a thing counts as known whose first sight nobody wrote down."""
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Suspect(Generic[Thing]):
    """One thing that a complete listing lacks, and since when it is known and missed."""

    thing: Thing
    id: str
    known_since: datetime
    suspected_at: datetime | None
    name: str = ""


@dataclass(slots=True)
class Findings(Generic[Thing]):
    """What is believed of the things that a listing lacks; each is in one of the lists."""

    present: list[Thing] = field(default_factory=list)
    unproven: list[Thing] = field(default_factory=list)
    suspected: list[Thing] = field(default_factory=list)
    gone: list[Thing] = field(default_factory=list)
    is_mass: bool = False
    """So many are absent at once that nothing is believed gone without confirmation."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Of what kind the suspects are, how many of it were known, and what was confirmed."""

    name: str
    known: int
    confirmation: Confirmation


def confirm(
    run: Run,
    kind: Kind,
    suspects: Collection[Suspect[Thing]],
    is_there: Callable[[Thing], bool],
) -> Findings[Thing]:
    """Ask the service for each suspect by its id: one request each, `cloud.workers` at a time.

    `is_there` returns False only for the service's own 404 and raises CloudUnavailable where the
    answer is unclear; that suspect is then named as a failure of the pass. Where more than the
    mass limit are absent that nobody has confirmed, none counts as gone and the pass fails in
    part. A request to stop ends the pass before anything is believed.
    """
    findings: Findings[Thing] = Findings()
    absent, unconfirmed = 0, 0
    for suspect, answer in run.parallel(lambda one: _answer(run, kind, one, is_there), suspects):
        believed = judged(run, answer, suspect.known_since, suspect.suspected_at)
        _list_of(findings, believed).append(suspect.thing)
        if answer is Answer.ABSENT:
            absent += 1
            unconfirmed += not kind.confirmation.accepts(suspect.suspected_at)
    run.runtime.stop.check()
    if is_mass(unconfirmed, kind.known):
        findings.is_mass = True
        findings.suspected += findings.gone
        findings.gone = []
        fail_mass(run, f"{absent:,} of {kind.known:,} {kind.name}s do not exist any more")
    return findings


def fail_mass(run: Run, what: str) -> None:
    """Say that so much changed at once that nothing of it is believed unasked."""
    reason = (
        f"{what}; so many at once may be a mistake, and nothing of this was changed; if it is"
        f" right, run: staffeln {run.command} --confirm"
    )
    run.fail("pass", run.command, reason)


def judged(
    run: Run, answer: Answer, known_since: datetime, suspected_at: datetime | None
) -> Belief:
    """What this pass believes of one thing, after the answer to a request for its id."""
    return belief(
        answer,
        known_since=known_since,
        suspected_at=suspected_at,
        now=run.now(),
        settle_time=run.settings.cloud.settle_time,
    )


def _answer(
    run: Run, kind: Kind, suspect: Suspect[Thing], is_there: Callable[[Thing], bool]
) -> Answer:
    try:
        return Answer.PRESENT if is_there(suspect.thing) else Answer.ABSENT
    except CloudUnavailable as error:
        reason = f"the listing of {kind.name}s lacks it, and looking it up failed: {error}"
        run.fail(kind.name, suspect.id, reason, name=suspect.name)
        return Answer.UNCLEAR


def _list_of(findings: Findings[Thing], believed: Belief) -> list[Thing]:
    return {
        Belief.PRESENT: findings.present,
        Belief.UNPROVEN: findings.unproven,
        Belief.SUSPECTED: findings.suspected,
        Belief.GONE: findings.gone,
    }[believed]
