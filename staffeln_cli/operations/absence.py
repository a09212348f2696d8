"""Confirm by id that something which a complete listing lacks is gone."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.planning.evidence import Answer, Belief, belief, is_mass
from staffeln_cli.runtime import Run

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
    """So many are absent at once that nothing may change without confirmation."""


def confirm(
    run: Run,
    kind: str,
    suspects: Collection[Suspect[Thing]],
    is_there: Callable[[Thing], bool],
    *,
    known: int,
) -> Findings[Thing]:
    """Ask the service for each suspect by its id: one request each, `cloud.workers` at a time.

    `is_there` returns False only for the service's own 404 and raises CloudUnavailable where the
    answer is unclear; that suspect is then named as a failure of the pass. `known` is how many
    things of this kind were known before: when more than the mass limit of them are absent, the
    rest is not asked for. A request to stop ends the pass before anything is believed.
    """
    findings: Findings[Thing] = Findings()
    absent = 0
    now, settle_time = run.now(), run.settings.cloud.settle_time
    for suspect, answer in run.parallel(lambda one: _answer(run, kind, one, is_there), suspects):
        believed = belief(
            answer,
            known_since=suspect.known_since,
            suspected_at=suspect.suspected_at,
            now=now,
            settle_time=settle_time,
        )
        _list_of(findings, believed).append(suspect.thing)
        absent += answer is Answer.ABSENT
        if is_mass(absent, known):
            findings.is_mass = True
            break
    run.runtime.stop.check()
    return findings


def _answer(
    run: Run, kind: str, suspect: Suspect[Thing], is_there: Callable[[Thing], bool]
) -> Answer:
    try:
        return Answer.PRESENT if is_there(suspect.thing) else Answer.ABSENT
    except CloudUnavailable as error:
        reason = f"the listing lacks it, and looking it up failed: {error}"
        run.fail(kind, suspect.id, reason, name=suspect.name)
        return Answer.UNCLEAR


def _list_of(findings: Findings[Thing], believed: Belief) -> list[Thing]:
    return {
        Belief.PRESENT: findings.present,
        Belief.UNPROVEN: findings.unproven,
        Belief.SUSPECTED: findings.suspected,
        Belief.GONE: findings.gone,
    }[believed]
